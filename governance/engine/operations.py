"""What people do; each act is a pure change, one transaction, and an entry whose receipt they get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from governance.core import incident as core
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.effect import respond
from governance.core.incident import Incident, IncidentChange
from governance.core.waiver import Waiver
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted, permit
from governance.engine.sealing import sealed
from governance.engine.switching.paging import broken_by
from governance.errors import Conflict, NotFound
from governance.store import decision_log, effects, incidents, waivers

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ENTRIES = {"incident.acknowledge": "incident.acknowledged", "incident.resolve": "incident.resolved"}


@dataclass(frozen=True, slots=True)
class Done:
    """The incident after an act, and the number of the sealed entry that proves it.

    `still_firing` findings of a closed incident tell nobody again until they have cleared and fire anew.
    """

    incident: Incident
    entry: int
    still_firing: int = 0


def acknowledge(engine: Engine, number: int, *, actor: Actor | str, at: datetime, version: int | None = None) -> Done:
    """Take an incident; with `version`, only if nobody changed it since.

    :raises Conflict: when it is taken already, closed, or changed since that version; it names who was first.
    :raises Denied: when the actor may not.
    """

    def change(before: Incident) -> Incident:
        if before.status == "resolved":
            raise Conflict(f"incident {number} was resolved by {before.resolved_by} at {_time(before.resolved_at)}")
        if before.status in ("acknowledged", "mitigated") and before.acknowledged_by:
            since = _time(before.changed_at)
            raise Conflict(f"incident {number} was acknowledged by {before.acknowledged_by} ({since})")
        return core.acknowledged(before, str(actor), at)

    return _act(engine, number, "incident.acknowledge", change, actor=actor, at=at, body={}, version=version)


def resolve(
    engine: Engine, number: int, *, actor: Actor | str, because: str, at: datetime, version: int | None = None
) -> Done:
    """Close an incident by hand; findings that still fire will open a new one when they fire again.

    :raises Conflict: when it is closed already, or changed since `version`; it names who was first.
    :raises Denied: when the actor may not, or it is the review of a glass that the actor broke.
    """

    def change(before: Incident) -> Incident:
        if before.status == "resolved":
            raise Conflict(f"incident {number} was resolved by {before.resolved_by} at {_time(before.resolved_at)}")
        if str(actor) in broken_by(before):
            said = f"{actor} broke the glass; incident {number} is its review, which somebody else resolves"
            raise NotPermitted(
                engine, actor, "incident.resolve", before.model, "who broke the glass does not review it", said
            )
        return core.resolved(before, str(actor), at)

    return _act(
        engine, number, "incident.resolve", change, actor=actor, at=at, body={"because": because}, version=version
    )


def waive(engine: Engine, waiver: Waiver, *, at: datetime) -> int:
    """Put an approved waiver in force and return the number of its entry.

    :raises Denied: when the requester approves it, or either may not.
    :raises NotFound: when the model has no such rule.
    """
    with engine.database.transaction() as connection:
        entry = put_in_force(engine, connection, waiver, at)
    return sealed(engine, entry.id, at)


def put_in_force(engine: Engine, connection: Connection, waiver: Waiver, at: datetime) -> Decision:
    """Write an approved waiver and its entry within a transaction; raises as `waive` does."""
    permit(engine, waiver.requested_by, "waiver.request", waiver.model)
    permit(engine, waiver.approved_by, "waiver.approve", waiver.model)
    if waiver.requested_by == waiver.approved_by:
        said = f"{waiver.requested_by} asked for this waiver; somebody else must approve it"
        raise NotPermitted(
            engine, waiver.approved_by, "waiver.approve", waiver.model, "who asked does not approve", said
        )
    policy = engine.plan.by_model.get(waiver.model)
    if policy is None or waiver.rule not in {each.rule.id for each in policy.rules}:
        raise NotFound(f"no rule '{waiver.rule}' holds for '{waiver.model}'")
    subject = {"model": waiver.model, "rule": waiver.rule, "labels": entries.labels_text(waiver.labels)}
    body = {"because": waiver.because, "requested_by": waiver.requested_by, "until": waiver.until}
    waivers.add(connection, replace(waiver, since=at))
    entry = Decision(at, "waiver.approved", waiver.approved_by, subject, body, entries.identity("waiver", waiver.id))
    decision_log.append(connection, [entry])
    return entry


def _act(
    engine: Engine,
    number: int,
    asked: Literal["incident.acknowledge", "incident.resolve"],
    change: Callable[[Incident], Incident],
    *,
    actor: Actor | str,
    at: datetime,
    body: dict[str, object],
    version: int | None,
) -> Done:
    with engine.database.read() as connection:
        model = incidents.get(connection, number).model
    permit(engine, actor, asked, model)
    kind = _ENTRIES[asked]
    with engine.database.transaction() as connection:
        before = incidents.get(connection, number)
        if version is not None and version != before.version:
            raise Conflict(f"incident {number} has changed since version {version}: {_last_change(before)}")
        after = change(before)
        incidents.save(connection, after)
        if asked == "incident.resolve":
            told = respond(IncidentChange(after, "resolved"), engine.places, (), at)
            effects.add(connection, told)
        identity = entries.identity("incident", str(number), str(after.version))
        details = {**body, "status": after.status, "severity": after.severity, "title": after.title}
        decision = Decision(at, kind, str(actor), entries.subject_of(after), details, identity)
        decision_log.append(connection, [decision])
    still_firing = len(before.firing) if asked == "incident.resolve" else 0
    return Done(after, sealed(engine, identity, at), still_firing)


def _last_change(incident: Incident) -> str:
    """Say who was first, for whom lost the race."""
    if incident.status == "resolved":
        said = f"resolved by {incident.resolved_by}"
    elif incident.status == "acknowledged":
        said = f"acknowledged by {incident.acknowledged_by}"
    elif incident.status == "mitigated":
        said = "mitigated by a kill switch"
    else:
        said = f"{incident.status}, {incident.severity}"
    return f"it is {said} since {_time(incident.changed_at)}, version {incident.version}"


def _time(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "an unknown time"
