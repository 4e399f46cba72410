"""What became of a model: charts of what its rules look at, and the history of what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from governance.views import EntryView
from governance.views.series import SeriesView
from tui.known import number
from tui.text import head, safe
from tui.widgets.chart import chart
from tui.widgets.entries import said

CHARTS = 6
"""Metrics that are drawn: those of failing rules, then those with a limit."""


def charts(found: Sequence[SeriesView], width: int) -> Iterator[str]:
    """Yield what rules look at, drawn with its limit; what there is no room for as a number."""
    yield head("Metrics")
    drawn: set[tuple[str, str]] = set()
    more: list[str] = []
    for each in found:
        if each.name.startswith("budget_left("):
            continue  # the budgets stand among the service levels
        key = (each.name, str(each.labels))
        if key in drawn or not each.points:
            continue
        drawn.add(key)
        labels = " ".join(f"{name}={value}" for name, value in each.labels.items())
        if len(drawn) > CHARTS:
            more.append(f"{safe(each.name)} {safe(labels)} [b]{number(each.points[-1].value)}[/]")
            continue
        yield f"{_mark(each)} [b]{safe(each.name)}[/] [$muted]{safe(labels)} · {safe(each.rule)}[/]{_apart(each)}"
        yield from (f"  {line}" for line in chart(each, min(width - 2, 80)))
    if more:
        yield "  ".join(more)
    if not drawn:
        yield "[$muted]no value is known yet[/]"
    yield ""


def _mark(series: SeriesView) -> str:
    return "[b $error]✗[/]" if series.failing else "[$warning]◇[/]" if _beyond(series) else "[$success]✓[/]"


def _apart(series: SeriesView) -> str:
    """Say where a value is beyond its limit and the rule does not fail: it is waived, or asks for more than that."""
    return (
        "  [$warning]beyond its limit, yet the rule does not fail[/]" if _beyond(series) and not series.failing else ""
    )


def _beyond(series: SeriesView) -> bool:
    last, limit = series.points[-1].value, series.limit
    return limit is not None and (last > limit if series.above else last < limit)


def history(entries: Sequence[EntryView], at: datetime, most: int) -> Iterator[str]:
    """Yield the newest decisions about the model, the newest first."""
    shown = list(reversed(entries))[:most]
    yield head("History of decisions")
    for each in shown:
        when = f"{each.at:%H:%M:%S}" if each.at.date() == at.date() else f"{each.at:%Y-%m-%d}"
        refused = "$error" if ".refused" in each.kind else "$foreground"
        kind = f"[{refused}]{safe(each.kind)}[/]"
        yield f"[$muted]{when} #{each.seq}[/]  {kind} [b]{safe(each.actor)}[/] {safe(said(each))}"
    if not entries:
        yield "[$muted]nothing has been decided about it yet[/]"
    elif len(shown) < len(entries):
        yield f"[$muted]and older ones: view 6, / model:{safe(entries[-1].subject.get('model', ''))}[/]"
    yield ""
