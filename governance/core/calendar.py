"""A calendar of duties: events that happen once or again and again, each the duty of one person.

Events repeat by the wall clock of their zone; what happens is worked out a year at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
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


@dataclass(frozen=True, slots=True)
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

    @property
    def longest(self) -> timedelta:
        """The length of the longest event, and a day more for the clocks."""
        return max((each.length for each in self.events), default=timedelta(0)) + _DAY

    def on_duty(self, at: datetime) -> str:
        """Return who is on duty at an instant, "" for nobody."""
        found = [each for each in _of_year(self, at.astimezone(UTC).year) if each.start <= at < each.end]
        return max(found, key=lambda each: (each.start, each.place)).person if found else ""

    def edges(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield every instant of a stretch of time at which the duty may change, and some more."""
        for year in range(start.astimezone(UTC).year, end.astimezone(UTC).year + 1):
            for each in _of_year(self, year):
                yield each.start
                yield each.end

    def people(self) -> frozenset[str]:
        """Return everybody who may come to be on duty."""
        return frozenset(each.person for each in self.events)


@lru_cache(maxsize=64)
def _of_year(calendar: Calendar, year: int) -> tuple[Stretch, ...]:
    """Return what touches a year of UTC."""
    first, after = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found = [
        stretch
        for place, event in enumerate(calendar.events)
        for stretch in _stretches(event, place, first, after)
        if stretch.start < after and stretch.end > first
    ]
    return tuple(sorted(found, key=lambda each: (each.start, each.place)))


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
