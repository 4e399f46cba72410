"""What the expressions of a runbook may name: what rules may name, and what is known of the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import get_args

from governance.core.card import Card
from governance.core.document import SEVERITIES
from governance.core.evidence import EVIDENCE
from governance.core.expression import ANY, Names, Shape, shape_of
from governance.core.incident import Status
from governance.core.policy import EffectivePolicy
from governance.core.run import Mode
from governance.core.runbook import ParameterType, Runbook, Step
from governance.core.vocabulary import Bounds, metric_bounds

Outputs = Mapping[str, Mapping[str, str]]
"""What each act gives later steps: names with their CEL types, by <system>.<operation>."""
_TEXT, _TIME = Shape.leaf("string"), Shape.leaf("timestamp")
_KINDS: Mapping[ParameterType, Shape] = {
    "string": _TEXT,
    "number": Shape.leaf("double"),
    "bool": Shape.leaf("bool"),
    "duration": Shape.leaf("duration"),
}
_LEAVES: Mapping[str, Shape] = {
    kind: Shape.leaf(kind) for kind in ("double", "int", "string", "bool", "timestamp", "duration")
}
STEP_STATES = ("done", "skipped", "failed", "timed_out", "unknown", "undone")
OF_EVERY_STEP: Mapping[str, Shape] = {"state": Shape.one_of(STEP_STATES), "detail": _TEXT, "by": _TEXT}
"""What is known of each step that was come to, beside what its act gives."""
INCIDENT = Shape.record(
    {
        "id": Shape.leaf("int"),
        "title": _TEXT,
        "severity": Shape.one_of(SEVERITIES),
        "status": Shape.one_of(get_args(Status)),
        "opened_at": _TIME,
    }
)
RUN = Shape.record(
    {
        "id": _TEXT,
        "runbook": _TEXT,
        "started_by": _TEXT,
        "started_at": _TIME,
        "because": _TEXT,
        "mode": Shape.one_of(get_args(Mode)),
    }
)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Which metrics there are with their labels, why others are not, between which values they lie, and the SLOs."""

    labels: Mapping[str, tuple[str, ...]]
    absent: Mapping[str, str]
    bounds: Bounds
    slos: frozenset[str]

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same for models that may name the same."""
        return (*(tuple(sorted(each.items())) for each in (self.labels, self.absent, self.bounds)), self.slos)


def metrics_of(policy: EffectivePolicy) -> Metrics:
    """Return what a model's rules may name."""
    return Metrics(
        {name: each.labels for name, each in policy.metrics.items()},
        {name: each.reason for name, each in policy.absent.items()},
        metric_bounds({name: each.spec for name, each in policy.metrics.items()}),
        frozenset(policy.card.slos),
    )


def at_start(runbook: Runbook, given: Iterable[str] = ()) -> Names:
    """Return what the default of a parameter may name: what is known before the run begins."""
    known = (*_given(runbook), *given)
    return Names(variables={"card": card_shape(), **_OF_ITS_CAUSE, "now": _TIME}, given=known)


def of_card(given: Iterable[str] = ()) -> Names:
    """Return what a condition over the card may name."""
    return Names(variables={"card": card_shape(), "now": _TIME}, given=tuple(given))


def at_step(
    runbook: Runbook, steps: Iterable[str], metrics: Metrics, outputs: Outputs, given: Iterable[str] = ()
) -> Names:
    """Return what the expressions of a step may name; `steps` are those before it."""
    by_name = {each.step: each for each in runbook.steps}
    shapes: dict[str, Shape] = {}
    for name in sorted(steps):
        shapes |= dict.fromkeys(spellings(name), _given_back(by_name[name], outputs))
    variables = {
        "card": card_shape(),
        "parameters": Shape.record({name: _KINDS[each.type] for name, each in runbook.parameters.items()}),
        "steps": Shape.record(shapes),
        **_OF_ITS_CAUSE,
        "run": RUN,
        "evidence": EVIDENCE,
        "now": _TIME,
    }
    known = (*_given(runbook), *given)
    return Names(metrics.labels, variables, metrics.slos, given=known, absent=metrics.absent, bounds=metrics.bounds)


def spellings(step: str) -> tuple[str, ...]:
    """Return how expressions may name a step: in CEL a hyphen is a minus, so that put-back is steps.put_back too."""
    return tuple(dict.fromkeys((step, step.replace("-", "_"))))


@cache
def card_shape() -> Shape:
    """Return the shape of a card."""
    return shape_of(Card)


@cache
def card_is_whole() -> str:
    """Return a condition that says of every optional part of a card that it is there."""
    return " && ".join(f"has({place})" for place in _optional(card_shape(), "card"))


def _optional(shape: Shape, place: str) -> Iterator[str]:
    for field in shape.fields:
        inner = f"{place}.{field.name}"
        if field.optional:
            yield inner
        if field.shape.kind == "record":
            yield from _optional(field.shape, inner)


def _given_back(step: Step, outputs: Outputs) -> Shape:
    """Return what is known of a step that was come to; acts may be asked to name outputs of their own."""
    if step.act is None:
        return Shape.record(OF_EVERY_STEP)
    if step.act not in outputs:
        return ANY  # told as an unknown act
    named = step.with_.get("outputs")
    own = dict.fromkeys(map(str, named), ANY) if isinstance(named, Mapping) else {}
    offered = {name: _LEAVES.get(kind, ANY) for name, kind in outputs[step.act].items()}
    return Shape.record({**OF_EVERY_STEP, **own, **offered})


def _given(runbook: Runbook) -> tuple[str, ...]:
    return (runbook.applies_to,) if runbook.applies_to else ()


_OF_ITS_CAUSE = {"labels": Shape.map(_TEXT), "incident": INCIDENT}
