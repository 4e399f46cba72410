"""Which incident an alert belongs to: that of its group, or that of what it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import AlertKey
from governance.core.alive import CANARY
from governance.core.document import Severity
from governance.core.incident import Finding, Incident, Told
from governance.core.lineage import Lineage, foldable, told_again
from governance.core.organisation import Grouping
from governance.engine import entries
from governance.engine.switching.paging import EXTENDED, GLASS, WITHHELD
from governance.store import incidents, joined

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FIRES = frozenset({"firing", "worsened", "spread"})
_GOES_ON = frozenset({"eased", "confirmed"})
_NO_CAUSE = frozenset({GLASS, EXTENDED, WITHHELD})
Target = int | str
"""The number of an incident that there is, or the group of one that is to be opened or re-opened."""

CANARY_GROUP = CANARY
"""The group of the canary's incidents: never re-opened, so that each stretch of time has one of its own."""


def group_of(key: AlertKey, grouping: Grouping) -> str:
    """Return the group of an alert: of the engine's own each has one, the others as the organisation says."""
    if key.model == CANARY:
        return CANARY_GROUP
    if key.model == entries.ENGINE:
        return f"{key.model}/{key.rule}/{entries.labels_text(key.labels)}"
    parts = {"model": key.model, "pack": key.rule.rpartition("/")[0], "rule": key.rule}
    return "/".join(parts[name] for name in grouping.group_by) or key.model


def current(connection: Connection, groups: Collection[str]) -> dict[str, Incident]:
    """Return the incident that each group is in: one of an upstream that it joined, or else its own newest."""
    return Standing(connection, groups).current()


class Standing:
    """Where groups stand: the newest incident of each, and the one of another group that it is, or was last, in."""

    def __init__(self, connection: Connection, groups: Collection[str]) -> None:
        """Read it."""
        self.own = incidents.latest(connection, groups)
        last = joined.of(connection, groups)
        hosts = incidents.several(connection, {number for number, _ in last.values()})
        self.last = {group: hosts[number] for group, (number, _) in last.items() if number in hosts}
        inside = {group for group, (_, open_) in last.items() if open_}
        self.hosted = {group: each for group, each in self.last.items() if group in inside and _open(each)}

    def current(self) -> dict[str, Incident]:
        """Return the incident that each group is in."""
        return {**self.own, **self.hosted}

    def heard(self, group: str) -> tuple[Finding, ...]:
        """Return every finding of which the people of a group have heard lately."""
        found = (self.own.get(group), self.last.get(group))
        return tuple(finding for each in found if each is not None for finding in each.findings)


@dataclass(slots=True)
class Family:
    """An incident that is to change, and the news of each group that it takes in, its own first.

    `before` is how it stands, None where there is none yet; `folded` are incidents that end in it.
    """

    target: Target
    before: Incident | None
    news: dict[str, Sequence[Told]] = field(default_factory=dict)
    folded: list[Incident] = field(default_factory=list)
    joins: list[str] = field(default_factory=list)

    @property
    def group(self) -> str:
        """Return the group of the incident."""
        return self.target if isinstance(self.target, str) else self.before.group if self.before is not None else ""

    def told(self) -> list[Told]:
        """Return what the incident is told: by its own group, by what is folded into it, by the others."""
        own = self.news.get(self.group, ())
        folded = [told for each in self.folded for told in told_again(each.firing)]
        return [*own, *folded, *(told for group, each in self.news.items() if group != self.group for told in each)]


