"""Is somebody on call at every instant of the next two weeks?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from governance.core.duration import in_words
from governance.core.on_call import Shift, shifts
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation

AHEAD = timedelta(days=14)


def check(here: Installation) -> Iterator[Finding]:
    """Say of each schedule where it has nobody."""
    known = here.organisation.schedules
    if not known:
        yield open_("oncall", "schedules", "none says who is on call", "write one in org.yaml (docs/on-call.md)")
    for name, schedule in sorted(known.items()):
        ahead = shifts(schedule, here.at, here.at + AHEAD)
        holes = [each for each in ahead if not each.duty.person]
        if holes:
            yield wrong(
                "oncall", name, _said(holes, ZoneInfo(schedule.zone)), f"fill them; gov oncall {name} --for 14d"
            )
        else:
            people = len({each.duty.person for each in ahead})
            yield well("oncall", name, f"somebody at every instant of {AHEAD.days} days: {people} people")


def _said(holes: list[Shift], zone: ZoneInfo) -> str:
    first = holes[0]
    lost = sum(((each.end - each.start) for each in holes), timedelta(0))
    span = f"{first.start.astimezone(zone):%a %m-%d %H:%M} – {first.end.astimezone(zone):%a %m-%d %H:%M %Z}"
    return f"nobody for {in_words(lost)} of 14 days in {len(holes)} holes, the first {span}"
