"""Service level objectives of a model: which questions measure them, and what their answers say of the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.card import Slo
from governance.core.cell import Cell
from governance.core.duration import format_duration
from governance.core.expression import Budget, Context, EvaluationFailed, Missing, Program, Reference
from governance.core.metric import Query, Sample
from governance.core.objective import budget_left, burn_rate, scaled, time_to_exhaustion
from governance.core.past import Past, Tally

SOURCE = "slo"
"""The name under which the series of good (1) and bad (0) minutes are kept; no source answers for it."""
_DAY, _MONTH = timedelta(days=1), timedelta(days=30)

Measured = Callable[[Reference, timedelta], Cell]
"""What a metric is over a window that ends now."""


@dataclass(frozen=True, slots=True)
class CompiledSlo:
    """An SLO ready to be measured: two counts over any window, or one condition whose minutes are counted.

    `every` is how often the condition is judged; `series` names its good (1) and bad (0) samples.
    """

    name: str
    spec: Slo
    series: Query
    every: timedelta
    errors: Program | None = None
    total: Program | None = None
    good: Program | None = None

    @property
    def references(self) -> tuple[Reference, ...]:
        """Every metric it rests on."""
        programs = [each for each in (self.errors, self.total, self.good) if each is not None]
        return tuple(dict.fromkeys(reference for program in programs for reference in program.references))

    def windows(self, budget: Budget) -> Iterator[timedelta]:
        """Yield the windows over which it must be measured to answer."""
        if budget.window is not None:
            yield scaled(budget.window, budget.per, self.spec.window) if budget.per else budget.window
            return
        yield self.spec.window
        if budget.function == "time_to_exhaustion":
            yield scaled(_DAY, _MONTH, self.spec.window)


def answered(slo: CompiledSlo, budget: Budget, spent: Callable[[timedelta], Spent | Cell]) -> Cell:
    """Return what an SLO answers, a time to exhaustion in seconds; where it cannot, the cell says what is missing."""
    known: list[Spent] = []
    for window in slo.windows(budget):
        found = spent(window)
        if isinstance(found, Cell):
            return found
        known.append(found)
    whole, objective = known[0], slo.spec.objective
    if budget.function == "burn_rate":
        rate = burn_rate(whole.bad, whole.total, objective)
        if slo.good is None and whole.bad <= 1 < rate:  # at so little traffic one bad event would page
            return Cell(None, reason="too_few", detail=f"{whole.bad:g} bad of {whole.total:g} tells no rate")
        return Cell(rate, whole.time, round(whole.total))
    left = budget_left(whole.bad, whole.total, objective)
    if budget.function == "time_to_exhaustion":
        lasts = time_to_exhaustion(left, burn_rate(known[1].bad, known[1].total, objective), slo.spec.window)
        return Cell(lasts.total_seconds(), whole.time, round(whole.total))
    return Cell(left, whole.time, round(whole.total))


@dataclass(frozen=True, slots=True)
class Spent:
    """Bad and all events (or minutes) of a window, and the time of the newest of them."""

    bad: float
    total: float
    time: datetime | None


def events(slo: CompiledSlo, window: timedelta, measured: Measured, context: Context) -> Spent | Cell:
    """Count the bad and all events of a window."""
    cells = {each: measured(each, window) for each in slo.references}
    gap = next((cell for cell in cells.values() if cell.value is None), None)
    if gap is not None:
        return gap
    values: Mapping[Reference, object] = {each: cell.value for each, cell in cells.items()}
    try:
        bad, total = (_number(program, values, context) for program in (slo.errors, slo.total))
    except (Missing, EvaluationFailed) as failure:
        return Cell(None, reason="error", detail=str(failure))
    if total <= 0:
        return Cell(None, reason="no_data", detail=f"nothing was counted in {format_duration(window)}")
    return Spent(bad, total, min((cell.time for cell in cells.values() if cell.time is not None), default=None))


def minutes(slo: CompiledSlo, window: timedelta, past: Past, at: datetime, *, share: float = 1.0) -> Spent | Cell:
    """Count the bad and all judged minutes of a window; less than half of those due say nothing.

    `share` is the part of the time at which the model's data are due.
    """
    tally = past.tallies.get(window, Tally())
    window = max(window, slo.every)
    expected = max(1, int(window / slo.every * share))
    if tally.judged and 2 * tally.judged >= expected:
        return Spent(tally.bad, tally.judged, tally.newest)
    if past.begun is None or past.begun > at - window:
        since = f"known since {past.begun:%Y-%m-%d %H:%M} UTC" if past.begun else "not known yet"
        return Cell(None, reason="too_few", detail=f"{slo.name} is {since}, {format_duration(window)} are needed")
    return Cell(None, reason="no_data", detail=f"{tally.judged} of {expected} samples in {format_duration(window)}")


def judged_good(slo: CompiledSlo, values: Mapping[Reference, object], context: Context, at: datetime) -> Sample:
    """Return the sample of an SLO's own series for this minute: good 1, bad 0, or missing with the reason."""
    assert slo.good is not None  # noqa: S101 (only such an SLO has a series)
    try:
        outcome = slo.good.evaluate(values, context)
    except Missing:
        return Sample(None, at, reason="no_data", detail="what it rests on is missing")
    except EvaluationFailed as failure:
        return Sample(None, at, reason="error", detail=str(failure))
    return Sample(1.0 if outcome is True else 0.0, at)


def _number(program: Program | None, values: Mapping[Reference, object], context: Context) -> float:
    result = program.evaluate(values, context) if program is not None else None
    if isinstance(result, bool) or not isinstance(result, (int, float)):
        raise EvaluationFailed("an SLO counts events: its `errors` and `total` must be numbers")
    return float(result)