class Router:
    """Send the news of groups to incidents, upstream first, so that dependants find what has just opened."""

    def __init__(self, connection: Connection, lineage: Lineage, grouping: Grouping, at: datetime) -> None:
        """Begin with nothing."""
        self._connection, self._lineage, self._grouping, self._at = connection, lineage, grouping, at
        self._families: dict[Target, Family] = {}
        self._open: dict[int, Incident] = {}
        self._causes: dict[str, dict[Target, set[AlertKey]]] = defaultdict(lambda: defaultdict(set))
        self._ages: dict[Target, int] = {}
        self._moved: dict[int, Target] = {}

    def routed(
        self, news: Mapping[str, Sequence[Told]], standing: Standing, leaving: Collection[int] = ()
    ) -> list[Family]:
        """Return the incidents that are to change; nothing new joins those that are `leaving`."""
        told = {group: each for group, each in news.items() if each}
        above = {group: self._lineage.above(each[0].key.model) for group, each in told.items()}
        found = incidents.open_of(self._connection, {up for each in above.values() for up in each})
        for incident in found:
            if incident.id not in leaving:
                self._seen(incident)
        for group in sorted(told, key=lambda group: len(above[group])):
            self._take(group, told[group], standing, above[group])
        return list(self._families.values())

    def _take(self, group: str, told: Sequence[Told], standing: Standing, above: Sequence[str]) -> None:
        family = self._inside(group, standing)
        if family is None:
            host = self._host(above) if any(each.change in _FIRES for each in told) else None
            if host is not None:
                family = self._family(host, self._open.get(host) if isinstance(host, int) else None)
                family.joins.append(group)
            else:
                family = self._family(*self._own(group, standing))
                self._fold(family, told)
        family.news[group] = told
        for each in told:
            self._follow(family.target, each)

    def _inside(self, group: str, standing: Standing) -> Family | None:
        """Return the open incident that a group is in, None where it is in none."""
        incident = standing.current().get(group) if group in standing.hosted else standing.own.get(group)
        if incident is None or not _open(incident):
            return None
        if incident.id in self._moved:
            return self._families[self._moved[incident.id]]
        self._seen(incident)
        return self._family(incident.id, incident)

    def _own(self, group: str, standing: Standing) -> tuple[Target, Incident | None]:
        """Return what a group may re-open: its own incident, or the one that it was merged into, while it is young."""
        own = standing.own.get(group)
        if own is None or own.group == group:
            return group, own
        recent = own.resolved_at is not None and self._at - own.resolved_at <= self._grouping.reopen_within
        return (own.group, own) if recent else (group, None)

    def _family(self, target: Target, before: Incident | None) -> Family:
        self._ages.setdefault(target, len(self._ages))
        return self._families.setdefault(target, Family(target, before))

    def _seen(self, incident: Incident) -> None:
        if incident.id not in self._open:
            self._open[incident.id] = incident
            self._ages.setdefault(incident.id, len(self._ages))
            for each in incident.firing:
                self._mark(incident.id, each.key, each.severity)

    def _follow(self, target: Target, told: Told) -> None:
        """Keep account of what fires where, as the incident will once it is told."""
        if told.change in _FIRES and told.severity is not None:
            self._mark(target, told.key, told.severity)
        elif told.change not in _GOES_ON or told.severity == "info":
            self._causes[told.key.model][target].discard(told.key)

    def _mark(self, target: Target, key: AlertKey, severity: Severity) -> None:
        if severity != "info" and key.rule not in _NO_CAUSE:
            self._causes[key.model][target].add(key)
        else:
            self._causes[key.model][target].discard(key)

    def _host(self, above: Sequence[str]) -> Target | None:
        """Return the oldest incident in which something fires that a model rests on."""
        found = {target for up in above for target, keys in self._causes[up].items() if keys}
        return min(found, key=self._ages.__getitem__, default=None)

    def _fold(self, family: Family, told: Sequence[Told]) -> None:
        """Take in what dependants opened a moment before what they rest on."""
        model = told[0].key.model
        if not any(self._causes_now(each) for each in told) or model not in self._lineage.downstream:
            return
        for each in incidents.open_of(self._connection, self._lineage.below(model)):
            own = not any(finding.key.rule in _NO_CAUSE for finding in each.findings)
            if own and foldable(each, self._at) and each.id not in self._families and each.id not in self._moved:
                family.folded.append(each)
                self._moved[each.id] = family.target
                for finding in each.firing:
                    self._causes[finding.key.model].pop(each.id, None)
                    self._mark(family.target, finding.key, finding.severity)

    def _causes_now(self, told: Told) -> bool:
        return told.change in _FIRES and told.severity not in (None, "info") and told.key.rule not in _NO_CAUSE


def _open(incident: Incident) -> bool:
    return incident.status != "resolved"
