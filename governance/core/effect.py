"""What a change makes happen in the world: notifications, committed first and delivered afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from governance.core.document import Severity
from governance.core.incident import Incident, IncidentChange
from governance.core.metric import Labels
from governance.core.silence import Silence

Reason = Literal["first", "new_findings", "worsened", "reopened", "resolved", "escalated", "reminder", "handover"]
"""Why somebody is told; `escalated`, `reminder` and `handover` come from escalation and the schedules."""
EffectState = Literal["due", "held", "sent", "failed", "withheld"]
"""`held`: decided by a late cycle, and told only if it is still true when the engine has caught up."""

FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(minutes=30)
MAX_ATTEMPTS = 350
"""A week of tries at the slowest pace: a page is not given up because a pager was down for an hour."""

_REASONS: Mapping[str, Reason] = {
    "opened": "first",
    "new_findings": "new_findings",
    "worsened": "worsened",
    "reopened": "reopened",
    "resolved": "resolved",
    "woken": "reminder",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a person is told; plain values that any notifier can lay out."""

    incident: int
    model: str
    severity: Severity
    status: str
    title: str
    reason: Reason
    findings: tuple[str, ...]
    proposals: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Effect:
    """One delivery to one notifier; `key` is the same for every attempt, so that the receiver can drop repeats.

    `version` is that of the incident it tells of: a notifier hears of an incident in this order. `silence` is the id of
    the silence that withheld it.
    """

    key: str
    incident: int
    version: int
    notifier: str
    message: Message
    state: EffectState = "due"
    attempts: int = 0
    next_at: datetime | None = None
    receipt: str = ""
    silence: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a notifier answered: delivered or not, and its own words."""

    delivered: bool
    detail: str = ""


def respond(
    change: IncidentChange,
    notifiers: Sequence[str],
    proposals: Sequence[str],
    at: datetime,
    *,
    late: bool = False,
    silences: Sequence[Silence] = (),
) -> tuple[Effect, ...]:
    """Return the notifications of a change: warning and critical are told to every notifier, info only recorded.

    What one of the `silences` covers is told to nobody, but for a resolution.

    What is not sent is an effect too, withheld with its reason, so that "why was I not told?" has an answer.
    """
    reason = _REASONS.get(change.kind)
    if reason is None:
        return ()
    incident = change.incident
    # A resolution gets through to everybody who was told of something worse than info before.
    minor = (incident.peak if change.kind == "resolved" else incident.severity) == "info"
    muted = None if change.kind == "resolved" else next((each for each in silences if each.covers(incident)), None)
    snoozed = "" if change.kind == "resolved" else incident.snoozed(at)
    withheld = "info is recorded, not sent" if minor else muted.words if muted is not None else snoozed
    message = _message(incident, reason, tuple(proposals), at)
    return tuple(
        Effect(
            key=f"{incident.id}-{incident.version}-{notifier}",
            incident=incident.id,
            version=incident.version,
            notifier=notifier,
            message=message,
            state="withheld" if withheld else "held" if late else "due",
            next_at=None if withheld or late else at,
            receipt=withheld,
            silence=muted.id if muted is not None and not minor else "",
        )
        for notifier in notifiers
    )


def retry_at(attempts: int, at: datetime) -> datetime:
    """Return when a failed delivery is tried again: ten seconds, doubled each time, at most half an hour."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 10)
    return at + min(doubled, LAST_RETRY)


def _message(incident: Incident, reason: Reason, proposals: tuple[str, ...], at: datetime) -> Message:
    shown = incident.firing or incident.findings
    lines = tuple(_line(each.summary, each.key.labels, each.basis) for each in shown)
    title = f"{incident.title} – {incident.ending}" if reason == "resolved" and incident.ending else incident.title
    return Message(incident.id, incident.model, incident.severity, incident.status, title, reason, lines, proposals, at)


def _line(summary: str, labels: Labels, basis: str) -> str:
    firm = f" ({basis})" if basis else ""
    return (
        f"{summary}{firm}"
        if labels and any(value in summary for _, value in labels)
        else f"{summary}{_set(labels)}{firm}"
    )


def _set(labels: Labels) -> str:
    return " {" + ", ".join(f"{name}={value}" for name, value in labels) + "}" if labels else ""
