"""What people answer an incident with: each act is the incident after it; who acts is one of its responders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from governance.core.alert import AlertKey
from governance.core.document import Severity
from governance.core.incident import CLOSED, Finding, Incident, IncidentChange, Link, Snooze, worse
from governance.core.verdict import worst

LONGEST_SNOOZE = timedelta(days=7)
"""A snooze ends: what nobody wants to hear of for longer is a rule that should be changed."""
MERGED = "moved to INC-"
"""How the story of a finding ends in an incident that was merged into another."""


def acknowledged(incident: Incident, actor: str, at: datetime) -> Incident:
    """Return the incident as taken by `actor`, who knows its present severity; what is mitigated stays so."""
    status = "mitigated" if incident.status == "mitigated" else "acknowledged"
    known = {"acknowledged_by": actor, "acknowledged_severity": incident.severity, "acknowledged_at": at}
    return _answered(incident, actor, at, f"acknowledged by {actor}", status=status, lead=actor, **known)


def resolved(incident: Incident, actor: str, at: datetime) -> Incident:
    """Return the incident as closed by `actor`; findings that still fire are no longer part of it."""
    return _closed(incident, actor, at, f"{CLOSED} {actor} while firing", f"resolved by {actor}")


def snoozed(incident: Incident, actor: str, at: datetime, *, until: datetime, because: str) -> Incident:
    """Return the incident as one of which nobody hears until an instant, unless it becomes worse or is resolved."""
    last = f"snoozed by {actor} until {until:%Y-%m-%d %H:%M} UTC"
    return _answered(incident, actor, at, last, snooze=Snooze(actor, because, until))


def woken(incident: Incident, at: datetime) -> Incident:
    """Return the incident without its snooze, which is over."""
    return replace(incident, snooze=None, changed_at=at, version=incident.version + 1, last="awake again")


def judged(incident: Incident, actor: str, at: datetime, *, severity: Severity) -> IncidentChange:
    """Return the incident as bad as `actor` says; only what makes it worse is told, and ends a snooze."""
    known = severity if incident.acknowledged_severity is not None else None
    facts = {"severity": severity, "severity_set": severity, "acknowledged_severity": known}
    after = _answered(incident, actor, at, f"called {severity} by {actor}", **facts)
    if worse(severity, incident.severity):
        return IncidentChange(replace(after, snooze=None), "worsened")
    return IncidentChange(after, "updated")


def handed_over(incident: Incident, actor: str, at: datetime, *, to: str) -> Incident:
    """Return the incident with another lead; whoever has not acknowledged it yet is still reminded."""
    after = _answered(incident, actor, at, f"handed over to {to} by {actor}", lead=to)
    return replace(after, responders=tuple(dict.fromkeys((*after.responders, to))))


def linked(incident: Incident, actor: str, at: datetime, *, address: str, title: str) -> Incident:
    """Return the incident with one more link; the same address again has a new title."""
    others = tuple(each for each in incident.links if each.address != address)
    return _answered(incident, actor, at, f"linked by {actor}", links=(*others, Link(address, title, actor)))


def merged(
    source: Incident, target: Incident, actor: str, at: datetime, *, untold: bool = False
) -> tuple[Incident, IncidentChange]:
    """Return the closed source, and the target with its findings; `untold`: somebody has not heard of these yet.

    A severity that the target's people do not know yet triggers it anew, as a finding would.
    """
    closed = _closed(source, actor, at, f"{MERGED}{target.id}", f"merged into INC-{target.id} by {actor}")
    said = f"merged into INC-{target.id}"
    ended = tuple(replace(each, ending=said) if each.ended == at else each for each in closed.findings)
    closed = replace(closed, merged_into=target.id, findings=ended)
    last = f"INC-{source.id} merged into it by {actor}"
    facts: dict[str, Any] = {
        "findings": _together(target.findings, source.findings),
        "links": tuple({each.address: each for each in (*source.links, *target.links)}.values()),
        "responders": tuple(dict.fromkeys((*target.responders, *source.responders))),
        "severity": (severity := worst([target.severity, source.severity])),
        "severity_set": severity if target.severity_set or source.severity_set else None,
    }
    if target.status != "triggered" and source.status != "triggered":  # both were known
        facts["acknowledged_severity"] = worst([each for each in _known(target, source) if each])
    if worse(source.severity, target.severity):
        facts["snooze"] = None  # it was not meant for this
    after = _answered(target, actor, at, last, **facts)
    return closed, _told(target, after, untold=untold)


def _told(before: Incident, after: Incident, *, untold: bool) -> IncidentChange:
    if before.status != "triggered" and worse(after.severity, after.acknowledged_severity):
        return IncidentChange(replace(after, status="triggered"), "worsened")
    if worse(after.severity, before.severity):
        return IncidentChange(after, "worsened")
    return IncidentChange(after, "new_findings" if untold else "updated")


def _known(*incidents: Incident) -> tuple[Severity | None, ...]:
    return tuple(each.acknowledged_severity for each in incidents)


def _together(ours: tuple[Finding, ...], theirs: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Join findings; of the same one in both, what fires counts, then what began last."""
    found: dict[AlertKey, Finding] = {each.key: each for each in ours}
    for each in theirs:
        mine = found.get(each.key)
        if mine is None:
            found[each.key] = each
            continue
        newer = max(mine, each, key=lambda one: (one.firing, one.since))
        peak = worst([mine.peak, each.peak]) or newer.peak
        found[each.key] = replace(newer, peak=peak, times=mine.times + each.times)
    return tuple(found.values())


def _closed(incident: Incident, actor: str, at: datetime, ending: str, last: str) -> Incident:
    findings = tuple(
        replace(each, ended=at, story=(*each.story, ending)) if each.firing else each for each in incident.findings
    )
    facts = {"status": "resolved", "findings": findings, "resolved_at": at, "resolved_by": actor, "snooze": None}
    return _answered(incident, actor, at, last, **facts)


def _answered(incident: Incident, actor: str, at: datetime, last: str, **changes: Any) -> Incident:
    who = tuple(dict.fromkeys((*(changes.pop("responders", None) or incident.responders), actor)))
    return replace(incident, responders=who, changed_at=at, version=incident.version + 1, last=last, **changes)
