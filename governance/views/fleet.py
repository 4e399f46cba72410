"""The fleet as it is shown: one row per model, worst first."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from governance.views.view import View


class MetricView(View):
    """The metric of a model that is worst against its limit; `history` is oldest first, None where nothing was.

    It has as many points as were asked for at most, as far apart as each other, the last of which is the newest;
    `previous` is the one before that, however far apart these are.
    `failing` tells whether the rule that it was judged by fails.
    """

    name: str
    value: float | None
    limit: float | None = None
    failing: bool = False
    previous: float | None = None
    history: list[float | None] = Field(default_factory=list)


class FleetRow(View):
    """One model: how bad it is, what its kill switch says, and how old that is.

    `severity` is that of its worst open incident: critical, warning, info, none, or unknown where nothing can be told.
    `incidents` are those that are open, the worst first and of these the newest.
    `mode` is that of its kill switch; the engine itself, which is a row too, has none ("").
    `waived` names the rules that are not enforced, until when and by whom.
    `data_at` is the oldest instant that a judged sample speaks for, `judged_at` when that was judged.
    """

    model: str
    tier: int
    team: str
    severity: str
    mode: str
    mode_scope: str = "model"
    share: float | None = None
    incidents: list[int] = Field(default_factory=list)
    worst: str = ""
    opened_at: datetime | None = None
    metric: MetricView | None = None
    latency_p99: float | None = None
    cost_per_1k: float | None = None
    judged_at: datetime | None = None
    data_at: datetime | None = None
    outcomes: dict[str, int] = Field(default_factory=dict)
    waived: list[str] = Field(default_factory=list)


class FleetView(View):
    """A page of the fleet as of `as_of`; `judged_at` is the instant of the last complete cycle.

    `policies` tells what must be known beside `policy_version`, which rules: that the policies on disk are broken, or
    wait for approval; "" when nothing. `tallies` counts the whole fleet: critical, warning, info, none, unknown by
    severity; not_live by switch.

    `state` is what to ask `since` with later. Unless `whole`, these are only the models that changed since then, and
    `tallies` counts only these; it is whole where something else than models changed: what rules, what one may read,
    the process that answers.
    """

    environment: str
    as_of: datetime
    judged_at: datetime | None
    policy_version: str
    state: str = ""
    whole: bool = True
    policies: str = ""
    tallies: dict[str, int]
    items: list[FleetRow]
    next: str | None = None
