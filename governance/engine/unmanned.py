"""Nobody on call is an incident of the engine, open until somebody is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import AlertKey
from governance.core.escalation_policy import KINDS, Target
from governance.core.incident import Incident
from governance.core.metric import labels
from governance.core.responders import responders
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.switching.paging import Finding, page
from governance.engine.switching.paging import close as end
from governance.store import decision_log, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection

RULE = "nobody-on-call"
"""The name under which incidents show that a level of an escalation found nobody."""


def report(connection: Connection, engine: Engine, holes: Sequence[Target], policy: str, at: datetime) -> None:
    """Open an incident for each target behind which nobody is, once."""
    for each in holes:
        finding = _finding(each, policy)
        before = incidents.latest(connection, [finding.group]).get(finding.group)
        if before is None or before.status == "resolved":
            page(connection, engine, finding, at)


def close(engine: Engine, at: datetime) -> None:
    """End the incidents about targets behind which somebody is again, or that nothing tells any more."""
    with engine.database.read() as connection:
        over = [each for each in _open(connection) if _manned(engine, _target(each), at)]
    if not over:
        return
    with engine.database.transaction() as connection:
        for each in over:
            end(connection, engine, _finding(_target(each), ""), at)
    decision_log.seal(engine.database, at)


def _open(connection: Connection) -> list[Incident]:
    found = incidents.listed(connection, status="open", model=entries.ENGINE)
    return [each for each in found if any(one.key.rule == RULE for one in each.firing)]


def _manned(engine: Engine, target: Target, at: datetime) -> bool:
    asked = [policy.names(target.kind) for policy in engine.organisation.escalations.values()]
    told = any(target.name in names for names in asked)
    people = responders(target, engine.organisation, at)
    return not told or any(each in engine.organisation.people for each in people)


def _finding(target: Target, policy: str) -> Finding:
    key = AlertKey(entries.ENGINE, RULE, labels(**{target.kind: target.name}))
    who = f"by {target.name}" if target.kind == "schedule" else f"in {target.kind} {target.name}"
    summary = f"nobody is on call {who}, whom {policy} would tell"
    return Finding(key, summary, f"Put somebody there: gov oncall shows the holes of schedules; {policy} tells others.")


def _target(incident: Incident) -> Target:
    named = dict(next(each for each in incident.findings if each.key.rule == RULE).key.labels)
    return Target(**{kind: named[kind] for kind in KINDS if kind in named})
