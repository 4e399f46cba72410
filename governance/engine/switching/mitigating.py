"""What a change of a kill switch means to the incident that it answers: its harm is stopped, or goes on."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.incident import Incident, exposed, mitigated
from governance.core.switch import Switch
from governance.engine import entries
from governance.store import decision_log, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection


def follow(connection: Connection, changes: Iterable[tuple[Switch, Switch, Actor | str, datetime]]) -> None:
    """Move the incidents that settings name: mitigated while one holds, and back when the last of them is gone.

    A change is a switch before and after, by whom and when; what the first of several has mitigated is left at that.
    """
    met = set[int]()
    for before, after, actor, at in changes:
        earlier, now = _named(before), _named(after)
        for number in sorted(now - earlier - met):
            incident = incidents.get(connection, number)
            if incident.status in ("triggered", "acknowledged"):
                _save(connection, mitigated(incident, at), "incident.mitigated", after, actor)
        for number in sorted(earlier - now):
            incident = incidents.get(connection, number)
            if incident.status == "mitigated" and incident.firing:
                _save(connection, exposed(incident, at), "incident.exposed", after, actor)
        met |= now


def _named(switch: Switch) -> frozenset[int]:
    return frozenset(each.incident for each in switch.settings if each.incident is not None)


def _save(connection: Connection, incident: Incident, kind: str, switch: Switch, actor: Actor | str) -> None:
    incidents.save(connection, incident)
    body = {
        "status": incident.status,
        "severity": incident.severity,
        "title": incident.title,
        "version": incident.version,
        "switch": {"model": switch.model, "seq": switch.seq},
        **entries.channel(actor),
    }
    identity = entries.identity("incident", str(incident.id), str(incident.version))
    decision = Decision(incident.changed_at, kind, str(actor), entries.subject_of(incident), body, identity)
    decision_log.append(connection, [decision])
