"""Lineage: which models rest on which, so that what fails because another failed makes no noise of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.core.card import Card
from governance.core.incident import CLOSED, Finding, Incident, IncidentChange, Told
from governance.core.verdict import worst

FOLD = timedelta(minutes=5)
"""For how long an incident that nobody took is still folded into one of an upstream that opens after it."""
SETTLE = timedelta(minutes=5)
"""How long dependants are given to recover after their upstream did, before each is an incident by itself."""
MOVED = "joined INC-"


@dataclass(frozen=True, slots=True)
class Lineage:
    """Which models rest on which, both ways; a name in `depends_on` that is no model is data, and no part of this."""

    upstream: Mapping[str, tuple[str, ...]]
    downstream: Mapping[str, tuple[str, ...]]

    def above(self, model: str) -> tuple[str, ...]:
        """Return every model that this one rests on, near ones first; itself only where it goes round in a circle."""
        return _reached(model, self.upstream)

    def below(self, model: str) -> tuple[str, ...]:
        """Return every model that rests on this one, near ones first."""
        return _reached(model, self.downstream)

    def way(self, start: str, end: str) -> tuple[str, ...]:
        """Return the models from one up to another that it rests on, a shortest way; () of none."""
        ways: list[tuple[str, ...]] = [(start,)]
        seen = {start}
        for way in ways:
            for up in self.upstream.get(way[-1], ()):
                if up == end:
                    return (*way, up)
                if up not in seen:
                    seen.add(up)
                    ways.append((*way, up))
        return ()


def lineage_of(cards: Iterable[Card]) -> Lineage:
    """Return the lineage that cards declare."""
    said = {card.model: card.data.depends_on if card.data is not None else () for card in cards}
    upstream = {model: tuple(up for up in ups if up in said) for model, ups in said.items() if ups}
    downstream: dict[str, tuple[str, ...]] = {}
    for model, ups in upstream.items():
        for up in ups:
            downstream[up] = (*downstream.get(up, ()), model)
    return Lineage(upstream, downstream)


def _reached(model: str, steps: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    layer = steps.get(model, ())
    while layer:
        found |= dict.fromkeys(layer)
        layer = tuple(far for near in layer for far in steps.get(near, ()) if far not in found)
    return tuple(found)


def foldable(incident: Incident, at: datetime) -> bool:
    """Tell whether an incident is so young, and so untouched, that one of an upstream may take it in."""
    begun = max([incident.opened_at, *incident.flips[-1:]])
    touched = incident.acknowledged_by or incident.responders
    return incident.status == "triggered" and not touched and at - FOLD <= begun <= at


def told_again(findings: Iterable[Finding]) -> Iterator[Told]:
    """Tell another incident what findings told theirs: since when they fire, and how grave they were and are."""
    for each in findings:
        peak = worst([each.peak, each.severity])
        told = Told(each.key, "firing", each.since, peak, each.summary, each.values, each.basis)
        yield told
        if each.severity != peak:
            yield replace(told, change="eased", severity=each.severity)


def without(incident: Incident, moved: Iterable[Finding], ending: str, at: datetime) -> IncidentChange:
    """Return an incident after findings went to another one, as `ending` says; with the last of them it is resolved."""
    keys = {each.key for each in moved}
    findings = tuple(
        replace(each, ended=each.ended or at, ending=ending, story=(*each.story, ending)[-12:])
        if each.key in keys and each.firing
        else each
        for each in incident.findings
    )
    after = replace(incident, findings=findings, changed_at=at, version=incident.version + 1, last="")
    if after.firing:
        return IncidentChange(after, "updated")
    done = replace(after, status="resolved", resolved_at=at, resolved_by="engine", snooze=None)
    return IncidentChange(done, "resolved")


def closed_while_firing(finding: Finding) -> bool:
    """Tell whether a person closed a finding that still fired."""
    return finding.ended is not None and bool(finding.story) and finding.story[-1].startswith(CLOSED)
