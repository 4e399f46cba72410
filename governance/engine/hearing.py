"""Who else has to hear of a change: systems that escalate themselves, and those to whom an end came too late."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.effect import Effect, message_of
from governance.core.incident import Incident
from governance.engine.parts import Engine
from governance.ports import hears_acknowledgements
from governance.store import effects, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection


def acknowledgement(connection: Connection, engine: Engine, incident: Incident, at: datetime) -> list[Effect]:
    """Return what is told to notifiers that were told of an incident and want to know that somebody took it."""
    listening = [name for name, each in engine.notifiers.items() if hears_acknowledgements(each)]
    if not listening:
        return []
    known = effects.of_incident(connection, incident.id)
    told = {each.notifier for each in known if each.state in ("sent", "waiting", "folded") or each.next_at}
    message = message_of(incident, "acknowledged", (), at)
    return [
        Effect(f"{incident.id}-{incident.version}-{name}", incident.id, incident.version, name, message, next_at=at)
        for name in listening
        if name in told
    ]


def late_end(connection: Connection, after: Effect, at: datetime) -> list[Effect]:
    """Return the end of an incident for a page that was withdrawn while it was under way: it may have arrived."""
    if not after.level:
        return []
    incident = incidents.get(connection, after.incident)
    known = effects.of_incident(connection, incident.id)
    told = any(each.notifier == after.notifier and each.message.reason == "resolved" for each in known)
    if incident.status != "resolved" or told:
        return []
    key, message = f"{after.key}-end", message_of(incident, "resolved", (), at)
    rule = "told of its beginning"
    return [Effect(key, incident.id, incident.version, after.notifier, message, next_at=at, to=after.to, rule=rule)]
