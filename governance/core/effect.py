"""What a change makes happen in the world: notifications, committed first and delivered afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.document import Severity
from governance.core.incident import Finding, Incident, IncidentChange
from governance.core.metric import Labels
from governance.core.quiet import untold
from governance.core.silence import Silence

Reason = Literal[
    "first", "new_findings", "worsened", "reopened", "resolved", "escalated", "reminder", "handover", "acknowledged",
    "notice",
]  # fmt: skip
"""Why somebody is told; `escalated`, `reminder` and `handover` come from escalation and the schedules, `notice` from a
step of a runbook."""
EffectState = Literal["due", "held", "waiting", "sent", "failed", "withheld", "folded"]
"""`held`: decided by a late cycle, and told only if it is still true when the engine has caught up. `waiting`: one of
many, until it is known what is told in one message; `folded`: told by the message of another incident."""

FIRST_RETRY = timedelta(seconds=10)
LAST_RETRY = timedelta(minutes=30)
MOST_LINES = 20
"""How many findings, and how many models, one message names."""
MAX_ATTEMPTS = 350
"""A week of tries at the slowest pace: a page is not given up because a pager was down for an hour."""
MAX_REFUSALS = 8
"""Twenty minutes of tries: who is reached and says no will say so again, until somebody mends what we send or where."""
LONGEST_WAIT = timedelta(hours=1)
"""How long the other side may ask us to wait."""

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
    """What a person is told; plain values that any notifier can lay out.

    `also` are those lines of `findings` that tell of other incidents, where one message stands for many.
    """

    incident: int
    model: str
    severity: Severity
    status: str
    title: str
    reason: Reason
    findings: tuple[str, ...]
    proposals: tuple[str, ...]
    at: datetime
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to be reached: their id in the organisation, their address, their id in Slack; "" where unknown."""

    person: str
    email: str = ""
    slack: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """One delivery to one notifier; `key` is the same for every attempt, so that the receiver can drop repeats.

    `version` is that of the incident it tells of: a notifier hears of an incident in this order. `silence` is the id of
    the silence that withheld it. `to` are the people whom it is for; nobody in it means whoever is at the notifier's
    place. A page is one with a `level`, counted from 1; `rule` says in words what made it so. An effect of incident 0
    is about none: a notice of a hand-over, or of a run, which may name its `place` at the notifier, such as a channel.
    One without notifier is a page that found nobody.
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
    refusals: int = 0
    to: tuple[Contact, ...] = ()
    level: int = 0
    rule: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a notifier answered: delivered or not, and its own words.

    `refused`: it was reached and will not take this, however often it is asked. `wait`: for how long it asked to be
    left alone, with everything.
    """

    delivered: bool
    detail: str = ""
    refused: bool = False
    wait: timedelta | None = None


def respond(
    change: IncidentChange,
    notifiers: Sequence[str],
    proposals: Sequence[str],
    at: datetime,
    *,
    late: bool = False,
    silences: Sequence[Silence] = (),
) -> tuple[Effect, ...]:
    """Return the notifications of a change: warning and critical are told to these notifiers, info only recorded.

    What one of the `silences` covers is told to nobody, but for a resolution; nor is what flaps.

    What is not sent is an effect too, withheld with its reason, so that "why was I not told?" has an answer.
    """
    reason = _REASONS.get(change.kind)
    if reason is None:
        return ()
    incident = change.incident
    withheld, silence = untold(change, silences, at)
    message = message_of(incident, reason, tuple(proposals), at)
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
            silence=silence,
        )
        for notifier in notifiers
    )


def attempted(effect: Effect, receipt: Receipt, at: datetime) -> Effect:
    """Return the effect after a try: sent, to be tried again later, or given up.

    What is refused is given up long before what does not arrive.
    """
    attempts, refusals = effect.attempts + 1, effect.refusals + receipt.refused
    tried = replace(effect, attempts=attempts, refusals=refusals, receipt=receipt.detail)
    if receipt.delivered:
        return replace(tried, state="sent", next_at=None)
    if attempts >= MAX_ATTEMPTS or refusals >= MAX_REFUSALS:
        return replace(tried, state="failed", next_at=None)
    wait = min(receipt.wait, LONGEST_WAIT) if receipt.wait is not None else timedelta()
    return replace(tried, next_at=max(retry_at(attempts, at), at + wait))


def retry_at(attempts: int, at: datetime) -> datetime:
    """Return when a failed delivery is tried again: ten seconds, doubled each time, at most half an hour."""
    doubled: timedelta = FIRST_RETRY * 2 ** min(max(attempts - 1, 0), 10)
    return at + min(doubled, LAST_RETRY)


def message_of(incident: Incident, reason: Reason, proposals: tuple[str, ...], at: datetime) -> Message:
    """Return what people are told of an incident."""
    shown = incident.firing or incident.findings
    lines = _few([_line(each, incident.model) for each in shown], "findings")
    if incident.affects:
        lines = (*lines, f"models that it reached: {'; '.join(_few([each.words for each in incident.affects]))}")
    title = f"{incident.title} – {incident.ending}" if reason == "resolved" and incident.ending else incident.title
    return Message(incident.id, incident.model, incident.severity, incident.status, title, reason, lines, proposals, at)


def _few(lines: Sequence[str], noun: str = "") -> tuple[str, ...]:
    """Return the first lines, and how many there are beside them."""
    more = len(lines) - MOST_LINES
    return tuple(lines) if more <= 0 else (*lines[:MOST_LINES], f"and {more} more {noun}".rstrip())


def _line(finding: Finding, model: str) -> str:
    labels, summary = finding.key.labels, finding.summary
    firm = f" ({finding.basis})" if finding.basis else ""
    whose = f"{finding.key.model}: " if finding.key.model != model else ""
    shown = "" if labels and any(value in summary for _, value in labels) else _set(labels)
    return f"{whose}{summary}{shown}{firm}"


def _set(labels: Labels) -> str:
    return " {" + ", ".join(f"{name}={value}" for name, value in labels) + "}" if labels else ""
