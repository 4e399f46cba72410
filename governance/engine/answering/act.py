"""What all acts on an incident share: may they, is it still as they saw it, and one transaction with its entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Act, Actor
from governance.core.decision import Decision
from governance.core.duration import ago
from governance.core.effect import Effect, respond
from governance.core.incident import Incident, IncidentChange
from governance.engine import entries
from governance.engine.hearing import acknowledgement
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.sealing import sealed
from governance.errors import Conflict
from governance.store import decision_log, effects, incidents, silences

if TYPE_CHECKING:
    from sqlalchemy import Connection

KINDS: Mapping[Act, str] = {
    "incident.acknowledge": "incident.acknowledged",
    "incident.resolve": "incident.resolved",
    "incident.note": "incident.noted",
    "incident.snooze": "incident.snoozed",
    "incident.severity": "incident.severity_set",
    "incident.hand_over": "incident.handed_over",
    "incident.escalate": "incident.escalated",
    "incident.merge": "incident.merged",
    "incident.link": "incident.linked",
}
"""The entry of each act."""


@dataclass(frozen=True, slots=True)
class Done:
    """The incident after an act, and the number of the sealed entry that proves it.

    `still_firing` findings of a closed incident tell nobody again until they have cleared and fire anew; of one that
    was closed by hand, `under_way` are the runs about it that go on.
    """

    incident: Incident
    entry: int
    still_firing: int = 0
    under_way: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which act on which incident, as they saw it at `version` (None: however it is)."""

    number: int
    act: Act
    actor: Actor | str
    at: datetime
    version: int | None = None
    body: Mapping[str, object] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """Under which id the log knows who acts."""
        return str(self.actor)

    def decision(self, incident: Incident, *, told: bool = True) -> Decision:
        """Return the entry; one that changes nothing of the incident (not `told`) is known by what it says."""
        state = {"status": incident.status, "severity": incident.severity, "title": incident.title}
        body = {**self.body, **state, "version": incident.version, **entries.channel(self.actor)}
        identity = entries.identity("incident", str(incident.id), str(incident.version)) if told else ""
        return Decision(self.at, KINDS[self.act], self.who, entries.subject_of(incident), body, identity)


def act(
    engine: Engine,
    asked: Asked,
    change: Callable[[Incident], IncidentChange],
    also: Callable[[Incident], Sequence[Effect]] = lambda _: (),
) -> Done:
    """Change an incident as its latest version allows, and tell who listens what of it is news; `also` tells others.

    :raises Conflict: when it is not as it was seen; it names who was first.
    :raises Denied: when the actor may not.
    """
    permitted(engine, asked)
    with engine.database.transaction() as connection:
        after, decision = acted(connection, engine, asked, change, also)
    return Done(after, sealed(engine, decision.id, asked.at))


def acted(
    connection: Connection,
    engine: Engine,
    asked: Asked,
    change: Callable[[Incident], IncidentChange],
    also: Callable[[Incident], Sequence[Effect]] = lambda _: (),
) -> tuple[Incident, Decision]:
    """Change an incident in the caller's transaction, for who may; it raises what `act` raises but for that."""
    after = change(seen(connection, asked))
    decision = write(connection, engine, asked, after)
    effects.add(connection, also(after.incident))
    return after.incident, decision


def permitted(engine: Engine, asked: Asked) -> Incident:
    """Return the incident as it is now to whoever may act on it; nothing is locked yet.

    :raises NotFound: when there is none of that number.
    :raises Denied: when the actor may not.
    """
    with engine.database.read() as connection:
        found = incidents.get(connection, asked.number)
    permit(engine, asked.actor, asked.act, found.model)
    return found


def seen(connection: Connection, asked: Asked) -> Incident:
    """Return the incident, if it still is as it was seen.

    :raises Conflict: when it is not; it names who was first, and how long ago that was.
    """
    found = incidents.get(connection, asked.number)
    if asked.version is not None and asked.version != found.version:
        said = f"incident {found.id} has changed since version {asked.version}"
        raise Conflict(
            f"{said}: it is {_last(found)} since {since(found.changed_at, asked.at)}, version {found.version}"
        )
    return found


def open_(incident: Incident, at: datetime) -> Incident:
    """Return an incident on which people work.

    :raises Conflict: when it is resolved or merged; it names who was first.
    """
    if incident.status != "resolved":
        return incident
    when = since(incident.resolved_at or incident.changed_at, at)
    if incident.merged_into is not None:
        into = f"INC-{incident.merged_into}"
        raise Conflict(f"incident {incident.id} was merged into {into} by {incident.resolved_by} at {when}; see {into}")
    raise Conflict(f"incident {incident.id} was resolved by {incident.resolved_by} at {when}")


def write(
    connection: Connection, engine: Engine, asked: Asked, change: IncidentChange, decision: Decision | None = None
) -> Decision:
    """Write a changed incident, what people are told of it, and its entry."""
    incidents.save(connection, change.incident)
    muted = silences.holding(connection, asked.at)
    told = respond(change, engine.places_for(change.incident.model), (), asked.at, silences=muted)
    also = acknowledgement(connection, engine, change.incident, asked.at) if asked.act == "incident.acknowledge" else []
    effects.add(connection, [*told, *also])
    entry = decision or asked.decision(change.incident)
    withheld = [entries.of_delivery(each, asked.at) for each in told if each.state == "withheld"]
    decision_log.append(connection, [entry, *withheld])
    return entry


def since(then: datetime, at: datetime) -> str:
    """Return an instant, and how long ago it was."""
    return f"{then:%Y-%m-%d %H:%M} UTC ({ago(then, at)})"


def _last(incident: Incident) -> str:
    """Say what became of it, for whom lost the race."""
    if incident.last:
        return incident.last
    if incident.status == "resolved":
        return f"resolved by {incident.resolved_by}"
    if incident.status == "acknowledged":
        return f"acknowledged by {incident.acknowledged_by}"
    return "mitigated by a kill switch" if incident.status == "mitigated" else f"{incident.status}, {incident.severity}"
