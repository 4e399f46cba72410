"""What an expression sees of a metric's past: one value over a stretch of time per label set, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from governance.core.cell import Cell, Column, resolved
from governance.core.duration import format_duration
from governance.core.expression import Over, Reference
from governance.core.metric import Labels, Sample
from governance.core.over_time import deviation, mean, quantile, slope

TOLERANCE = 3
"""Intervals: offset() takes a sample at most so much older, and a label set that begins so much later is a new one."""

_REDUCTIONS: Mapping[str, Callable[[list[float]], float]] = {
    "avg_over_time": mean,
    "max_over_time": max,
    "min_over_time": min,
    "stddev_over_time": deviation,
    "sum_over_time": math.fsum,
}


def reach(reference: Reference) -> timedelta:
    """Return how far before its end a reference looks back, 0 if it does not.

    offset() may need a sample that is TOLERANCE × the metric's interval older.
    """
    return timedelta(0) if reference.over is None else _span(reference.over)


def looked_back(
    reference: Reference,
    samples: Sequence[Sample],
    *,
    end: datetime,
    every: timedelta,
    begun: datetime | None,
    share: float = 1.0,
) -> Column:
    """Return the value of avg_over_time(…), change(…) and their like for each label set.

    `samples` are the metric's in the order of their times; at each instant their labels are aggregated, then the
    function is applied over (end − window, end]. The metric has been asked every `every` since `begun` (None: never);
    `share` is the part of the time at which its data are due, 0 to 1.

    :raises ValueError: the reference does not look back
    """
    if reference.over is None:
        raise ValueError(f"{reference.text} does not look back")
    look = _Look(reference.over, end, every, share)
    series = _series(reference, (each for each in samples if look.takes(each.time)))
    first = min((points[0].time for points in series.values()), default=end)
    cells: dict[Labels, Cell] = {}
    for labels, points in series.items():
        # A slice that is seen for the first time has a short past, it has not lost one.
        new = begun is not None and points[0].time - first > TOLERANCE * every
        cells[labels] = look.cell(points, points[0].time if new else begun)
    return Column(cells, None if cells else look.cell([], begun))


@dataclass(frozen=True, slots=True)
class _Point:
    """One label set at one instant; a value that is missing for want of rows is `too_few`."""

    time: datetime
    value: float | None
    too_few: bool


def _series(reference: Reference, samples: Iterable[Sample]) -> dict[Labels, list[_Point]]:
    instants: dict[datetime, dict[Labels, Cell]] = {}
    for each in samples:
        value = None if each.value is None or math.isnan(each.value) else each.value
        reason = None if value is not None else each.reason or "no_data"
        instants.setdefault(each.time, {})[each.labels] = Cell(value, each.time, reason=reason)
    series: dict[Labels, list[_Point]] = {}
    for time, cells in instants.items():
        for labels, cell in resolved(reference, Column(cells)).cells.items():
            series.setdefault(labels, []).append(_Point(time, cell.value, cell.reason == "too_few"))
    return series


@dataclass(frozen=True, slots=True)
class _Look:
    """One look back: what is computed, over windows that end when, of samples that are due how often."""

    over: Over
    end: datetime
    every: timedelta
    share: float

    @property
    def window(self) -> timedelta:
        return self.over.window

    def takes(self, time: datetime) -> bool:
        """Tell whether a sample of that time can matter."""
        age = self.end - time
        if self.over.function == "offset":
            return timedelta(0) <= age <= self.window + TOLERANCE * self.every
        return timedelta(0) <= age < _span(self.over)

    def cell(self, points: list[_Point], since: datetime | None) -> Cell:
        """Return the value of one label set that has been known `since` (None: it is not)."""
        kinds = {"offset": self._before, "change": self._changed, "slope": self._sloped}
        try:
            return kinds.get(self.over.function, self._reduced)(points, since)
        except (OverflowError, ValueError) as error:  # sums of infinities, or beyond what a double holds
            return Cell(None, reason="error", detail=f"{self.over.function} cannot be computed: {error}")

    def _reduced(self, points: list[_Point], since: datetime | None) -> Cell:
        gap = self._gap(points, self.end, since)
        if gap is not None:
            return gap
        values = _values(points)
        if self.over.q is not None:
            return _cell(quantile(values, self.over.q), points)
        return _cell(_REDUCTIONS[self.over.function](values), points)

    def _sloped(self, points: list[_Point], since: datetime | None) -> Cell:
        gap = self._gap(points, self.end, since)
        if gap is not None:
            return gap
        result = slope([each.time for each in points if each.value is not None], _values(points))
        if result is None:
            return self._missing(self.end - self.window, since, f"1 sample in {self._length}, a slope needs 2")
        return _cell(result, points)

    def _changed(self, points: list[_Point], since: datetime | None) -> Cell:
        middle = self.end - self.window
        before, now = [each for each in points if each.time <= middle], [each for each in points if each.time > middle]
        gaps = (self._gap(before, middle, since, " before the last"), self._gap(now, self.end, since))
        found = [each for each in gaps if each is not None]
        if found:  # lost data is graver than a short past
            return min(found, key=lambda each: each.reason != "no_data")
        was = mean(_values(before))
        if was == 0:
            return Cell(None, reason="no_data", detail=f"the mean of the {self._length} before is 0")
        return _cell(mean(_values(now)) / was - 1, points)

    def _before(self, points: list[_Point], since: datetime | None) -> Cell:
        then = self.end - self.window
        near = [each for each in points if each.time <= then]
        known = [each for each in near if each.value is not None]
        if known:
            return _cell(_values(known)[-1], known[-1:])
        if near and near[-1].too_few:
            return Cell(None, reason="too_few", detail=f"too few rows near {_instant(then)}")
        return self._missing(then, since, f"no sample near {_instant(then)}")

    def _gap(self, points: list[_Point], stop: datetime, since: datetime | None, which: str = "") -> Cell | None:
        """Return why a window that ends at `stop` says nothing: less than half of its samples are there."""
        few = sum(each.too_few for each in points)
        there = len({round((stop - each.time) / self.every) for each in points if each.value is not None})
        expected = max(1, int(self.window / self.every * self.share))
        due = expected - few  # as in an aggregate, those with too few rows are passed over
        if there and 2 * there >= due:
            return None
        if 2 * few >= expected:
            return Cell(
                None, reason="too_few", detail=f"{few} of {expected} samples in {self._length} have too few rows"
            )
        return self._missing(stop - self.window, since, f"{there} of {due} samples in {self._length}{which}")

    def _missing(self, needed: datetime, since: datetime | None, lost: str) -> Cell:
        """Return a missing value: of a past that does not go back to `needed`, or because samples were lost."""
        if since is not None and since <= needed:
            return Cell(None, reason="no_data", detail=lost)
        known = "not known yet" if since is None else f"known since {_instant(since)}"
        return Cell(None, reason="too_few", detail=f"{known}, {format_duration(self.end - needed)} are needed")

    @property
    def _length(self) -> str:
        return format_duration(self.window)


def _span(over: Over) -> timedelta:
    return over.window * (2 if over.function == "change" else 1)


def _values(points: list[_Point]) -> list[float]:
    return [each.value for each in points if each.value is not None]


def _cell(result: float, points: list[_Point]) -> Cell:
    """Return a result with the time of the newest value it rests on, and the number of them."""
    times = [each.time for each in points if each.value is not None]
    if math.isnan(result):  # of infinities
        return Cell(None, times[-1], len(times), "error", "the values are beyond what can be computed")
    return Cell(result, times[-1], len(times))


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
