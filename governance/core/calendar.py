"""A calendar of duties: events that happen once or again and again, each the duty of one person.

Events repeat by the wall clock of their zone; what happens is worked out a year at a time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from governance.core.recurrence import Recurrence

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Event:
    """The duty of a person from `start`, a time of the wall clock of `zone`, for `length`.

    By the wall clock too where `nominal`: from nine to nine is then a day, however the clocks change. `rule` repeats
    it, by the same clock; at the instants `but` and on the days
    `but_days` it does not happen.
    """

    person: str
    zone: ZoneInfo
    start: datetime
    length: timedelta
    nominal: bool = True
    rule: Recurrence | None = None
    but: frozenset[datetime] = frozenset()
    but_days: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A person's duty from `start` to `end`, instants in UTC; of those at one time the one that began last counts."""

    start: datetime
    place: int
    end: datetime
    person: str


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """Events in the order of their file; of two that begin together the one written last counts."""

    events: tuple[Event, ...]

    def on_duty(self, at: datetime) -> str:
        """Return who is on duty at an instant, "" for nobody."""
        instants, people = _of_year(self, at.astimezone(UTC).year)
        place = bisect_right(instants, at)
        return people[place - 1] if place else ""

    def edges(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield every instant of a stretch of time at which the duty may change, and some more."""
        for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
            yield from _of_year(self, year)[0]

    def people(self) -> frozenset[str]:
        """Return everybody who may come to be on duty."""
        return frozenset(each.person for each in self.events)


@lru_cache(maxsize=64)
def _of_year(calendar: Calendar, year: int) -> tuple[list[datetime], list[str]]:
    """Return the instants at which the duty changes, as far as it touches a year of UTC, and who has it from each."""
    first, after = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found = sorted(
        stretch
        for place, event in enumerate(calendar.events)
        for stretch in _stretches(event, place, first, after)
        if stretch.start < after and stretch.end > first
    )
    return _sweep(found)


def _sweep(found: list[Stretch]) -> tuple[list[datetime], list[str]]:
    """Go through stretches in the order of their beginnings, and return each change of duty."""
    instants, people = list[datetime](), list[str]()
    begun: list[tuple[float, int, datetime, str]] = []  # a heap: the one that began last is on top
    ahead = deque(found)
    for at in sorted({each for one in found for each in (one.start, one.end)}):
        while ahead and ahead[0].start <= at:
            each = ahead.popleft()
            heappush(begun, (-each.start.timestamp(), -each.place, each.end, each.person))
        while begun and begun[0][2] <= at:
            heappop(begun)
        person = begun[0][3] if begun else ""
        if not people or people[-1] != person:
            instants.append(at)
            people.append(person)
    return instants, people


def _stretches(event: Event, place: int, first: datetime, after: datetime) -> Iterator[Stretch]:
    for start in _starts(event, first.replace(tzinfo=None) - event.length - _DAY, after.replace(tzinfo=None) + _DAY):
        begins = start.replace(tzinfo=event.zone).astimezone(UTC)
        if begins in event.but or start.date() in event.but_days:
            continue
        nominal = (start + event.length).replace(tzinfo=event.zone).astimezone(UTC)
        ends = nominal if event.nominal else begins + event.length
        if ends > begins:  # an hour that the clocks skip is nobody's
            yield Stretch(begins, place, ends, event.person)


def _starts(event: Event, first: datetime, last: datetime) -> Iterator[datetime]:
    """Yield the times at which an event begins, by its wall clock."""
    if event.rule is not None:
        yield from event.rule.times(event.start, first, last)
    elif first <= event.start <= last:
        yield event.start
