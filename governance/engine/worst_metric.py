"""The one metric of a model that a row of the fleet shows: the worst against its limit."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from governance.core.alert import AlertKey
from governance.core.compiled import CompiledPolicy
from governance.core.metric import Labels
from governance.core.verdict import Input, Verdict
from governance.engine.parts import Engine
from governance.views import MetricView

_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that a rule compares a metric with; `above`: it is wrong to be above it, else to be below."""

    value: float
    above: bool

    def nearness(self, value: float | None) -> float:
        """Return how near a value is: 1 at the limit, more beyond it, 0 where nothing can be told."""
        if value is None:
            return 0.0
        over, under = (value, self.value) if self.above else (self.value, value)
        return abs(over) / abs(under) if under else float(abs(over) > 0)


def worst_metric(
    engine: Engine, policy: CompiledPolicy, verdicts: Sequence[Verdict], firing: Collection[AlertKey], points: int
) -> MetricView | None:
    """Return the metric of a rule that fires before that of one that fails, and of others the nearest to its limit.

    Of its history `points` values at most are told.
    """
    found = [
        (verdict, each, limit_of(policy, verdict.rule, each.name))
        for verdict in verdicts
        for each in verdict.inputs
        if each.name.startswith("metrics.")
    ]
    told = {(each.rule, each.labels) for each in firing}

    def badness(one: tuple[Verdict, Input, Limit | None]) -> tuple[bool, bool, bool, float]:
        verdict, each, limit = one
        fires = (verdict.rule, verdict.labels) in told
        return not fires, verdict.outcome != "fail", limit is None, -limit.nearness(each.value) if limit else 0.0

    if not found:
        return None
    verdict, each, limit = min(found, key=badness)
    known = engine.latest.history(policy.model, each.name, verdict.labels)
    value = limit.value if limit is not None else None
    return MetricView(
        name=_named(each.name, verdict.labels),
        value=each.value,
        limit=value,
        failing=verdict.outcome == "fail",
        previous=known[-2] if len(known) > 1 else None,
        history=[*thinned(known, points)],
    )


def thinned(values: Sequence[float], points: int) -> Sequence[float]:
    """Return so many values at most, the newest and others as far apart as each other over the whole time."""
    return values[::-1][:: max(-(-len(values) // points), 1)][::-1] if points else ()


def _named(name: str, labels: Labels) -> str:
    shown = name.removeprefix("metrics.")
    return f"{shown} {{{', '.join(f'{key}={value}' for key, value in labels)}}}" if labels else shown


def limit_of(policy: CompiledPolicy, rule: str, name: str) -> Limit | None:
    """Return the limit that a rule compares an input with: a number or a parameter written beside it, the worst's."""
    found = next((each.rule for each in policy.rules if each.rule.id == rule), None)
    if found is None:
        return None
    parameters = policy.policy.parameters.get(found.pack, {})
    for _, condition in reversed(found.conditions):
        beside = re.search(
            rf"{re.escape(name)}\s*([<>])=?\s*(?:({_NUMBER})(?![\w.]|\s*\*)|parameters\.(\w+))", condition.text
        )
        if beside is None:
            continue
        value = float(beside[2]) if beside[2] else parameters.get(beside[3])
        known = isinstance(value, (int, float)) and not isinstance(value, bool)
        return Limit(float(value), beside[1] == ">") if known else None  # type: ignore[arg-type]
    return None
