"""The shifts ahead as a calendar (iCalendar, RFC 5545) to subscribe to; a schedule with `ical` reads it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from icalendar import Calendar, Event, vText

from governance.core.on_call import Shift, shifts
from governance.core.schedule import Schedule

HOLE = "X-GOV-HOLE"
"""Marks an event that says that nobody is on call."""
_BACK = timedelta(days=60)
"""How long after the beginning of a year the one before still counts."""
_FRESH = timedelta(hours=1)
"""How often who subscribes is asked to look again."""


def duties(schedules: Mapping[str, Schedule], start: datetime, end: datetime) -> str:
    """Return the shifts of a stretch of time, holes among them; the same shift has the same UID each time."""
    made = Calendar()
    made.add("VERSION", "2.0")
    made.add("PRODID", "-//model-governance//on-call//EN")
    made.add("X-WR-CALNAME", f"On call: {', '.join(sorted(schedules))}" if schedules else "On call")
    made.add("REFRESH-INTERVAL", _FRESH, parameters={"VALUE": "DURATION"})
    made.add("X-PUBLISHED-TTL", vText("PT1H"))
    for name, schedule in sorted(schedules.items()):
        for each in _whole(schedule, start, end):
            made.add_component(_event(name, each, start))
    return str(made.to_ical().decode())


def _whole(schedule: Schedule, start: datetime, end: datetime) -> Iterator[Shift]:
    """Yield the shifts, the first from its own beginning and the last to a midnight: so they are the same at each look.

    One that began before the year is taken to begin with it.
    """
    year = datetime((start - _BACK).astimezone(UTC).year, 1, 1, tzinfo=UTC)
    midnight = datetime.combine(end.astimezone(UTC).date(), time(), UTC)
    found = shifts(schedule, year, midnight if midnight == end else midnight + timedelta(days=1))
    yield from (each for each in found if each.end > start)


def _event(name: str, shift: Shift, at: datetime) -> Event:
    made, person = Event(), shift.duty.person
    made.add("UID", f"{shift.start.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}@on-call.model-governance")
    made.add("DTSTAMP", at.astimezone(UTC).replace(microsecond=0))
    made.add("DTSTART", shift.start.astimezone(UTC))
    made.add("DTEND", shift.end.astimezone(UTC))
    made.add("SUMMARY", f"{person} on call ({name})" if person else f"NOBODY on call ({name})")
    if person:
        made.add("DESCRIPTION", f"by {shift.duty.why}")
        made.add("TRANSP", "TRANSPARENT")  # who is on call is free for other things
    else:
        made.add(HOLE, vText("TRUE"))
    return made
