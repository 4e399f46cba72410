"""Who is on call at an instant, and the shifts of a stretch of time, through hand-overs and changes of the clocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from governance.core.schedule import WEEKDAYS, Layer, Schedule
from governance.core.wall_clock import DAY, instant_of, minutes_of


@dataclass(frozen=True, slots=True)
class Duty:
    """Who is on call, "" when nobody is, and why: `override`, `calendar`, or the layer counted from 1."""

    person: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A stretch of time [start, end) with one duty; `duty.person` is "" for a hole."""

    start: datetime
    end: datetime
    duty: Duty


NOBODY = Duty("")
CALENDAR = "calendar"


def on_call(schedule: Schedule, at: datetime) -> Duty:
    """Return who is on call at an instant: the override defined last, or the last layer that has somebody."""
    for override in reversed(schedule.overrides):
        if schedule.instant(override.from_) <= at < schedule.instant(override.until):
            return Duty(override.person, "override")
    if schedule.calendar is not None:
        person = schedule.calendar.on_duty(at)
        return Duty(person, CALENDAR) if person else NOBODY
    zone = ZoneInfo(schedule.zone)
    for number, layer in reversed(list(enumerate(schedule.layers, start=1))):
        person = _turn(layer, at, zone) if _open(layer, at, zone) else ""
        if person:
            return Duty(person, f"layer {number}")
    return NOBODY


def shifts(schedule: Schedule, start: datetime, end: datetime) -> tuple[Shift, ...]:
    """Return the shifts of [start, end) one after the other, without a gap: where nobody is on call stands a hole."""
    edges = sorted({start, *(each for each in _edges(schedule, start, end) if start < each < end)})
    found: list[Shift] = []
    for one, other in zip(edges, [*edges[1:], end], strict=True):
        duty = on_call(schedule, one)
        if found and found[-1].duty == duty:
            found[-1] = Shift(found[-1].start, other, duty)
        else:
            found.append(Shift(one, other, duty))
    return tuple(found)


def _turn(layer: Layer, at: datetime, zone: ZoneInfo) -> str:
    """Return whose turn it is, "" before the first hand-over."""
    number = (at.astimezone(zone).date() - layer.first) // layer.rotate
    if at < _handover(layer, number, zone):
        number -= 1
    return layer.people[number % len(layer.people)] if number >= 0 else ""


def _handover(layer: Layer, number: int, zone: ZoneInfo) -> datetime:
    return instant_of(layer.first + number * layer.rotate, layer.minute, zone)


def _open(layer: Layer, at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether an instant lies in the hours and days of a layer; hours over midnight belong to the day before."""
    today = at.astimezone(zone).date()
    return any(_begins(layer, day) and _within(layer, day, at, zone) for day in (today - DAY, today))


def _begins(layer: Layer, day: date) -> bool:
    return WEEKDAYS[day.weekday()] in layer.days


def _within(layer: Layer, day: date, at: datetime, zone: ZoneInfo) -> bool:
    opening, closing = _hours(layer, day, zone)
    return opening <= at < closing


def _hours(layer: Layer, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    opening, closing = minutes_of(layer.hours or "00:00-24:00")
    return instant_of(day, opening, zone), instant_of(day, closing, zone)


def _edges(schedule: Schedule, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield every instant at which the duty may change, and some more."""
    for override in schedule.overrides:
        yield schedule.instant(override.from_).astimezone(UTC)
        yield schedule.instant(override.until).astimezone(UTC)
    if schedule.calendar is not None:
        yield from schedule.calendar.edges(start, end)
    zone = ZoneInfo(schedule.zone)
    first, last = start.astimezone(zone).date() - DAY, end.astimezone(zone).date() + DAY
    for layer in schedule.layers:
        narrowed = layer.hours is not None or layer.days != WEEKDAYS
        for number in range((last - first).days + 1):
            day = first + number * DAY
            if narrowed:
                yield from _hours(layer, day, zone)
            if day >= layer.first and not (day - layer.first) % layer.rotate:
                yield instant_of(day, layer.minute, zone)
