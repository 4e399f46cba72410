"""Fold the news of groups into their incidents, and say which other models each incident reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.effect import respond
from governance.core.flapping import damp
from governance.core.incident import Affected, Incident, IncidentChange, gather, kept_open, over
from governance.core.lineage import MOVED, without
from governance.core.run import Run
from governance.engine import entries
from governance.engine.grouping import CANARY_GROUP, Family
from governance.engine.parts import Engine
from governance.store import damped, decision_log, effects, incidents, joined, runs, silences

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Gathered:
    """What became of an incident, and of those that were folded into it."""

    change: IncidentChange
    family: Family
    closed: tuple[IncidentChange, ...] = ()

    @property
    def changes(self) -> tuple[IncidentChange, ...]:
        """All of them."""
        return (self.change, *self.closed)


def gathered(
    connection: Connection, engine: Engine, families: Iterable[Family], at: datetime, serving: Mapping[str, str]
) -> list[Gathered]:
    """Fold news into incidents; those about which a run is open are not resolved by that."""
    found, next_id = [], incidents.next_id(connection)
    for family in families:
        window = engine.organisation.incidents.reopen_within if family.group != CANARY_GROUP else timedelta(0)
        change = gather(
            family.before, family.told(), at, group=family.group, next_id=next_id, reopen_within=window
        )  # fmt: skip
        if change is None:
            continue
        next_id += 1 if change.kind == "opened" else 0
        change = held(connection, family.before, change)
        change = damp(family.before, change, at)
        change = replace(change, incident=reaching(engine, change.incident, serving))
        ending = f"{MOVED}{change.incident.id}: {change.incident.title}"
        closed = tuple(without(each, each.firing, ending, at) for each in family.folded)
        found.append(Gathered(change, family, closed))
    return found


def save(connection: Connection, found: Iterable[Gathered]) -> None:
    """Write the incidents, and which groups are in one of another group now."""
    everything = list(found)
    changed = [change.incident for each in everything for change in each.changes]
    incidents.save(connection, *changed)
    damped.note(connection, *changed)
    for each in everything:
        number = each.change.incident.id
        for one in each.family.folded:
            joined.move(connection, one.id, number)
            runs.move(connection, one.id, number)
        groups = [*each.family.joins, *(one.group for one in each.family.folded)]
        joined.join(connection, list(dict.fromkeys(groups)), number)


def held(connection: Connection, before: Incident | None, change: IncidentChange) -> IncidentChange:
    """Return a change as it is while a run about the incident is open: that it is over is looked at when that ends."""
    if change.kind != "resolved" or before is None:
        return change
    under_way = runs.listed(connection, incident=before.id, state="open")
    if not under_way:
        return change
    names = ", ".join(each.id for each in under_way)
    return kept_open(before, change, f"nothing fires any more; it stays open until {names} ended")


def look_again(connection: Connection, engine: Engine, run: Run, at: datetime) -> None:
    """Resolve the incident of a run that has ended, if it only waited for that; in the transaction of the run."""
    if not run.incident or run.is_open:
        return
    incident = incidents.whole(connection, incidents.get(connection, run.incident))
    if incident.status == "resolved" or incident.firing:
        return
    if runs.any_open(connection, incident.id):
        return
    change = over(incident, at)
    muted = silences.holding(connection, at)
    told = respond(change, engine.places_for(incident.model), (), at, silences=muted)
    incidents.save(connection, change.incident)
    effects.add(connection, told)
    withheld = [entries.of_delivery(each, at) for each in told if each.state == "withheld"]
    decision_log.append(connection, [entries.of_incident(change, at, engine.plan.version), *withheld])


def reaching(engine: Engine, incident: Incident, serving: Mapping[str, str]) -> Incident:
    """Name the models, versions and owners of all findings that are not of the incident's own model."""
    known = {each.model for each in incident.affects}
    models = dict.fromkeys(each.key.model for each in incident.findings if each.key.model != incident.model)
    new = tuple(_affected(engine, each, serving) for each in models if each not in known)
    return replace(incident, affects=(*incident.affects, *new)) if new else incident


def _affected(engine: Engine, model: str, serving: Mapping[str, str]) -> Affected:
    policy = engine.plan.by_model.get(model)
    if policy is None:
        return Affected(model)
    card = policy.policy.card
    declared = card.versions.serving if card.versions is not None else None
    version = serving.get(model) or (declared if isinstance(declared, str) else "")
    owners = card.owners
    return Affected(model, version, owners.team, owners.accountable or "", owners.channel or "")
