"""What a run sees at an instant: its conditions judged, its texts written out, its acts with their parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.core.authored import Path
from governance.core.cell import Cell, bound
from governance.core.compiled import labels_of
from governance.core.duration import format_duration
from governance.core.evidence import Evidence, as_context
from governance.core.expression import (
    MISSING,
    Context,
    EvaluationFailed,
    Missing,
    Program,
    Reference,
    Template,
    Term,
    displayed,
)
from governance.core.incident import Incident
from governance.core.joining import TooManyError, label_sets
from governance.core.metric import Answer, Labels, Query
from governance.core.past import Past
from governance.core.reading import Readings
from governance.core.run import Run
from governance.core.run_bindings import variables
from governance.core.run_programs import Condition, Programs
from governance.core.run_steps import Judgement
from governance.core.runbook import Notice

_MOST_SHOWN = 5
"""Label sets of which a text shows the values, or a judgement says what it rests on."""


@dataclass(frozen=True, slots=True)
class Written:
    """Something written out; `gaps` say of each expression without a value which it is and why.

    `firm` are those that name nothing but the card and parameters: no data will ever fill them.
    """

    value: Any
    gaps: tuple[str, ...] = ()
    firm: tuple[str, ...] = ()


class Sight:
    """The expressions of a run over the answers to what they ask, at one instant."""

    def __init__(
        self,
        programs: Programs,
        run: Run,
        answers: Mapping[Query, Answer],
        at: datetime,
        *,
        past: Mapping[Query, Past] | None = None,
        incident: Incident | None = None,
        evidence: Evidence | None = None,
        beat: timedelta = timedelta(0),
        ahead: bool = False,
        card: Mapping[str, object] | None = None,
    ) -> None:
        """Take what `programs.needs` asked for; `beat` is how often the engine looks.

        `ahead` of a run nothing was asked yet: an expression without a value is written as it stands. `card` is that
        of the run as expressions see it, where that is known already.
        """
        self._programs, self._labels, self._at, self._ahead = programs, run.labels, at, ahead
        self._readings = Readings(programs.policy, answers, past or {}, at, beat)
        self._context = Context(variables(run, incident, as_context(evidence or Evidence()), at, card))

    def judge(self, step: str, part: Condition) -> Judgement | None:
        """Judge a condition of a step, None where it has none; over labelled metrics it must hold for each label set.

        Only those label sets count that agree with the labels of the run.
        """
        path = self._path(step, part)
        if getattr(self._programs.runbook.steps[self._programs.index(step)], part) is None:
            return None
        broken = self._programs.expressions.broken.get(path)
        if broken is not None:
            return Judgement(None, f"it cannot be judged: {broken.problems[0].message}")
        program = self._programs.expressions.programs[path]
        gone = self._gone(program)
        if gone:
            return Judgement(None, f"it cannot be judged: {gone}")
        try:
            sets = self._sets(program)
        except TooManyError as error:
            return Judgement(None, f"{error.found} label sets are too many")
        return _together([self._judged(program, each) for each in sets]) if sets else Judgement(None, "no data")

    def text(self, step: str) -> str:
        """Return what people read at a step, written out: its instruction, its message or its text; "" of none."""
        found = self._programs.runbook.steps[self._programs.index(step)]
        if found.instruct is not None:
            return str(self._written(self._path(step, "instruct"), found.instruct, shown=True).value)
        if found.notify is not None:
            return str(self._written(self._path(step, "notify", "message"), found.notify.message, shown=True).value)
        text = getattr(found, "text", None)
        return str(self._written(self._path(step, "text"), text, shown=True).value) if text is not None else ""

    def notice(self, step: str) -> tuple[Notice, str]:
        """Return what a step tells, written out, and what keeps it from being told, "" when nothing does."""
        found = self._programs.runbook.steps[self._programs.index(step)].notify
        assert found is not None  # noqa: S101 (it is asked of steps that notify)
        parts = {
            name: self._written(self._path(step, "notify", name), text, shown=False)
            for name in ("channel", "notifier")
            if (text := getattr(found, name)) is not None
        }
        trouble = "; ".join(f"{name}: {gap}" for name, each in parts.items() for gap in each.gaps)
        values = {name: str(each.value) for name, each in parts.items()}
        return Notice(message=self.text(step), **values), trouble

    def asked(self, step: str, *, undo: bool = False) -> tuple[dict[str, object], str]:
        """Return with what a step asks for its act, or for what takes it back, and what is missing for that, or ""."""
        found = self._programs.runbook.steps[self._programs.index(step)]
        given = found.with_ if not undo else found.undo.with_ if found.undo is not None else {}
        written = self._value(self._path(step, *(("undo", "with") if undo else ("with",))), given)
        return written.value, "; ".join(written.firm if self._ahead else written.gaps)

    def _path(self, step: str, *parts: str) -> tuple[str | int, ...]:
        return ("steps", self._programs.index(step), *parts)

    def _gone(self, program: Program | Template) -> str:
        """Return which metric the model's policy does not have any more, "" of none."""
        known = self._programs.policy
        for each in program.references:
            if each.budget is None and each.metric not in known.policy.metrics:
                return f"there is no metric '{each.metric}' any more"
            if each.budget is not None and each.budget.slo and each.budget.slo not in known.slos:
                return f"there is no SLO '{each.budget.slo}' any more"
        return ""

    def _sets(self, program: Program) -> list[Labels]:
        """Return the label sets for which a condition is judged."""
        metrics = self._programs.policy.policy.metrics
        tables: dict[frozenset[str], dict[Labels, None]] = {}
        for each in program.references:
            if names := labels_of(each, metrics):
                cells = self._readings.column(each, self._context).cells
                tables.setdefault(frozenset(names), {}).update(dict.fromkeys(cells))
        if not tables:
            return [()]
        found = label_sets(tables, self._programs.policy.policy.card.max_instances)
        own = dict(self._labels)
        return [each for each in found if all(own.get(name, value) == value for name, value in each)]

    def _judged(self, program: Program, labels: Labels) -> Judgement:
        cells = {each: self._cell(each, labels) for each in program.references}
        values = {each: self._bound(each, cell) for each, cell in cells.items()}
        context = self._context.extend({"labels": {**dict(self._labels), **dict(labels)}})
        prefix = f"{', '.join(f'{name}={value}' for name, value in labels)}: " if labels else ""
        try:
            holds = program.evaluate(values, context) is True
        except Missing as gap:
            why = "; ".join(dict.fromkeys(f"{each.text}: {cells[each].detail or 'no data'}" for each in gap.references))
            return Judgement(None, f"{prefix}{why}")
        except EvaluationFailed as failure:
            return Judgement(None, f"{prefix}{failure.reason}")
        return Judgement(holds, prefix + _explained(program.explain(values, context), holds=holds))

    def _cell(self, reference: Reference, labels: Labels) -> Cell:
        names = labels_of(reference, self._programs.policy.policy.metrics)
        return self._readings.column(reference, self._context).at(labels, names)

    def _bound(self, reference: Reference, cell: Cell) -> object:
        return bound(reference, cell, self._readings.column(reference, self._context), self._at)

    def _value(self, path: Path, value: object) -> Written:
        if isinstance(value, str):
            return self._written(path, value, shown=False)
        if isinstance(value, Mapping):
            parts = {name: self._value((*path, name), each) for name, each in value.items()}
            gaps = tuple(f"{name}: {gap}" for name, each in parts.items() for gap in each.gaps)
            firm = tuple(f"{name}: {gap}" for name, each in parts.items() for gap in each.firm)
            return Written({name: each.value for name, each in parts.items()}, gaps, firm)
        if isinstance(value, (list, tuple)):
            items = [self._value((*path, place), each) for place, each in enumerate(value)]
            gaps = tuple(gap for each in items for gap in each.gaps)
            return Written([each.value for each in items], gaps, tuple(gap for each in items for gap in each.firm))
        return Written(value)

    def _written(self, path: Path, text: str, *, shown: bool) -> Written:
        """Write a text out, for people or for programs: there a text that is one hole keeps the kind of its value."""
        broken = self._programs.expressions.broken.get(path)
        if broken is not None:
            return Written(text, (broken.problems[0].message,), (broken.problems[0].message,))
        template = self._programs.expressions.templates.get(path)
        if template is None:
            return Written(text)
        return write(template, self._context, self._find, shown=shown, ahead=self._ahead)

    def _find(self, reference: Reference) -> object:
        """Return the value of a metric in a text: that of the run's labels, else those of all its label sets."""
        policy = self._programs.policy
        if reference.budget is None and reference.metric not in policy.policy.metrics:
            return MISSING
        names = labels_of(reference, policy.policy.metrics)
        if set(names) <= {name for name, _ in self._labels}:
            return self._bound(reference, self._cell(reference, self._labels))
        return _Listed(dict(_by_labels(self._readings.column(reference, self._context).cells)))


