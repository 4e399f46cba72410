"""One schedule as lines: who is on call, until when, who follows, and the shifts ahead."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from governance.views.on_call import OnCallView, ShiftView
from tui.known import span
from tui.text import safe

SHOWN = 8
"""Shifts that are listed; holes are, however far ahead."""
HOLE = "[b $error]✗ NOBODY[/]"


def drawn(view: OnCallView, at: datetime, me: str) -> str:
    """Return a schedule as markup, as of an instant; the shifts of `me` are marked."""
    following = [each for each in view.shifts if each.start > at]
    person, until, why = _now(view, at)
    after = following[0].person if following else view.following
    head = f"[b]{safe(view.schedule)}[/]  {_who(person, me)}  {_until(until, at, view.zone)}"
    head += f"  then {_who(after, me)}" if until is not None else ""
    head += f"  [$muted]{safe(why)}[/]" if why else ""
    if following:  # where the list ends, the last shift does not
        following[-1] = following[-1].model_copy(update={"until": None})
    return "\n".join([head, *_listed(following, view.zone, me)])


def _now(view: OnCallView, at: datetime) -> tuple[str | None, datetime | None, str]:
    """Return who is on call by now, until when and why: a hand-over may have passed since the view was fetched."""
    for each in view.shifts[:-1]:
        if each.until is not None and each.start <= at < each.until:
            return each.person, each.until, each.why
    last = view.shifts[-1] if view.shifts else None
    if last is None or last.start <= view.at:
        return view.person, view.until, view.why
    return last.person, None, last.why


def _listed(shifts: list[ShiftView], zone: str, me: str) -> list[str]:
    """Return a line for each of the next shifts, and for each hole behind them."""
    near, far = shifts[:SHOWN], [each for each in shifts[SHOWN:] if each.person is None]
    lines = [_line(each, zone, me) for each in [*near, *islice(far, SHOWN)]]
    rest = len(shifts) - len(lines)
    if far:  # what lies between is not listed, so it must not read on
        lines.insert(len(near), f"  [$error]later holes[/] [$muted]({len(far)} within the time shown)[/]")
    return [*lines, f"  [$muted]and {rest} more within the time shown[/]"] if rest else lines


def _line(shift: ShiftView, zone: str, me: str) -> str:
    return f"  [$muted]{_local(shift.start, zone)}[/] – {_local(shift.until, zone)}  {_who(shift.person, me)}"


def _who(person: str | None, me: str) -> str:
    if person is None:
        return HOLE
    return f"[b $success]{safe(person)} (you)[/]" if person == me else safe(person)


def _until(until: datetime | None, at: datetime, zone: str) -> str:
    return (
        f"until {_local(until, zone)} [$muted](in {span(at, until)})[/]" if until is not None else "[$muted]no end[/]"
    )


def _local(at: datetime | None, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%a %m-%d %H:%M %Z}" if at is not None else "…"
