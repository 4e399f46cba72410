"""Merge two incidents that are one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from governance.core import answer
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.effect import Effect
from governance.core.incident import IncidentChange
from governance.engine import entries
from governance.engine.answering.act import Asked, Done, open_, permitted, seen, write
from governance.engine.gathering import reaching
from governance.engine.parts import Engine
from governance.engine.sealing import sealed
from governance.errors import InvalidDocument
from governance.store import effects, incidents, runs


def merge(
    engine: Engine, number: int, *, into: int, because: str, actor: Actor | str, at: datetime,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Move the findings of an incident into another one and close it; what its alerts tell later goes there too.

    :raises NotFound: when there is none of either number.
    :raises InvalidDocument: when they are the same.
    :raises Conflict: when either is closed, or the first changed since `version`.
    :raises Denied: when the actor may not act on both.
    """
    if number == into:
        raise InvalidDocument("into: an incident cannot be merged into itself")
    asked = Asked(number, "incident.merge", actor, at, version, {"into": str(into), "because": because})
    other = Asked(into, "incident.merge", actor, at)
    permitted(engine, asked)
    permitted(engine, other)
    with engine.database.transaction() as connection:
        source, target = open_(seen(connection, asked), at), open_(incidents.get(connection, into), at)
        untold = _kept_from_some(effects.of_incident(connection, number))
        closed, joined = answer.merged(source, target, str(actor), at, untold=untold)
        joined = replace(joined, incident=reaching(engine, joined.incident, {}))
        decision = write(connection, engine, asked, IncidentChange(closed, "resolved"))
        write(connection, engine, other, joined, _received(asked, joined))
        runs.move(connection, number, into)
    return Done(closed, sealed(engine, decision.id, at))


def _received(asked: Asked, joined: IncidentChange) -> Decision:
    """Return the entry of the incident that takes the findings."""
    after = joined.incident
    body = {
        **asked.body,
        "from": str(asked.number),
        "status": after.status,
        "severity": after.severity,
        "title": after.title,
        "version": after.version,
        **entries.channel(asked.actor),
    }
    identity = entries.identity("incident", str(after.id), str(after.version))
    return Decision(asked.at, "incident.joined", asked.who, entries.subject_of(after), body, identity)


def _kept_from_some(told: list[Effect]) -> bool:
    """Tell whether the newest message was kept from somebody who listens, for a while: not as it is of no weight."""
    newest = {each.notifier: each for each in sorted(told, key=lambda each: each.version) if not each.level}
    kept = [each for each in newest.values() if each.state in ("withheld", "held")]
    return any(each.message.severity != "info" for each in kept)
