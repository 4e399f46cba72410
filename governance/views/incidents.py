"""Incidents, their notifications and judged rules as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from governance.core.effect import Effect
from governance.core.incident import Finding, Incident
from governance.views.escalation import EscalationView
from governance.views.runs import RunBrief
from governance.views.view import View


class FindingView(View):
    """One finding of an incident, with the remedy and the place of its rule as the policies of today say.

    `summary` and `values` are of the moment it fired or worsened. While it fires, `now` are the same values as they
    were judged last, the newest at `now_at`, and `change` says those that are others in words: "psi is 0.33 now, 0.26
    when it began". They are empty where this process has not judged it.
    """

    rule: str
    labels: dict[str, str]
    kind: str
    severity: str
    peak: str
    summary: str
    since: datetime
    ended: datetime | None
    times: int
    basis: str
    values: dict[str, float | None]
    story: list[str]
    ending: str = ""
    remedy: str = ""
    origin: str = ""
    model: str = ""
    now: dict[str, float] = {}
    now_at: datetime | None = None
    change: str = ""


class AffectedView(View):
    """Another model that an incident reached, the version that served then, and who answers for it."""

    model: str
    version: str
    team: str
    accountable: str
    channel: str


class LinkView(View):
    """A place that belongs to an incident."""

    address: str
    title: str
    by: str


class IncidentView(View):
    """One incident.

    `lead` works on it now; `responders` are all who acted on it. `severity_set` is the severity that a person gave it,
    `merged_into` the number of the incident that it became part of. It `affects` other models by their lineage; of
    one that flaps nothing is told until `quiet_until`. `runs` are the runs of runbooks about it, newest first.
    """

    id: int
    model: str
    status: str
    severity: str
    peak: str
    title: str
    opened_at: datetime
    changed_at: datetime
    resolved_at: datetime | None
    acknowledged_by: str
    resolved_by: str
    reopened: int
    version: int
    findings: list[FindingView]
    lead: str = ""
    responders: list[str] = []
    snoozed_until: datetime | None = None
    snoozed_by: str = ""
    snoozed_because: str = ""
    severity_set: str | None = None
    links: list[LinkView] = []
    merged_into: int | None = None
    affects: list[AffectedView] = []
    quiet_until: datetime | None = None
    escalation: EscalationView | None = None
    runs: list[RunBrief] = []
    acknowledged_at: datetime | None = None


class AlertView(View):
    """One alert that is pending or firing; `since` is when its oldest severity began to fail."""

    model: str
    rule: str
    labels: dict[str, str]
    kind: str
    state: str
    severity: str | None
    since: datetime | None
    basis: str = ""


class IncidentDoneView(View):
    """The incident after an act, and the entry that proves it; `still_firing` findings tell nobody until they clear.

    Of one that was closed by hand, `under_way` are the runs about it that go on.
    """

    incident: IncidentView
    entry: int
    still_firing: int = 0
    under_way: list[str] = []


class NotificationView(View):
    """One delivery: to whom, why, and what became of it.

    `to` are people by id, nobody in it for a notifier's place; `level` is that of a page, 0 for what is none; `rule`
    says what made it so.
    """

    at: datetime
    notifier: str
    reason: str
    state: str
    attempts: int
    receipt: str
    text: str
    to: list[str] = []
    level: int = 0
    rule: str = ""


class WhyView(View):
    """Every notification of an incident, and the runs of runbooks about it.

    The title is of the moment it began or worsened; `now` says what is otherwise by now, as far as that is known.
    """

    incident: int
    model: str
    title: str
    status: str = ""
    now: list[str] = []
    notifications: list[NotificationView]
    runs: list[RunBrief] = []


class TimelineLine(View):
    """One entry about an incident, in words; its text holds what came from outside, unescaped.

    `channel` is where the actor did it: api, cli, slack, tui, or run for what a run did in their name; "" where that is
    not known, and for the engine. `rule` is the rule that made the engine do it, `run` the run of a runbook that it is
    about. `source` is what made it happen in a word: the channel ("runbook" for a run), or of the engine "rule",
    "runbook" or "escalation"; "" where none of them did.
    """

    seq: int
    at: datetime
    actor: str
    channel: str
    text: str
    kind: str
    rule: str = ""
    run: str = ""
    source: str = ""


class TermView(View):
    """One part of an expression with its truth (None: could not be told) and the values in it.

    `computed` is what is made of the values; `line` the text with them, such as "metrics.recall 0.54 < 0.60"; `items`
    are those that decided a macro.
    """

    text: str
    true: bool | None
    values: dict[str, Any]
    computed: dict[str, Any] = {}
    line: str = ""
    items: list[ItemView] = []


class ItemView(View):
    """An item that decided a macro such as exists(…), with the parts of its condition."""

    item: str
    terms: list[TermView]


class RuleView(View):
    """One rule instance as judged now; `expected` tells whether the data that it lacks were due."""

    rule: str
    labels: dict[str, str] = {}
    outcome: str
    expected: bool = True
    severity: str | None = None
    reason: str = ""
    basis: str = ""
    summary: str = ""
    remedy: str = ""
    inputs: list[dict[str, Any]] = []
    terms: list[TermView] = []
    origin: str = ""


def incident_view(incident: Incident) -> IncidentView:
    """Return an incident as it is shown, worst finding first."""
    ordered = [*incident.firing, *(each for each in incident.findings if not each.firing)]
    return IncidentView(
        id=incident.id,
        model=incident.model,
        status=incident.status,
        severity=incident.severity,
        peak=incident.peak,
        title=incident.title,
        opened_at=incident.opened_at,
        changed_at=incident.changed_at,
        resolved_at=incident.resolved_at,
        acknowledged_by=incident.acknowledged_by,
        resolved_by=incident.resolved_by,
        reopened=incident.reopened,
        version=incident.version,
        findings=[_finding(each) for each in ordered],
        lead=incident.lead or incident.acknowledged_by,
        responders=list(incident.responders),
        snoozed_until=incident.snoozed_until,
        snoozed_by=incident.snooze.by if incident.snooze else "",
        snoozed_because=incident.snooze.because if incident.snooze else "",
        severity_set=incident.severity_set,
        links=[LinkView(address=each.address, title=each.title, by=each.by) for each in incident.links],
        merged_into=incident.merged_into,
        affects=[
            AffectedView(
                model=each.model,
                version=each.version,
                team=each.team,
                accountable=each.accountable,
                channel=each.channel,
            )
            for each in incident.affects
        ],
        quiet_until=incident.damped_until,
        acknowledged_at=incident.acknowledged_at,
    )


def why_view(incident: Incident, effects: Sequence[Effect]) -> WhyView:
    """Return the notifications of an incident, in the order in which they were decided."""
    return WhyView(
        incident=incident.id,
        model=incident.model,
        title=incident.title,
        notifications=[
            NotificationView(
                at=each.message.at,
                notifier=each.notifier,
                reason=each.message.reason,
                state=each.state,
                attempts=each.attempts,
                receipt=each.receipt,
                text=each.message.title,
                to=[one.person for one in each.to],
                level=each.level,
                rule=each.rule,
            )
            for each in effects
        ],
    )


def _finding(finding: Finding) -> FindingView:
    return FindingView(
        rule=finding.key.rule,
        labels=dict(finding.key.labels),
        kind=finding.key.kind,
        severity=finding.severity,
        peak=finding.peak,
        summary=finding.summary,
        since=finding.since,
        ended=finding.ended,
        times=finding.times,
        basis=finding.basis,
        values=dict(finding.values),
        story=list(finding.story),
        ending=finding.ending,
        model=finding.key.model,
    )
