"""Which incidents were open at an instant that has passed, and how they stood then, by what the decision log says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from governance.core.incident import Incident
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, incidents

_STATED = ("status", "severity")


def open_at(engine: Engine, at: datetime) -> list[Incident]:
    """Return the incidents that were open at an instant, oldest first, as they stood then."""
    with engine.database.read() as connection:
        found = incidents.listed(connection, status="" if at < engine.clock.now() else "open")
    return sorted(_as_of(engine, found, at), key=lambda each: each.id)


def opening(incident: Incident) -> str:
    """Return the decision that opened an incident."""
    return entries.identity("incident", str(incident.id), "1")


def _as_of(engine: Engine, found: list[Incident], at: datetime) -> Iterator[Incident]:
    for each in found:
        over = each.resolved_at is not None and each.resolved_at <= at
        if each.opened_at > at or over:
            continue
        then = each if each.changed_at <= at else _rewound(engine, each, at)
        if then.status != "resolved":
            yield then


def _rewound(engine: Engine, incident: Incident, at: datetime) -> Incident:
    """Return an incident with the status and severity that the last entry of that time states."""
    said: dict[str, object] = {"status": "triggered"}
    for entry in decision_log.about(engine.database, "incident", str(incident.id), since=opening(incident)):
        if entry.decision.at <= at and entry.decision.kind.startswith("incident."):
            said |= {name: entry.decision.body[name] for name in _STATED if entry.decision.body.get(name)}
    known = tuple(each for each in incident.findings if each.since <= at) or incident.findings
    findings = tuple(each if each.ended is None or each.ended <= at else replace(each, ended=None) for each in known)
    return replace(incident, findings=findings, resolved_at=None, resolved_by="", **said)  # type: ignore[arg-type]
