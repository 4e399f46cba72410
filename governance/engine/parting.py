"""When what failed first is over, each dependant that still fails is an incident by itself, so that none is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.digest import BURST, waiting
from governance.core.effect import respond
from governance.core.incident import Finding, Incident, IncidentChange
from governance.core.lineage import SETTLE, closed_while_firing, told_again, without
from governance.engine import entries
from governance.engine.gathering import gathered, held, save
from governance.engine.grouping import Router, Standing, group_of
from governance.engine.parts import Engine
from governance.store import alerts, decision_log, effects, incidents, joined, silences

if TYPE_CHECKING:
    from sqlalchemy import Connection

PARTED = "judged by itself from now on, as what it rests on is well"


@dataclass(frozen=True, slots=True)
class _Parting:
    """An incident, and the findings of each group that leave it; of groups in `done` nothing fires any more."""

    incident: Incident
    leaving: Mapping[str, Sequence[Finding]]
    done: Sequence[str]


def part(engine: Engine, at: datetime) -> int:
    """Let dependants leave incidents whose own findings are over, and return how many groups did.

    Each is given five minutes to recover, and its rules have been judged once more since.
    """
    with engine.database.read() as connection:
        if not joined.any_open(connection):
            return 0
        found = [_parting(connection, engine, number, at) for number in _hosts(connection)]
    due = [each.incident.id for each in found if each is not None]
    if not due:
        return 0
    with engine.database.giving_way():
        count = 0
        for number in due:  # one after the other: what leaves one incident may join the next
            with engine.database.transaction() as connection:
                parting = _parting(connection, engine, number, at)
                count += _parted(connection, engine, parting, at) if parting is not None else 0
        decision_log.seal(engine.database, at)
    return count


def _hosts(connection: Connection) -> dict[int, list[str]]:
    """Return the groups that are in the incident of another, by that incident."""
    found: dict[int, list[str]] = defaultdict(list)
    for number, groups in joined.all_open(connection).items():
        found[incidents.whole(connection, incidents.get(connection, number)).id] += groups
    return found


def _parting(connection: Connection, engine: Engine, number: int, at: datetime) -> _Parting | None:
    """Return who leaves an incident now, None while nobody does."""
    incident, groups = incidents.get(connection, number), _hosts(connection).get(number, [])
    by_group: dict[str, list[Finding]] = defaultdict(list)
    for each in incident.findings:
        by_group[group_of(each.key, engine.organisation.incidents)].append(each)
    since = _over_since(incident, [each for group in by_group if group not in groups for each in by_group[group]])
    if since is None:
        return None
    still = {group: _still_firing(connection, by_group[group]) for group in groups}
    leaving = {group: found for group, found in still.items() if found and at >= since + _patience(engine, found)}
    done = [group for group, found in still.items() if not found] if incident.status == "resolved" else []
    return _Parting(incident, leaving, done) if leaving or done else None


def _over_since(incident: Incident, own: Sequence[Finding]) -> datetime | None:
    """Return since when what failed first is over, None while it is not."""
    if incident.status == "resolved":
        return incident.resolved_at
    if any(each.firing for each in own):
        return None
    return max((each.ended for each in own if each.ended is not None), default=incident.opened_at)


def _still_firing(connection: Connection, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that fire, those included that a person closed with the incident while their alert fires."""
    models = {each.key.model for each in findings if closed_while_firing(each)}
    active = {key: alert for model in models for key, alert in alerts.active(connection, model).items()}
    severities = {key: alert.severity for key, alert in active.items()}
    closed = [
        replace(each, severity=severity)
        for each in findings
        if closed_while_firing(each) and (severity := severities.get(each.key)) is not None
    ]
    return [*(each for each in findings if each.firing), *closed]


def _patience(engine: Engine, findings: Sequence[Finding]) -> timedelta:
    """Return how long a dependant has to recover: until the slowest of its rules was judged once more, at least."""
    rules = {(each.key.model, each.key.rule) for each in findings}
    policies = [engine.plan.by_model[model] for model in {model for model, _ in rules} if model in engine.plan.by_model]
    every = (rule.needs.every for each in policies for rule in each.rules if (each.model, rule.rule.id) in rules)
    return max([SETTLE, *every])


def _parted(connection: Connection, engine: Engine, parting: _Parting, at: datetime) -> int:
    """Write one parting: the incidents that dependants open or join, and the one that they leave."""
    incident = parting.incident
    joined.leave(connection, [*parting.done, *parting.leaving])
    if not parting.leaving:
        return 0
    router = Router(connection, engine.lineage, engine.organisation.incidents, at)
    standing = Standing(connection, parting.leaving)
    news = {group: list(told_again(_unseen(found, standing, group))) for group, found in parting.leaving.items()}
    families = router.routed(news, standing, leaving=[incident.id])
    found = gathered(connection, engine, families, at, {})
    save(connection, found)
    changes = [change for each in found for change in each.changes]
    if incident.status != "resolved":
        moved = [each for group in parting.leaving.values() for each in group]
        left = held(connection, incident, without(incident, moved, PARTED, at))
        incidents.save(connection, left.incident)
        changes.append(left)
    _tell(connection, engine, changes, at)
    return len(parting.leaving)


def _unseen(findings: Sequence[Finding], standing: Standing, group: str) -> list[Finding]:
    """Return the findings that the group's own incident does not show already, as they fired again meanwhile."""
    own = standing.own.get(group)
    shown = {each.key for each in own.firing} if own is not None and own.status != "resolved" else set()
    return [each for each in findings if each.key not in shown]


def _tell(connection: Connection, engine: Engine, changes: Sequence[IncidentChange], at: datetime) -> None:
    muted = silences.holding(connection, at)
    sent = [each for change in changes for each in respond(change, engine.places, (), at, silences=muted)]
    effects.add(connection, waiting(sent) if len(changes) > BURST else sent)
    log = [entries.of_incident(each, at, engine.plan.version) for each in changes]
    withheld = [entries.of_delivery(each, at) for each in sent if each.state == "withheld"]
    decision_log.append(connection, [*log, *withheld])
