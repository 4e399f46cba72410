"""Flapping: an incident that comes and goes is told ever more rarely; its record misses nothing.

From the third time within six hours that something fires again, one message is followed by a stretch of quiet, twice as
long each time. Its end tells how things stand.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.duration import format_duration
from governance.core.incident import Incident, IncidentChange, worse

FLAPPING = "flapping"
"""What withholds a notification of an incident that flaps, where a silence would have its id."""
AFTER = 3
WINDOW = timedelta(hours=6)
FIRST = timedelta(minutes=15)
LONGEST = timedelta(hours=4)


def damp(before: Incident | None, change: IncidentChange, at: datetime) -> IncidentChange:
    """Count a change that repeats what was told before; where there are too many, what follows is quiet for a while.

    What is worse than anything that was told before is told at any time, and begins the quiet anew.
    """
    if before is None or before.id != change.incident.id:
        return change
    incident = change.incident
    if not _repeats(before, change):
        news = damped(incident, at) and (change.kind == "worsened" or worse(incident.severity, before.peak))
        return replace(change, incident=replace(incident, damped_from=at)) if news else change
    flips = (*(each for each in before.flips if at - WINDOW < each <= at), at)
    counted = replace(incident, flips=flips)
    told = not damped(incident, at) or worse(incident.severity, before.peak)
    if told and len(flips) >= AFTER:
        counted = replace(counted, damped_from=at, damped_until=at + quiet(len(flips)))
    return replace(change, incident=counted)


def damped(incident: Incident, at: datetime) -> str:
    """Return why people are not told of an incident that flaps, "" when they are; a person's act is always told."""
    begun, until = incident.damped_from, incident.damped_until
    if begun is None or until is None or not begun < at < until:
        return ""
    if incident.status == "resolved" and incident.resolved_by != "engine":
        return ""
    times = f"fired again {len(incident.flips)} times within {format_duration(WINDOW)}"
    return f"flapping ({times}): how it stands is told at {until:%Y-%m-%d %H:%M} UTC"


def quiet(times: int) -> timedelta:
    """Return how long nothing is told after something fired again for the `times`-th time."""
    doubled: timedelta = FIRST * 2 ** min(max(times - AFTER, 0), 10)
    return min(doubled, LONGEST)


def _repeats(before: Incident, change: IncidentChange) -> bool:
    """Tell whether a change says again what was said before: it re-opens, or only known findings fire again."""
    if change.kind == "reopened":
        return True
    if change.kind not in ("new_findings", "worsened"):
        return False
    known = {each.key: each.times for each in before.findings}
    fired = [each for each in change.incident.findings if each.times != known.get(each.key)]
    return bool(fired) and all(each.key in known for each in fired)
