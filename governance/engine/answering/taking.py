"""Take an incident, pass it on, say how bad it is, close it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from governance.core import answer
from governance.core.authority import Actor, Refused, authority
from governance.core.document import Severity
from governance.core.effect import Effect, message_of
from governance.core.incident import Incident, IncidentChange
from governance.core.responders import contact
from governance.core.suggestion import closest
from governance.engine.answering.act import Asked, Done, act, open_, permitted, seen, since
from governance.engine.escalating import escalate_now
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted, card_of
from governance.engine.sealing import sealed
from governance.engine.switching.paging import broken_by
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.ports import reaches
from governance.store import runs


def acknowledge(engine: Engine, number: int, *, actor: Actor | str, at: datetime, version: int | None = None) -> Done:
    """Take an incident; with `version`, only if nobody changed it since.

    :raises Conflict: when it is taken already, closed, or changed since that version; it names who was first.
    :raises Denied: when the actor may not.
    """
    asked = Asked(number, "incident.acknowledge", actor, at, version)
    return act(engine, asked, acknowledging(asked))


def acknowledging(asked: Asked) -> Callable[[Incident], IncidentChange]:
    """Return the change of who takes an incident."""

    def change(before: Incident) -> IncidentChange:
        if open_(before, asked.at).status in ("acknowledged", "mitigated") and before.acknowledged_by:
            lead = f"; {before.lead} leads it" if before.lead not in ("", before.acknowledged_by) else ""
            said = f"incident {before.id} was acknowledged by {before.acknowledged_by}{lead}"
            raise Conflict(f"{said} ({since(before.changed_at, asked.at)})")
        return IncidentChange(answer.acknowledged(before, asked.who, asked.at), "updated")

    return change


def resolve(
    engine: Engine, number: int, *, actor: Actor | str, because: str, at: datetime, version: int | None = None
) -> Done:
    """Close an incident by hand; findings that still fire will open a new one when they fire again.

    A run about it goes on, and is named: who closes it may not know of it.

    :raises Conflict: when it is closed already, or changed since `version`; it names who was first.
    :raises Denied: when the actor may not, or it is the review of a glass that the actor broke.
    """
    asked, firing = Asked(number, "incident.resolve", actor, at, version, {"because": because}), 0

    def change(before: Incident) -> IncidentChange:
        nonlocal firing
        firing = len(before.firing)
        return resolving(engine, asked)(before)

    done = act(engine, asked, change)
    with engine.database.read() as connection:
        going = tuple(each.id for each in runs.listed(connection, incident=number, state="open"))
    return Done(done.incident, done.entry, firing, going)


def resolving(engine: Engine, asked: Asked) -> Callable[[Incident], IncidentChange]:
    """Return the change of who closes an incident."""

    def change(before: Incident) -> IncidentChange:
        if asked.who in broken_by(open_(before, asked.at)):
            said = f"{asked.who} broke the glass; incident {before.id} is its review, which somebody else resolves"
            rule = "who broke the glass does not review it"
            raise NotPermitted(engine, asked.actor, "incident.resolve", before.model, rule, said)
        return IncidentChange(answer.resolved(before, asked.who, asked.at), "resolved")

    return change


def set_severity(
    engine: Engine, number: int, *, severity: Severity, because: str, actor: Actor | str, at: datetime,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Say how bad an incident is; it holds until something new is worse. Raising it is told, lowering it is not.

    :raises Conflict: when it is so already, closed, or changed since `version`.
    :raises Denied: when the actor may not.
    """
    asked = Asked(number, "incident.severity", actor, at, version)
    before = permitted(engine, asked).severity
    asked = replace(asked, body={"because": because, "before": before})
    return act(engine, asked, judging(asked, severity))


def judging(asked: Asked, severity: Severity) -> Callable[[Incident], IncidentChange]:
    """Return the change of who says how bad an incident is."""

    def change(before: Incident) -> IncidentChange:
        if open_(before, asked.at).severity == severity:
            raise Conflict(f"incident {before.id} is {severity} already")
        return answer.judged(before, asked.who, asked.at, severity=severity)

    return change


def hand_over(
    engine: Engine, number: int, *, to: str, because: str = "", actor: Actor | str, at: datetime,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Make another person the lead; they are told.

    :raises NotFound: when the organisation knows no such person.
    :raises InvalidDocument: when they may not work on it.
    :raises Conflict: when they lead it already, or it is closed, or changed since `version`.
    :raises Denied: when the actor may not.
    """
    asked = Asked(number, "incident.hand_over", actor, at, version, {"to": to, "because": because})
    _able(engine, to, permitted(engine, asked).model)

    def change(before: Incident) -> IncidentChange:
        if open_(before, at).lead == to:
            raise Conflict(f"{to} leads incident {number} already")
        return IncidentChange(answer.handed_over(before, str(actor), at, to=to), "updated")

    return act(engine, asked, change, lambda after: _told(engine, after, asked, because))


def escalate(
    engine: Engine, number: int, *, because: str = "", actor: Actor | str, at: datetime, version: int | None = None
) -> Done:
    """Tell the next level of the escalation now.

    :raises Conflict: when it is closed, has no escalation, was told to everybody, or changed since `version`.
    :raises Denied: when the actor may not.
    """
    asked = Asked(number, "incident.escalate", actor, at, version)
    permitted(engine, asked)
    with engine.database.read() as connection:
        open_(seen(connection, asked), at)
    incident, entry = escalate_now(engine, number, actor=actor, at=at, because=because, version=version)
    return Done(incident, sealed(engine, entry, at))


def _told(engine: Engine, incident: Incident, asked: Asked, because: str) -> tuple[Effect, ...]:
    """Return what the new lead is told, by every notifier that reaches people; who takes it alone knows."""
    if incident.lead == asked.who or incident.lead not in engine.organisation.people:
        return ()
    to = (contact(incident.lead, engine.organisation),)
    said = f"{asked.who} handed it over to {incident.lead}"
    message = message_of(incident, "handover", (f"{said}: {because}" if because else f"{said}.",), asked.at)
    return tuple(
        Effect(
            f"{incident.id}-{incident.version}-{name}-lead", incident.id, incident.version, name, message,
            next_at=asked.at, to=to, rule=said,
        )
        for name, each in engine.notifiers.items()
        if "people" in reaches(each)
    )  # fmt: skip


def _able(engine: Engine, person: str, model: str) -> None:
    people = engine.organisation.people
    if people and person not in people:
        raise NotFound(f"no person '{person}'; {closest(person, people) or 'org.yaml names them under people'}")
    found = authority(person, "incident.acknowledge", card_of(engine, model), engine.organisation)
    if isinstance(found, Refused):
        raise InvalidDocument(f"to: {found}")
