"""The parts of what is told beside a list: facts, chart, condition, runbook, escalation, timeline."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from governance.views import ApprovalView, FindingView, FleetRow, IncidentView
from governance.views.runs import RunView
from governance.views.series import SeriesView
from tui.facts import Facts
from tui.known import GLYPHS, Snapshot, span
from tui.text import SEVERITIES, fact, head, safe
from tui.widgets.chart import chart
from tui.widgets.condition import values, violated
from tui.widgets.incident import headline, healthy, in_short, incident_facts, more
from tui.widgets.ladder import ladder
from tui.widgets.parts import Part
from tui.widgets.run import in_brief
from tui.widgets.story import judged_of, rule_of, story
from tui.widgets.unjudged import unjudged

CHARTS = 3
"""Metrics that are drawn of a model without an incident, where there is room."""
_TOLD = 2
"""Lines of text that an entry of the timeline has, about."""


def parts(
    known: Snapshot, incident: IncidentView | None, row: FleetRow | None, at: datetime, found: Facts | None, width: int
) -> list[Part]:
    """Return what is known, in the order in which it is read; what is not fetched yet is said."""
    model = incident.model if incident is not None else row.model if row is not None else ""
    found = found if found is not None and found.subject.model == model else None
    asks = [each for each in known.approvals if row is not None and each.model == row.model]
    if incident is None:
        told = list(_of_model(row, at, found, asks, width)) if row is not None else []
    else:
        told = list(_of_incident(incident, row, at, found, asks, width))
    lacks = found.lacks if found is not None else ""
    last = f"[$warning]✗ {safe(lacks)}[/]" if lacks else "[$muted]… fetching[/]" if found is None else ""
    return [*told, *([Part("more", 1, [last])] if last else [])]


def _of_model(row: FleetRow, at: datetime, found: Facts | None, asks: list[ApprovalView], width: int) -> Iterator[Part]:
    switch = found.switch if found is not None else None
    waived = [fact("waived", f"[$accent]◇ {safe(each)}[/]") for each in row.waived]
    yield Part("facts", 0, [*healthy(row), *in_short(row, at, switch), *waived, *_asked(asks)])
    if found is None:
        return
    yield Part("not judged", 1, list(unjudged(found.last, at)), 2)
    drawn = [each for each in found.series if each.points and each.limit is not None]
    first = [each for each in drawn if row.metric is not None and each.name.endswith(row.metric.name)]
    named = {each.name: each for each in [*first, *drawn]}
    for rank, each in enumerate(list(named.values())[:CHARTS], 2):
        yield Part(each.name, rank, _chart(each, width))


def _of_incident(
    incident: IncidentView,
    row: FleetRow | None,
    at: datetime,
    found: Facts | None,
    asks: list[ApprovalView],
    width: int,
) -> Iterator[Part]:
    if found is not None and found.incident is not None and found.incident.version >= incident.version:
        incident = found.incident  # it knows the levels and the remedies
    switch = found.switch if found is not None else None
    model = in_short(row, at, switch) if row is not None else ()
    own = [*headline(incident), "", *incident_facts(incident, row, at)]
    yield Part("facts", 0, [*own, *model, *_asked(asks), *more(incident, at)])
    worst = next((each for each in incident.findings if not each.ended), None)
    drawn = _series(worst, found) if worst is not None and found is not None else None
    if drawn is not None:
        yield Part("chart", 4, _chart(drawn, width))
    if found is not None:
        yield Part("not judged", 2, list(unjudged(found.last, at)), 2)
    yield Part("policy", 1, list(_why(incident, worst, found, at)), 3)
    yield Part("runbook", 2, list(_runs(incident, found, at, width)), 4)
    yield Part("escalation", 3, list(ladder(incident, at, width)))
    if found is not None:
        yield Part("timeline", 5, list(story(found.timeline, at, _TOLD * max(width - 10, 20) - 16)), 2)


def _asked(asks: list[ApprovalView]) -> list[str]:
    """Return what of the model waits for somebody's consent."""
    return [fact("to approve", f"[$warning]{safe(each.id)}[/] {safe(', '.join(each.who_may))}") for each in asks]


def _chart(series: SeriesView, width: int) -> list[str]:
    labels = " ".join(f"{name}={value}" for name, value in series.labels.items())
    return [f"{head(safe(series.name))} [$muted]{safe(labels)}[/]", *chart(series, width)]


def _series(finding: FindingView, found: Facts) -> SeriesView | None:
    mine = (each for each in found.series if each.rule == finding.rule and each.labels == finding.labels)
    return next((each for each in mine if each.points), None)


def _why(incident: IncidentView, worst: FindingView | None, found: Facts | None, at: datetime) -> Iterator[str]:
    """Yield the condition that is violated with its values and the remedy, and the other findings in a line each."""
    if worst is not None:
        labels = " ".join(f"{name}={value}" for name, value in worst.labels.items())
        since = f"for {span(worst.since, at)}{f' · {safe(worst.basis)}' if worst.basis else ''}"
        yield f"{head(f'Policy · {safe(worst.rule)}')} [$muted]{safe(labels)}{' · ' if labels else ''}{since}[/]"
        rule, when = rule_of(worst, found)
        if when:
            yield from violated(when, judged_of(worst, found), worst.values)
        elif worst.values:
            yield f"[b $error]✗[/] {values(worst.values)}"
        if worst.remedy or (rule is not None and rule.remedy):
            yield f"  → {safe(worst.remedy or (rule.remedy if rule is not None else ''))}"
    for each in incident.findings:
        if each is not worst:
            colour = "$muted" if each.ended else SEVERITIES.get(each.severity, "$secondary")
            mark = "✓" if each.ended else GLYPHS.get(each.severity, "?")
            yield f"[{colour}]{mark} {safe(each.summary)}[/] [$muted]{safe(each.rule)}[/]"


def _runs(incident: IncidentView, found: Facts | None, at: datetime, width: int) -> Iterator[str]:
    """Yield the runs that are under way with their steps; of those that ended what came of them."""
    if found is None:
        for one in incident.runs:
            yield f"{head(f'Runbook · {safe(one.runbook)}')} [$muted]{safe(one.id)}[/] {safe(one.summary)}"
        return
    under_way = [each for each in found.runs if each.ended_at is None]
    for each in under_way:
        yield from in_brief(each, at, width)
    yield from map(_ended, (each for each in found.runs if each.ended_at is not None))
    if not found.runs:
        yield f"{head('Runbook')} [$muted]none has been started: b starts one[/]"


def _ended(run: RunView) -> str:
    return f"{head(f'Runbook · {safe(run.runbook)}')} [$muted]{safe(run.id)}[/] {safe(run.said or run.state)}"
