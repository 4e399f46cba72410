"""What a reference in an expression is bound to: a value per label set, or the reason why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.duration import in_words
from governance.core.expression import MISSING, Reference
from governance.core.metric import Answer, Labels, MissingReason, Sample
from governance.core.over_time import mean
from governance.core.policy import EffectiveMetric

_REDUCTIONS: Mapping[str, Callable[[list[float]], float]] = {"max": max, "min": min, "sum": math.fsum, "avg": mean}


@dataclass(frozen=True, slots=True)
class Cell:
    """One value for one label set; `reason` tells why it is missing."""

    value: float | None
    time: datetime | None = None
    count: int | None = None
    reason: MissingReason | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """All cells of one metric or reference; `failure` stands for every label set when the source or answer failed."""

    cells: Mapping[Labels, Cell]
    failure: Cell | None = None

    def has_gap(self) -> bool:
        """Tell whether any member is missing for another reason than too few rows."""
        gaps = (cell.value is None and cell.reason != "too_few" for cell in self.cells.values())
        return self.failure is not None or any(gaps)

    def at(self, labels: Labels, names: Iterable[str]) -> Cell:
        """Return the cell whose labels are those of `labels` that `names` lists."""
        wanted = set(names)
        key = tuple(pair for pair in labels if pair[0] in wanted)
        return self.cells.get(key) or self.failure or Cell(None, reason="no_data", detail="no sample")


def column(metric: EffectiveMetric, answer: Answer | None, at: datetime) -> Column:
    """Judge every sample of an answer: too few, stale, not a number or good; wrong labels fail the whole metric."""
    if answer is None:
        return Column({}, Cell(None, reason="no_data", detail="was not asked"))
    if answer.failure:
        return Column({}, Cell(None, reason="error", detail=answer.failure))
    declared = set(metric.labels)
    cells: dict[Labels, Cell] = {}
    for sample in metric.own(answer.samples):
        names = {name for name, _ in sample.labels}
        if declared and not names and sample.value is None:
            return Column({}, _cell(metric, sample, at))  # the source says why there is nothing at all
        if names != declared:
            detail = f"{metric.name} answered with labels {_listed(names)}, declared are {_listed(declared)}"
            return Column({}, Cell(None, reason="error", detail=detail))
        if sample.labels in cells:
            return Column(
                {}, Cell(None, reason="error", detail=f"{metric.name} answered twice for {dict(sample.labels)}")
            )
        cells[sample.labels] = _cell(metric, sample, at)
    return Column(cells)


def _cell(metric: EffectiveMetric, sample: Sample, at: datetime) -> Cell:
    count = sample.count
    if sample.value is None:
        return Cell(None, sample.time, count, sample.reason or "no_data", sample.detail or "no rows in the window")
    if math.isnan(sample.value):
        return Cell(None, sample.time, count, "no_data", "not a number")
    if count is not None and count < metric.spec.min_samples:
        return Cell(None, sample.time, count, "too_few", f"{count} rows, needs {metric.spec.min_samples}")
    age = at - metric.query.offset - sample.time
    if age > metric.stale_after:
        return Cell(None, sample.time, count, "stale", f"{in_words(age)} old")
    return Cell(sample.value, sample.time, count)


def resolved(reference: Reference, base: Column) -> Column:
    """Apply the aggregates of a reference to a metric's column: too_few members are skipped, other gaps spread."""
    result = base
    for function, by in reference.aggregates:
        result = _aggregated(result, function, by)
    return result


def bound(reference: Reference, cell: Cell, members: Column, at: datetime) -> object:
    """Return what an expression sees for a reference: a number, a duration, a list of `members`, or MISSING."""
    if reference.view == "series":
        return _series(members)
    if reference.view == "samples":
        return float(cell.count) if cell.count is not None else MISSING
    if reference.budget is not None and reference.budget.function == "time_to_exhaustion":
        return timedelta(seconds=cell.value) if cell.value is not None else MISSING
    if reference.view == "age":
        return at - cell.time if cell.time is not None else MISSING
    return cell.value if cell.value is not None else MISSING


def _series(members: Column) -> object:
    if members.failure:
        return MISSING
    return [{"value": cell.value, "labels": dict(key)} for key, cell in members.cells.items() if cell.value is not None]


def _aggregated(base: Column, function: str, by: tuple[str, ...]) -> Column:
    groups: dict[Labels, list[Cell]] = {} if by else {(): []}
    for key, cell in base.cells.items():
        groups.setdefault(tuple(pair for pair in key if pair[0] in by), []).append(cell)
    failure = base.failure
    if failure is not None and not by:
        return Column({}, failure)
    return Column({key: _combined(function, cells) for key, cells in groups.items()}, failure)


def _combined(function: str, cells: list[Cell]) -> Cell:
    judged = [cell for cell in cells if cell.reason != "too_few"]
    gap = next((cell for cell in judged if cell.value is None), None)
    if gap is not None:
        return gap
    values = [cell.value for cell in judged if cell.value is not None]
    if not values and function != "count":
        return Cell(
            None,
            reason="too_few" if cells else "no_data",
            detail="no member has enough rows" if cells else "no members",
        )
    times = [cell.time for cell in judged if cell.time is not None]
    counts = [cell.count for cell in judged if cell.count is not None]
    try:
        value = _reduced(function, values)
    except (OverflowError, ValueError) as error:  # sums of infinities, or beyond what a double holds
        return Cell(None, reason="error", detail=f"{function} cannot be computed: {error}")
    return Cell(value, min(times, default=None), sum(counts) if counts else None)


def _reduced(function: str, values: list[float]) -> float:
    if function == "count":
        return float(len(values))
    return _REDUCTIONS[function](values)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
