"""How an event repeats: days, weeks, months or years apart, by the wall clock. Source: RFC 5545, section 3.3.10.

Every period between the beginning and the last time asked for is looked at once, so that no rule, not even one that
never comes true, takes longer than there is time to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count as counted
from itertools import islice
from typing import Literal

Frequency = Literal["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A rule: in each `interval`th period the days that pass, of these the `positions`; `count` times, or `until`.

    Months count from 1, days of a month from 1, or backwards from -1; `weekdays` are (n, day of the week, Monday 0),
    n being 0 for each, else the nth of the month, or of the year, backwards from -1. Weeks begin at `week_start`.
    """

    every: Frequency
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    def times(self, start: datetime, since: datetime, last: datetime) -> Iterator[datetime]:
        """Yield the times from `since` up to `last` at which an event happens that began at `start`."""
        end = min(last, self.until) if self.until is not None else last
        first = start if self.count is not None else max(start, since)  # who counts begins at the beginning
        for each in islice(self._all(start, first, end), self.count):
            if each >= since:
                yield each

    def _all(self, start: datetime, first: datetime, end: datetime) -> Iterator[datetime]:
        for begin, after in self._periods(start.date(), first.date()):
            if begin > end.date():
                return
            for day in self._chosen(begin, after, start.date()):
                time = datetime.combine(day, start.time())
                if start <= time <= end:
                    yield time

    def _periods(self, start: date, first: date) -> Iterator[tuple[date, date]]:
        """Yield the beginning and end of every `interval`th period, from about `first` on."""
        if self.every in ("DAILY", "WEEKLY"):
            length = _DAY if self.every == "DAILY" else 7 * _DAY
            begin = start if self.every == "DAILY" else start - (start.weekday() - self.week_start) % 7 * _DAY
            step = length * self.interval
            for number in counted(max((first - begin) // step - 1, 0)):
                yield begin + number * step, begin + number * step + length
        size = 1 if self.every == "MONTHLY" else 12
        month = start.year * 12 + (start.month - 1 if self.every == "MONTHLY" else 0)
        gone = (first.year * 12 + first.month - 1 - month) // (size * self.interval) - 1
        for number in counted(max(gone, 0)):
            at = month + number * size * self.interval
            yield _first_of(at), _first_of(at + size)

    def _chosen(self, begin: date, after: date, start: date) -> list[date]:
        days = [begin + number * _DAY for number in range((after - begin).days)]
        passing = [day for day in days if self._passes(day, start)]
        if not self.positions:
            return passing
        size = len(passing)
        places = {each - 1 if each > 0 else size + each for each in self.positions}
        return [passing[each] for each in sorted(places) if 0 <= each < size]

    def _passes(self, day: date, start: date) -> bool:
        """Tell whether a day passes; what a rule does not say is as on the day on which the event began."""
        open_ = not self.month_days and not self.weekdays
        if self.months and day.month not in self.months:
            return False
        if open_ and self.every == "YEARLY" and not self.months and day.month != start.month:
            return False
        if open_ and self.every in ("YEARLY", "MONTHLY") and day.day != start.day:
            return False
        if open_ and self.every == "WEEKLY" and day.weekday() != start.weekday():
            return False
        if self.month_days and not self.month_days & {day.day, day.day - 1 - _last_of(day).day}:
            return False
        return not self.weekdays or any(self._nth(day, each) for each in self.weekdays)

    def _nth(self, day: date, wanted: tuple[int, int]) -> bool:
        number, weekday = wanted
        if day.weekday() != weekday or not number:
            return day.weekday() == weekday
        yearly = self.every == "YEARLY" and not self.months
        first = day.replace(month=1, day=1) if yearly else day.replace(day=1)
        last = day.replace(month=12, day=31) if yearly else _last_of(day)
        return number in ((day - first).days // 7 + 1, -((last - day).days // 7) - 1)


def _first_of(month: int) -> date:
    """Return the first day of a month, counted from the year 0."""
    return date(month // 12, month % 12 + 1, 1)


def _last_of(day: date) -> date:
    return _first_of(day.year * 12 + day.month) - _DAY
