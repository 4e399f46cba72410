"""Incidents: findings gathered per model, with a status that people move and that resolves by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.alert import AlertKey, Change
from governance.core.document import SEVERITIES, Severity
from governance.core.expression import displayed
from governance.core.verdict import Basis, worst

Status = Literal["triggered", "acknowledged", "mitigated", "resolved"]
CLOSED = "closed by"
"""How the story of a finding that a person closed goes on."""
_FIRES: Mapping[Change, str] = {
    "firing": "fired",
    "worsened": "worsened",
    "spread": "spread",
    "eased": "eased",
}
ChangeKind = Literal["opened", "new_findings", "worsened", "reopened", "resolved", "updated", "woken"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A firing alert in an incident; `ended` is set when it resolved; `story` tells how firm it became.

    `summary` and `values` are those of the moment it fired or worsened, `peak` its worst severity; `ending` says what
    ended it.
    """

    key: AlertKey
    severity: Severity
    peak: Severity
    since: datetime
    summary: str
    values: Mapping[str, float | None]
    basis: Basis = ""
    ended: datetime | None = None
    times: int = 1
    story: tuple[str, ...] = ()
    ending: str = ""

    @property
    def firing(self) -> bool:
        """True while the alert fires."""
        return self.ended is None


@dataclass(frozen=True, slots=True)
class Affected:
    """Another model with a finding in an incident: the version that served when it joined, and who answers for it."""

    model: str
    version: str = ""
    team: str = ""
    accountable: str = ""
    channel: str = ""

    @property
    def words(self) -> str:
        """The model, its version and its owners, for people."""
        owners = ", ".join(each for each in (self.team, self.accountable) if each)
        return " ".join(each for each in (self.model, self.version) if each) + (f" ({owners})" if owners else "")


@dataclass(frozen=True, slots=True)
class Snooze:
    """Who does not want to hear of an incident, why and until when."""

    by: str
    because: str
    until: datetime

    @property
    def words(self) -> str:
        """Why a notification was not sent."""
        return f"snoozed by {self.by} until {self.until:%Y-%m-%d %H:%M} UTC: {self.because}"


@dataclass(frozen=True, slots=True)
class Link:
    """A place that belongs to an incident: a ticket, a call, a dashboard."""

    address: str
    title: str
    by: str


@dataclass(frozen=True, slots=True)
class Incident:
    """What people work on. `version` grows by one with every change; a stale version loses the race.

    `lead` is who works on it now; `responders` all whose acts changed it. `severity_set` is the severity that a person
    gave it. One that was merged is resolved, and `merged_into` is the number of the other. `last` says what changed it
    last, in words, where that was a person ("snoozed until … by bo").
    `flips` are the instants at which it fired again lately; after `damped_from` nothing is told until `damped_until`.
    `affects` are the other models with findings in it, such as those that rest on `model`.
    """

    id: int
    group: str
    model: str
    status: Status
    severity: Severity
    opened_at: datetime
    changed_at: datetime
    findings: tuple[Finding, ...]
    version: int = 1
    acknowledged_by: str = ""
    acknowledged_severity: Severity | None = None
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: str = ""
    reopened: int = 0
    lead: str = ""
    responders: tuple[str, ...] = ()
    snooze: Snooze | None = None
    severity_set: Severity | None = None
    links: tuple[Link, ...] = ()
    merged_into: int | None = None
    last: str = ""
    flips: tuple[datetime, ...] = ()
    damped_from: datetime | None = None
    damped_until: datetime | None = None
    affects: tuple[Affected, ...] = ()

    @property
    def snoozed_until(self) -> datetime | None:
        """When a snooze ends; None while there is none."""
        return self.snooze.until if self.snooze is not None else None

    def snoozed(self, at: datetime) -> str:
        """Return why nobody is told now, "" where no snooze holds."""
        return self.snooze.words if self.snooze is not None and at < self.snooze.until else ""

    @property
    def peak(self) -> Severity:
        """The worst severity that any finding ever had."""
        return worst([each.peak for each in self.findings]) or self.severity

    @property
    def firing(self) -> tuple[Finding, ...]:
        """The findings that still fire, worst and oldest first."""
        return tuple(sorted((each for each in self.findings if each.firing), key=_worst_first))

    @property
    def title(self) -> str:
        """One sentence: the worst finding, of the incident's own model if one fires, and how many others there are."""
        ordered = self.firing or tuple(sorted(self.findings, key=_worst_first))
        first = next((each for each in ordered if each.key.model == self.model), ordered[0])
        rules = {(each.key.rule, each.key.kind) for each in ordered} - {(first.key.rule, first.key.kind)}
        models = {each.key.model for each in ordered} - {first.key.model}
        counts = ((len(rules), "more rule"), (len(models), "more model"))
        more = ", ".join(f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count)
        return f"{first.summary} (and {more})" if more else first.summary

    @property
    def ending(self) -> str:
        """What ended the finding that the title names; "" while one fires or where nothing is to be said."""
        return "" if self.firing else min(self.findings, key=_worst_first).ending


