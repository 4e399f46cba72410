"""The effective policy of a model with the place of every value."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from governance.views.view import View

WaiverState = Literal["active", "pending", "refused", "written", "over"]
OriginKind = Literal["card", "pack", "pack default", "org", "built in"]


class ReplacedView(View):
    """A value that another took the place of."""

    value: str
    kind: OriginKind
    place: str = ""


class ValueView(View):
    """A value, what kind of document says it, and at which file:line:column; what is built in has no place.

    `effect` says whether it is stricter than what it `replaced`.
    """

    name: str
    value: str
    kind: OriginKind
    place: str = ""
    effect: str = ""
    replaced: list[ReplacedView] = []


class ExplainedPack(View):
    """A pack: whether it selects the model, and by which condition."""

    pack: str
    selects: bool
    applies_to: str = ""
    place: str = ""


class ExplainedMetric(View):
    """A metric with its values; `why_not` where the model cannot have it."""

    name: str
    values: list[ValueView] = []
    why_not: str = ""


class ExplainedWaiver(View):
    """A waiver of a rule; `state` `written` is one in a file that no engine has read, `over` one whose time is over.

    `by` approved or refused it.
    """

    id: str
    rule: str
    labels: dict[str, str]
    state: WaiverState
    because: str
    requested_by: str
    by: str = ""
    until: datetime
    ends_on: list[str] = []
    place: str = ""


class ExplainedRule(View):
    """A rule with its values; `why_not` where this model is not judged by it."""

    rule: str
    pack: str = ""
    values: list[ValueView] = []
    waivers: list[ExplainedWaiver] = []
    why_not: str = ""


class ExplainedView(View):
    """Everything that is asked of one model."""

    model: str
    version: str
    card: list[ValueView]
    organisation: list[ValueView]
    packs: list[ExplainedPack]
    parameters: list[ValueView]
    slos: list[ValueView]
    metrics: list[ExplainedMetric]
    rules: list[ExplainedRule]
