"""Who is on call, as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from governance.core.on_call import Shift, on_call, shifts
from governance.core.schedule import Schedule
from governance.views.view import View

AHEAD = timedelta(days=400)
"""How far the end of a shift is looked for; one that ends later is shown without an end."""
_NEAR = (timedelta(days=15), AHEAD)
"""Most shifts end soon: the year is only gone through where one does not."""


class ShiftView(View):
    """A stretch of time with one person on call, or a hole; `until` is None when it ends in over a year.

    `why` is "override" or the layer, such as "layer 1".
    """

    person: str | None
    start: datetime
    until: datetime | None
    why: str = ""


class OnCallView(View):
    """Who is on call by one schedule at `at`, until when, and who follows."""

    schedule: str
    zone: str
    at: datetime
    person: str | None
    why: str
    until: datetime | None
    following: str | None
    shifts: list[ShiftView]


def on_call_views(schedules: Mapping[str, Schedule], at: datetime, until: datetime | None = None) -> list[OnCallView]:
    """Return who is on call by each schedule; with `until` the shifts from `at` to then, holes included."""
    return [_view(name, schedule, at, until) for name, schedule in sorted(schedules.items())]


def _view(name: str, schedule: Schedule, at: datetime, until: datetime | None) -> OnCallView:
    ahead = _ahead(schedule, at)
    duty = on_call(schedule, at)
    after = ahead[1].duty.person if len(ahead) > 1 else ""
    listed = shifts(schedule, at, until) if until is not None and until > at else ()
    return OnCallView(
        schedule=name,
        zone=schedule.zone,
        at=at,
        person=duty.person or None,
        why=duty.why,
        until=ahead[0].end if len(ahead) > 1 else None,
        following=after or None,
        shifts=[_shift(each) for each in listed],
    )


def _ahead(schedule: Schedule, at: datetime) -> tuple[Shift, ...]:
    """Return the shift at an instant and, where it ends within AHEAD, what follows."""
    found: tuple[Shift, ...] = ()
    for length in _NEAR:
        found = shifts(schedule, at, at + length)
        if len(found) > 1:
            break
    return found


def _shift(shift: Shift) -> ShiftView:
    return ShiftView(person=shift.duty.person or None, start=shift.start, until=shift.end, why=shift.duty.why)