@dataclass(frozen=True, slots=True)
class Told:
    """What an alert tells its incident: a change of state with the words and values of that moment.

    `judged_at` is when the same window was judged on a part of its labels, where it is judged on all of them now.
    """

    key: AlertKey
    change: Change
    at: datetime
    severity: Severity | None
    summary: str
    values: Mapping[str, float | None]
    basis: Basis = ""
    reason: str = ""
    judged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """An incident after a change, and what kind of change it was; `because` where that does not say it."""

    incident: Incident
    kind: ChangeKind
    because: str = ""


def gather(
    incident: Incident | None, told: Sequence[Told], at: datetime, *, group: str, next_id: int, reopen_within: timedelta
) -> IncidentChange | None:
    """Fold what alerts tell into the group's incident: open, add, worsen, re-open or resolve it.

    `incident` is the group's latest; a resolved one is re-opened within `reopen_within`, later a new one is opened.
    """
    firing = [each for each in told if each.change in {"firing", "worsened", "spread"}]
    current = incident
    if current is not None and current.status == "resolved":
        recent = current.resolved_at is not None and at - current.resolved_at <= reopen_within
        if not firing or not recent:
            current = None
    if current is None:
        return _opened(firing[0].key.model, told, at, group, next_id) if firing else None
    findings = _folded(current.findings, told)
    return _changed(current, findings, firing, at)


def _opened(model: str, told: Sequence[Told], at: datetime, group: str, next_id: int) -> IncidentChange:
    findings = _folded((), told)
    severity = worst([each.severity for each in findings if each.firing]) or "info"
    return IncidentChange(Incident(next_id, group, model, "triggered", severity, at, at, findings), "opened")


def _changed(
    current: Incident, findings: tuple[Finding, ...], firing: Sequence[Told], at: datetime
) -> IncidentChange | None:
    if findings == current.findings:
        return None
    after = replace(current, findings=findings, changed_at=at, version=current.version + 1, last="")
    open_severity = worst([each.severity for each in findings if each.firing])
    if open_severity is None:
        done = replace(after, status="resolved", resolved_at=at, resolved_by="engine", snooze=None)
        return IncidentChange(done, "resolved")
    if current.status == "resolved":
        fresh = replace(after, severity=open_severity, status="triggered", resolved_at=None, resolved_by="", lead="")
        again = replace(fresh, acknowledged_by="", severity_set=None, reopened=current.reopened + 1)
        return IncidentChange(again, "reopened")
    return _judged(current, after, open_severity, firing)


def _judged(current: Incident, after: Incident, found: Severity, firing: Sequence[Told]) -> IncidentChange:
    """Say how bad an open incident is now: what a person said of it holds until something new is worse."""
    said = current.severity_set
    kind: ChangeKind = "new_findings" if firing else "updated"
    if said is not None and not any(each.severity and worse(each.severity, said) for each in firing):
        return IncidentChange(replace(after, severity=said), kind)
    after = replace(after, severity=found, severity_set=None)
    if current.status != "triggered" and worse(found, current.acknowledged_severity):
        return IncidentChange(replace(after, status="triggered", snooze=None), "worsened")
    if worse(found, current.severity):  # no snooze was meant for this
        return IncidentChange(replace(after, snooze=None), "worsened")
    return IncidentChange(after, kind)


def kept_open(before: Incident, change: IncidentChange, because: str) -> IncidentChange:
    """Return what would resolve an incident by itself as a change after which people still work on it."""
    goes_on = {"status": before.status, "resolved_at": None, "resolved_by": "", "snooze": before.snooze}
    return IncidentChange(replace(change.incident, **goes_on, last=because), "updated", because)  # type: ignore[arg-type]


