"""Why people are not told now of what they would be told otherwise: one answer for messages and for pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from governance.core.flapping import FLAPPING, damped
from governance.core.incident import Incident, IncidentChange
from governance.core.silence import Silence

Withheld = tuple[str, str]
"""Why something is withheld, and by what: the id of a silence, or FLAPPING; both are empty where nothing is."""


def withheld(incident: Incident, silences: Sequence[Silence], at: datetime) -> Withheld:
    """Return why nobody is paged for an incident now: a silence, a maintenance window, a snooze, or it flaps."""
    muted = next((each for each in silences if each.holds(at) and each.covers(incident)), None)
    if muted is not None:
        return muted.words, muted.id
    snoozed = incident.snoozed(at)
    return (snoozed, "") if snoozed else _flapping(incident, at)


def untold(change: IncidentChange, silences: Sequence[Silence], at: datetime) -> Withheld:
    """Return why a change is not told: as for pages, but a resolution gets through every silence, and info never does.

    A resolution gets through to everybody who was told of something worse than info before.
    """
    incident = change.incident
    if (incident.peak if change.kind == "resolved" else incident.severity) == "info":
        return "info is recorded, not sent", ""
    if change.kind == "resolved":
        return _flapping(incident, at)
    return withheld(incident, silences, at)


def _flapping(incident: Incident, at: datetime) -> Withheld:
    why = damped(incident, at)
    return why, FLAPPING if why else ""
