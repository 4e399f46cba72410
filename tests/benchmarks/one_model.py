"""What an engine answers about one model and its incident, as much of it as a usual model has."""

from __future__ import annotations

from datetime import datetime, timedelta

from governance.views import FleetRow, ModelView, Page, PolicyRuleView, PolicyView, RuleView, TermView, TimelineLine
from governance.views.models import VerdictsView
from governance.views.series import PointView, SeriesView
from governance.views.view import View

RULES = 13
POINTS = 60
LINES = 15


def about(path: str, row: FleetRow, at: datetime) -> View:
    """Return the answer to a question about a model, or about its incident."""
    what = path.rpartition("/")[2]
    rules = [f"pack/rule-{index}" for index in range(RULES)]
    if what == "policy":
        ruled = [PolicyRuleView(rule=each, when={"critical": "metrics.psi > 0.25"}, remedy="Look.") for each in rules]
        return PolicyView(model=row.model, version="1", rules=ruled, metrics=[], parameters={})
    if what == "series":
        points = [PointView(at=at - timedelta(minutes=each), value=each / POINTS) for each in range(POINTS)][::-1]
        return Page(items=[SeriesView(name="psi", rule=each, limit=0.25, points=points) for each in rules[:4]])
    if what == "verdicts":
        term = TermView(text="metrics.psi > 0.25", true=True, values={"metrics.psi": 0.41})
        judged = [RuleView(rule=each, outcome="fail", terms=[term]) for each in rules]
        return VerdictsView(model=row.model, judged_at=at, items=judged)
    return ModelView(model=row.model, card={}, row=row, switch=None)


def timeline(after: int, at: datetime) -> Page[TimelineLine]:
    """Return what became of an incident after an entry."""
    return Page(
        items=[
            TimelineLine(seq=seq, at=at, actor="engine", channel="", text="3 findings fire", kind="incident.updated")
            for seq in range(after + 1, LINES)
        ]
    )
