"""One model in full: its card, its policy with the place of each part, and what was last judged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.views.fleet import FleetRow
from governance.views.incidents import RuleView
from governance.views.switches import SwitchView
from governance.views.view import View


class VersionSeenView(View):
    """A version that the card names (`roles`: serving, canary, shadow, rollback_to, fallback) or that was seen.

    `first` and `last` are None where it never was; `earlier`: of the time before `first` nothing is known. `by` names
    the metrics whose label it was, registry, or pushed.
    """

    version: str
    roles: list[str] = []
    first: datetime | None = None
    last: datetime | None = None
    earlier: bool = False
    by: list[str] = []


class ModelView(View):
    """A model: what its card says, how it is, and its switch.

    `versions` are told by what is kept of a month, the last seen first; `unseen_why` says why none can be seen.
    """

    model: str
    card: dict[str, Any]
    row: FleetRow
    switch: SwitchView | None
    versions: list[VersionSeenView] = []
    unseen_why: str = ""


class PolicyRuleView(View):
    """A rule as it holds for the model; `origin` is where its last layer is written, `why_not` why it is not judged."""

    rule: str
    pack: str = ""
    when: dict[str, str] = {}
    for_: str = ""
    keep_firing_for: str = ""
    enforcement: str = ""
    then: str = ""
    summary: str = ""
    remedy: str = ""
    controls: list[str] = []
    origin: str = ""
    why_not: str = ""


class PolicyMetricView(View):
    """A metric that the model has, with where it is declared; `why_not` where a standard one cannot be had."""

    name: str
    source: str = ""
    every: str = ""
    labels: list[str] = []
    origin: str = ""
    why_not: str = ""


class PolicyView(View):
    """The effective policy of one model."""

    model: str
    version: str
    rules: list[PolicyRuleView]
    metrics: list[PolicyMetricView]
    parameters: dict[str, Any]


class VerdictsView(View):
    """What was last judged of a model, or what is judged as of an instant."""

    model: str
    judged_at: datetime | None
    items: list[RuleView]
