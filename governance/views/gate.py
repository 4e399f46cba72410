"""What `gov gate` says of a candidate."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from governance.views.incidents import TermView
from governance.views.view import View


class RowsView(View):
    """The rows that a version was judged on; `offline` is the file that they come from, "" of the prediction log."""

    version: str
    rows: int
    oldest: datetime | None = None
    newest: datetime | None = None
    offline: str = ""
    told_apart: bool = True


class GateRuleView(View):
    """One rule instance for the candidate, and what it says of the version that serves ("" where it was not judged)."""

    rule: str
    labels: dict[str, str] = {}
    outcome: str
    severity: str | None = None
    summary: str = ""
    reason: str = ""
    inputs: list[dict[str, Any]] = []
    terms: list[TermView] = []
    origin: str = ""
    serving: str = ""
    serving_inputs: list[dict[str, Any]] = []


class NotJudgedView(View):
    """A rule by which no version can be judged, and why."""

    rule: str
    reason: str


class GateView(View):
    """A candidate judged: `fail` when a rule fails, `unjudged` when one could not be judged, else `pass`."""

    model: str
    version: str
    serving: str
    at: datetime
    policy: str
    outcome: Literal["pass", "fail", "unjudged"]
    judged_on: RowsView | None
    compared_with: RowsView | None
    rules: list[GateRuleView]
    not_judged: list[NotJudgedView]
