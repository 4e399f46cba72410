"""Let nobody hear of an incident for a while; at the end of it, say so."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.core import answer
from governance.core.authority import Actor
from governance.core.effect import respond
from governance.core.incident import Incident, IncidentChange, Snooze
from governance.engine import entries
from governance.engine.answering.act import Asked, Done, act, open_
from governance.engine.parts import Engine
from governance.errors import InvalidDocument
from governance.store import decision_log, effects, incidents, silences

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
    """End the snoozes whose time has come, say what is still open, and return how many there were."""
    with engine.database.read() as connection:
        if not _over(connection, at):
            return 0
    with engine.database.transaction() as connection:
        over, muted = _over(connection, at), silences.holding(connection, at)
        for before, snoozed in over:
            change = IncidentChange(answer.woken(before, at), "woken")
            said = f"{snoozed.by}'s snooze is over ({snoozed.because}); this is still open."
            told = respond(change, engine.places, (said,), at, silences=muted)
            incidents.save(connection, change.incident)
            effects.add(connection, told)
            withheld = [entries.of_delivery(each, at) for each in told if each.state == "withheld"]
            decision_log.append(connection, [entries.of_incident(change, at, engine.plan.version), *withheld])
    decision_log.seal(engine.database, at)
    return len(over)


def _over(connection: Connection, at: datetime) -> list[tuple[Incident, Snooze]]:
    """Return the open incidents whose snooze is over, with it."""
    found = [(each, each.snooze) for each in incidents.listed(connection, status="open")]
    return [(each, snooze) for each, snooze in found if snooze is not None and snooze.until <= at]
