"""What a change of the policies would do, as it is shown."""

from __future__ import annotations

from datetime import datetime

from governance.views.view import View


class RuleChangeView(View):
    """How one rule differs: added, removed, tightened, loosened or changed, and in which respect."""

    model: str
    rule: str
    tier: int
    effect: str
    reasons: list[str] = []
    needs_approval: bool = False


class RunbookChangeView(View):
    """How one runbook differs: added, removed, changed or loosened, and what it no longer asks people for."""

    runbook: str
    effect: str
    reasons: list[str] = []


class MetricChangeView(View):
    """How one metric differs: added, removed or changed."""

    model: str
    metric: str
    effect: str
    reasons: list[str] = []


class IncidentEffectView(View):
    """What would have become of a recorded incident.

    `effect` is missed, earlier, later, graver, milder, or unknown where the present version does not find it either.
    `seconds` is by how much earlier or later.
    """

    incident: int
    model: str
    title: str
    opened_at: datetime
    effect: str
    seconds: float = 0.0
    before: str = ""
    after: str = ""


class NewIncidentView(View):
    """An incident that there would have been beside those that were."""

    model: str
    opened_at: datetime
    severity: str
    title: str


class ReplayView(View):
    """Both versions on what was recorded from `since` to `until`, at `instants` that lie `spacing` seconds apart.

    `first` is the earliest of these instants: what was recorded may begin much later than `since`.

    `pages` counts how often people would have been told (info tells nobody), `critical` those about something critical.
    `unknown` names rules that cannot be replayed, each with the reason; `left_out` models for which there was no time.
    """

    since: datetime
    until: datetime
    models: list[str]
    instants: int
    first: datetime | None = None
    spacing: float
    pages_before: int
    pages_after: int
    critical_before: int
    critical_after: int
    incidents: list[IncidentEffectView] = []
    new_incidents: list[NewIncidentView] = []
    unknown: dict[str, str] = {}
    left_out: list[str] = []
    asked: int = 0


class PlanView(View):
    """How policies differ from those that rule, who must approve, and what they would have told.

    `running` is the version that rules, "" where none ever did. `loosened` are the models of tier 1 for
    which rules or runbooks are looser; `who_may` are people who may be the second person.
    """

    running: str
    version: str
    unchanged: bool
    summary: str
    changes: list[str] = []
    rules: list[RuleChangeView] = []
    metrics: list[MetricChangeView] = []
    runbooks: list[RunbookChangeView] = []
    models_added: list[str] = []
    models_removed: list[str] = []
    needs_approval: bool = False
    loosened: list[str] = []
    who_may: list[str] = []
    replay: ReplayView | None = None
