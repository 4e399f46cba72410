"""Let nobody hear of an incident for a while; at the end of it, say so."""

from __future__ import annotations

from datetime import datetime

from governance.core import answer
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.incident import Incident, IncidentChange
from governance.engine import entries
from governance.engine.answering.act import Asked, Done, act, open_
from governance.engine.parts import Engine
from governance.errors import InvalidDocument
from governance.store import decision_log, incidents


def snooze(
    engine: Engine, number: int, *, until: datetime, because: str, actor: Actor | str, at: datetime,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Let nobody hear of an incident until an instant, unless it becomes worse or is resolved.

    :raises InvalidDocument: when it would not end after now and within a week.
    :raises Conflict: when it is closed, or changed since `version`.
    :raises Denied: when the actor may not.
    """
    if not at < until <= at + answer.LONGEST_SNOOZE:
        most = answer.LONGEST_SNOOZE.days
        raise InvalidDocument(f"until: a snooze ends after now, {at:%Y-%m-%dT%H:%M}Z, and within {most} days")

    def change(before: Incident) -> IncidentChange:
        after = answer.snoozed(open_(before, at), str(actor), at, until=until, because=because)
        return IncidentChange(after, "updated")

    body = {"until": until, "because": because}
    return act(engine, Asked(number, "incident.snooze", actor, at, version, body), change)


def wake(engine: Engine, at: datetime) -> int:
    """End the snoozes whose time has come, and return how many."""
    with engine.database.read() as connection:
        if not any(_over(each, at) for each in incidents.listed(connection, status="open")):
            return 0
    with engine.database.transaction() as connection:
        over = [each for each in incidents.listed(connection, status="open") if _over(each, at)]
        for each in over:
            after = answer.woken(each, at)
            incidents.save(connection, after)
            body = {"status": after.status, "severity": after.severity, "title": after.title, "version": after.version}
            identity = entries.identity("incident", str(after.id), str(after.version))
            subject = entries.subject_of(after)
            decision_log.append(connection, [Decision(at, "incident.woken", entries.ENGINE, subject, body, identity)])
    decision_log.seal(engine.database, at)
    return len(over)


def _over(incident: Incident, at: datetime) -> bool:
    return incident.snooze is not None and incident.snooze.until <= at