class _Listed:
    """The values of a metric for many label sets, of which a text shows the largest."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = values

    def __str__(self) -> str:
        """Return the largest values, each with its labels."""
        ordered = sorted(self._values.items(), key=lambda each: (-each[1], each[0]))
        told = [f"{labels} {displayed(value)}" for labels, value in ordered[:_MOST_SHOWN]]
        more = len(ordered) - _MOST_SHOWN
        return ", ".join([*told, *([f"and {more} more"] if more > 0 else [])]) or "no data"


def write(
    template: Template,
    context: Context,
    find: Callable[[Reference], object] = lambda _: MISSING,
    *,
    shown: bool,
    ahead: bool = False,
) -> Written:
    """Write out a template over a context; `find` returns the value of a metric."""
    parts = [each if isinstance(each, str) else (each, _evaluated(each, context, find)) for each in template.parts]
    lacking = [each for each in parts if not isinstance(each, str) and isinstance(each[1], _Gap)]
    gaps = tuple(f"{{{program.text}}}: {gap.why}" for program, gap in lacking)
    firm = tuple(f"{{{program.text}}}: {gap.why}" for program, gap in lacking if is_firm(program))
    if len(parts) == 1 and not isinstance(parts[0], str) and not shown and not (ahead and gaps):
        return Written(None if gaps else parts[0][1], gaps, firm)
    words = [each if isinstance(each, str) else _said(*each, shown=shown, ahead=ahead) for each in parts]
    return Written("".join(words), gaps, firm)


def is_firm(program: Program) -> bool:
    """Tell whether an expression names nothing but the card and parameters, so that its value is known ahead."""
    return not program.references and program.variables <= {"card", "parameters"}


@dataclass(frozen=True, slots=True)
class _Gap:
    why: str


def _evaluated(program: Program, context: Context, find: Callable[[Reference], object]) -> Any:
    values = {each: find(each) for each in program.references}
    listed = next((each for each in values.values() if isinstance(each, _Listed)), None)
    if listed is not None:
        return listed if len(values) == 1 and program.text.strip() == next(iter(values)).text else _Gap("many values")
    try:
        return program.evaluate(values, context)
    except Missing:
        return _Gap("no data")
    except EvaluationFailed as failure:
        return _Gap(failure.reason)


def _said(program: Program, value: object, *, shown: bool, ahead: bool) -> str:
    if isinstance(value, _Gap):
        return f"{{{program.text}}}" if ahead else "no data" if shown else ""
    if isinstance(value, _Listed) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)  # a whole number is an id or a count, and is copied as it is
    return displayed(value) if shown else exact(value)


def exact(value: object) -> str:
    """Return a value as programs read it, without rounding: 0.12345, true, 7d, 2026-01-31T12:00:00Z."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, (str, int)) else displayed(value)


def _by_labels(cells: Mapping[Labels, Cell]) -> Iterator[tuple[str, float]]:
    for labels, cell in cells.items():
        if cell.value is not None:
            yield " ".join(value for _, value in labels), cell.value


def _together(found: list[Judgement]) -> Judgement:
    """Join the judgements of many label sets: it holds when all hold, and fails when one fails."""
    for outcome in (False, None):
        some = [each.said for each in found if each.holds is outcome]
        if some:
            return Judgement(outcome, _some(some))
    return Judgement(True, _some([each.said for each in found]))  # noqa: FBT003


def _some(said: list[str]) -> str:
    more = len(said) - _MOST_SHOWN
    return "; ".join([*said[:_MOST_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _explained(terms: tuple[Term, ...], *, holds: bool) -> str:
    """Return the conditions that decided, with the values they rest on."""
    decided = [each for each in terms if each.outcome is holds] or list(terms)
    return ", ".join(f"{each.line} is {'not known' if each.outcome is None else str(each.outcome).lower()}"
                     for each in decided)  # fmt: skip
