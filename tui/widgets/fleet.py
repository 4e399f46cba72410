"""The fleet as a table: one line per model, worst first; healthy ones recede."""

from __future__ import annotations

from datetime import datetime

from governance.views import FleetRow, MetricView
from tui.known import GLYPHS, MODES, WORDS, brief, number
from tui.widgets.columns import Column
from tui.widgets.table import Table

BARS = "▁▂▃▄▅▆▇█"
_MODEL = 1


class Fleet(Table[FleetRow]):
    """One line per model, worst first."""

    COLUMNS = (
        Column("", 10),
        Column("MODEL", 14, most=24),
        Column("TIER", 4, ">"),
        Column("SWITCH", 10),
        Column("WORST METRIC", 18),
        Column("", 10),
        Column("VALUE", 8, ">"),
        Column("LIMIT", 6, ">"),
        Column("P99 ms", 6, ">"),
        Column("COST/1k", 7, ">"),
        Column("OPEN", 5, ">"),
        Column("JUDGED", 6, ">"),
    )
    DROPPED = (9, 8, 2, 11, 4, 7, 10, 5, 6)

    def name_of(self, row: FleetRow) -> str:
        """Return the model."""
        return row.model

    def text_of(self, row: FleetRow, column: int) -> str:
        """Return the name of a model, the only column that fits its texts."""
        del column
        return row.model

    def cells(self, row: FleetRow, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of a model."""
        metric = row.metric
        grave = row.severity in ("critical", "warning")
        heat = "dim"
        if grave and metric is not None and metric.failing:
            heat = "hot" if row.severity == "critical" else "warning"
        switch, state = switched(row)
        return [
            (f"{GLYPHS.get(row.severity, '?')} {WORDS.get(row.severity, row.severity)}", row.severity),
            (row.model, "strong" if grave else "dim" if row.severity == "none" else ""),
            (str(row.tier), "dim"),
            (switch, state),
            (metric.name if metric else "–", "dim"),
            (sparkline(metric) if metric else "", heat),
            (number(metric.value) + trend(metric) if metric else "– ", heat),
            (number(metric.limit) if metric else "–", "dim"),
            (number(row.latency_p99 * 1000) if row.latency_p99 is not None else "–", "dim"),
            (number(row.cost_per_1k), "dim"),
            (brief(row.opened_at, at) if row.opened_at else "–", "" if row.incidents else "dim"),
            (judged(row.judged_at, at), "dim"),
        ]


def judged(since: datetime | None, at: datetime) -> str:
    """Return how long ago was judged; below a minute no more than that, so that lines stand still while all is well."""
    if since is None:
        return "–"
    return "<1m" if (at - since).total_seconds() < 60 else brief(since, at)


def switched(row: FleetRow) -> tuple[str, str]:
    """Return the state of a kill switch by glyph and word, and the name of its style."""
    if row.mode == "throttle" and row.share is not None:
        return f"◐ {row.share:.0%} held", "away"
    styles = {"live": "none", "": "dim", "stopped": "dead"}
    return MODES.get(row.mode, row.mode), styles.get(row.mode, "away")


def sparkline(metric: MetricView) -> str:
    """Return the history as ten bars of one cell each, the limit at three quarters of their height; a gap is a dot."""
    values = metric.history[::-1][:: max(-(-len(metric.history) // 10), 1)][::-1]
    known = [each for each in values if each is not None]
    if not known:
        return ""
    low = min(0.0, *known)
    high = max(metric.limit / 0.75 if metric.limit else 0.0, *known)
    scale = (high - low) or 1.0
    return "".join("·" if each is None else BARS[min(int((each - low) / scale * 8), 7)] for each in values)


def trend(metric: MetricView) -> str:
    """Return an arrow when the newest value differs by more than 2 % from the one before, else a blank."""
    before, last = metric.previous, metric.history[-1] if metric.history else None
    if before is None or last is None or abs(last - before) <= 0.02 * max(abs(before), abs(last)):
        return " "
    return "↑" if last > before else "↓"