def over(incident: Incident, at: datetime) -> IncidentChange:
    """Return an incident in which nothing fires any more as resolved by itself."""
    done = replace(incident, status="resolved", resolved_at=at, resolved_by="engine", snooze=None, last="")
    return IncidentChange(replace(done, changed_at=at, version=incident.version + 1), "resolved")


def known_already(heard: Sequence[Finding], others: Sequence[Told], told: Told) -> bool:
    """Tell whether complete labels only say what a finding on a part of them says now, or said in its time.

    What they say worse than that is news.
    """
    if told.judged_at is None or told.severity is None or told.change not in {"firing", "worsened", "eased"}:
        return False
    key = replace(told.key, kind="condition")
    now = [each.severity for each in others if each.key == key and each.change == "firing" and each.severity]
    then = [
        each.severity if each.ended is None else each.peak
        for each in heard
        if each.key == key and (each.ended is None or each.since <= told.judged_at < each.ended)
    ]
    gravest = worst([*now, *then])
    return gravest is not None and not worse(told.severity, gravest)


def mitigated(incident: Incident, at: datetime) -> Incident:
    """Return the incident as one whose harm was stopped by a kill switch; only a worse finding triggers it anew."""
    known = incident.acknowledged_severity if incident.status == "acknowledged" else None
    return replace(
        incident,
        status="mitigated",
        acknowledged_severity=known or incident.severity,
        changed_at=at,
        version=incident.version + 1,
    )


def exposed(incident: Incident, at: datetime) -> Incident:
    """Return a mitigated incident whose model answers again while its findings still fire."""
    status: Status = "acknowledged" if incident.acknowledged_by else "triggered"
    return replace(incident, status=status, changed_at=at, version=incident.version + 1)


def _folded(findings: tuple[Finding, ...], told: Sequence[Told]) -> tuple[Finding, ...]:
    by_key = {each.key: each for each in findings}
    for each in told:
        before = by_key.get(each.key)
        if each.change == "eased" and before is None:
            continue  # it was never told
        if each.change in _FIRES and each.severity is not None:
            by_key[each.key] = _fired(before, each)
        elif before is not None and before.firing:
            by_key[each.key] = _told(before, each)
    return tuple(by_key.values())


def _fired(before: Finding | None, told: Told) -> Finding:
    assert told.severity is not None  # noqa: S101 (the caller looked)
    word = _FIRES[told.change]
    line = f"{word} ({told.basis})" if told.basis else word
    if before is None:
        return Finding(
            told.key, told.severity, told.severity, told.at, told.summary, told.values, told.basis, story=(line,)
        )
    again = told.change == "firing"
    after = replace(
        before,
        severity=told.severity,
        ended=None,
        ending="",
        since=told.at if again else before.since,
        times=before.times + (1 if again else 0),
        basis=told.basis,
        story=(*before.story, line)[-12:],
    )
    if again or told.change == "spread" or worse(told.severity, before.peak):
        peak = worst([told.severity, before.peak]) or told.severity  # who was told of the worst hears of the end
        return replace(after, peak=peak, summary=told.summary, values=told.values)
    return after


def _told(before: Finding, told: Told) -> Finding:
    if told.change == "confirmed":
        severity = told.severity or before.severity
        return replace(before, severity=severity, basis="final", story=(*before.story, "confirmed (final)"))
    if told.change in {"resolved", "revised", "waived", "cleared", "pending"}:
        words = {"revised": "withdrawn by complete labels (final)", "pending": "pending again"}
        story = (*before.story, words.get(told.change, told.change))
        return replace(before, ended=told.at, story=story, ending=_ending(told))
    return before


def _ending(told: Told) -> str:
    """Return what ended a finding: a reason in words, or the values of now."""
    if told.reason:
        return told.reason
    if told.key.kind == "no_data":
        return told.summary
    values = ((name.removeprefix("metrics."), value) for name, value in told.values.items() if value is not None)
    return ", ".join(f"{name} is {displayed(value)} now" for name, value in values)


def worse(one: Severity, other: Severity | None) -> bool:
    """Tell whether a severity is worse than another; any is worse than none."""
    return other is None or SEVERITIES.index(one) > SEVERITIES.index(other)


def _worst_first(finding: Finding) -> tuple[int, datetime]:
    return (-SEVERITIES.index(finding.severity if finding.firing else finding.peak), finding.since)
