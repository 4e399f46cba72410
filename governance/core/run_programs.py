"""The expressions of a runbook, compiled against what its model's rules may name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from governance.core.authored import Path
from governance.core.compiled import CompiledPolicy
from governance.core.expression import (
    ExpressionError,
    ExpressionProblem,
    Names,
    Program,
    Reference,
    Template,
    compile_expression,
    compile_template,
)
from governance.core.need import Needs, needs
from governance.core.run_path import before, ways
from governance.core.run_vocabulary import Metrics, Outputs, at_start, at_step, card_is_whole, metrics_of, of_card
from governance.core.runbook import Runbook, Step

Condition = Literal["when", "check"]
_UNGUARDED = "unguarded-field"
_ABSENT = " may be absent"
_MOST = 512  # runbooks of fleets that are remembered; of more the memory begins anew


@dataclass(frozen=True, slots=True)
class CardPlace:
    """A part of the card that an expression reads without asking whether it is there, such as card.versions.canary."""

    name: str
    path: Path
    at: tuple[int, int, int]

    def is_in(self, card: Mapping[str, Any]) -> bool:
        """Tell whether a card has it."""
        here: Any = card
        for part in self.name.split(".")[1:]:
            if not isinstance(here, Mapping) or here.get(part) is None:
                return False
            here = here[part]
        return True


@dataclass(frozen=True, slots=True)
class Expressions:
    """All expressions of a runbook by their path in the document; `broken` are those that do not compile.

    `reads` are the parts of the card that somebody has to have.
    """

    programs: Mapping[Path, Program] = field(default_factory=dict)
    templates: Mapping[Path, Template] = field(default_factory=dict)
    broken: Mapping[Path, ExpressionError] = field(default_factory=dict)
    reads: tuple[CardPlace, ...] = ()

    def references(self, below: Path) -> list[Reference]:
        """Return what is asked of the metrics at a path and below, each once."""
        found: dict[Reference, None] = {}
        for each in (self.programs, self.templates):
            for path, compiled in each.items():
                if path[: len(below)] == below:
                    found |= dict.fromkeys(compiled.references)
        return list(found)


@dataclass(frozen=True, slots=True)
class Programs:
    """The expressions of a runbook for one model; `policy` is what its rules are judged by."""

    runbook: Runbook
    policy: CompiledPolicy
    expressions: Expressions

    def index(self, step: str) -> int:
        """Return the place of a step."""
        return next(place for place, each in enumerate(self.runbook.steps) if each.step == step)

    def needs(self, step: str, part: str | None = None) -> Needs:
        """Return what has to be answered to begin a step, or for one part of it such as `check`."""
        return self.asked(("steps", self.index(step), *([part] if part is not None else [])))

    def asked(self, below: Path) -> Needs:
        """Return what has to be answered for all expressions at a path and below; what there is not is not asked."""
        metrics, slos = self.policy.policy.metrics, self.policy.slos
        references = [
            each
            for each in self.expressions.references(below)
            if (each.metric in metrics if each.budget is None else not each.budget.slo or each.budget.slo in slos)
        ]
        return needs(references, metrics, slos, self.policy.policy.card.cadence.every)


_memory: dict[tuple[object, ...], Expressions] = {}


def programs(runbook: Runbook, policy: CompiledPolicy, outputs: Outputs) -> Programs:
    """Return the expressions of a runbook for a model, from memory where they were compiled before.

    `outputs` says what acts give later steps, by <system>.<operation>. What does not compile is no error here: it is
    missing wherever it is needed, and says why.
    """
    return Programs(runbook, policy, expressions(runbook, metrics_of(policy.policy), outputs))


def expressions(runbook: Runbook, metrics: Metrics, outputs: Outputs) -> Expressions:
    """Compile all expressions of a runbook, remembered by what they say and may name."""
    named = dict.fromkeys(each.act for each in runbook.steps if each.act is not None)
    acts = tuple((each, tuple(outputs[each].items())) for each in named if each in outputs)
    key = (runbook.model_dump_json(), metrics.key, acts)
    found = _memory.get(key)
    if found is None:
        if len(_memory) >= _MOST:
            _memory.clear()
        found = _memory[key] = _Compiling().all_of(runbook, metrics, outputs)
    return found


class _Compiling:
    """Compiles one runbook."""

    def __init__(self) -> None:
        self._programs: dict[Path, Program] = {}
        self._templates: dict[Path, Template] = {}
        self._broken: dict[Path, ExpressionError] = {}
        self._reads: list[CardPlace] = []

    def all_of(self, runbook: Runbook, metrics: Metrics, outputs: Outputs) -> Expressions:
        if runbook.applies_to:
            self._one(("applies_to",), runbook.applies_to, of_card(), of_card(), condition=True)
        for name, parameter in runbook.parameters.items():
            if isinstance(parameter.default, str):
                path: Path = ("parameters", name, "default")
                whole = at_start(runbook, [card_is_whole()])
                self._one(path, parameter.default, at_start(runbook), whole, condition=False)
        earlier = before(ways(runbook))
        for place, step in enumerate(runbook.steps):
            for path, text, condition in _texts(("steps", place), step):
                known = [step.when] if step.when is not None and path[2] != "when" else []
                steps = earlier[step.step] | ({step.step} if path[2] == "undo" else set())
                names = at_step(runbook, steps, metrics, outputs, known)
                whole = at_step(runbook, steps, metrics, outputs, [*known, card_is_whole()])
                self._one(path, text, names, whole, condition=condition)
        return Expressions(self._programs, self._templates, self._broken, tuple(self._reads))

    def _one(self, path: Path, text: str, names: Names, whole: Names, *, condition: bool) -> None:
        try:
            self._compile(path, text, names, condition=condition)
        except ExpressionError as error:
            places = [_place(each, path) for each in error.problems]
            if not all(places):
                self._broken[path] = error
                return
            self._reads.extend(each for each in places if each is not None)
            self._compile(path, text, whole, condition=condition)

    def _compile(self, path: Path, text: str, names: Names, *, condition: bool) -> None:
        if condition:
            self._programs[path] = compile_expression(text, names, result="bool")
        else:
            self._templates[path] = compile_template(text, names)


def _place(problem: ExpressionProblem, path: Path) -> CardPlace | None:
    """Return the part of the card that a problem says may be absent; None of any other problem."""
    name = problem.message.removesuffix(_ABSENT)
    if problem.code != _UNGUARDED or not name.startswith("card."):
        return None
    return CardPlace(name, path, (problem.line, problem.column, problem.length))


def _texts(path: Path, step: Step) -> Iterator[tuple[Path, str, bool]]:
    """Yield the texts of a step that hold expressions, each with its path and whether it is a condition."""
    for name in ("when", "check"):
        if (condition := getattr(step, name)) is not None:
            yield (*path, name), condition, True
    for name in ("instruct", "text"):
        if (text := getattr(step, name, None)) is not None:
            yield (*path, name), text, False
    if step.notify is not None:
        for name in ("message", "channel", "notifier"):
            if (text := getattr(step.notify, name)) is not None:
                yield (*path, "notify", name), text, False
    yield from _values((*path, "with"), step.with_)
    if step.undo is not None:
        yield from _values((*path, "undo", "with"), step.undo.with_)


def _values(path: Path, value: object) -> Iterator[tuple[Path, str, bool]]:
    if isinstance(value, str):
        if "{" in value or "}" in value:
            yield path, value, False
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _values((*path, name), each)
    elif isinstance(value, (list, tuple)):
        for place, each in enumerate(value):
            yield from _values((*path, place), each)
