"""The fleet as a table of lines: each line is drawn when it is seen, so that ten thousand models cost what forty do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from governance.views import FleetRow, MetricView
from tui.known import GLYPHS, MODES, WORDS, brief, number

BARS = "▁▂▃▄▅▆▇█"


class Column(NamedTuple):
    """One column: its head, its width in cells, and to which side it leans."""

    name: str
    width: int
    side: Literal["<", ">"]


COLUMNS = (
    Column("", 10, "<"),
    Column("MODEL", 0, "<"),
    Column("TIER", 4, ">"),
    Column("SWITCH", 11, "<"),
    Column("WORST METRIC", 18, "<"),
    Column("", 10, "<"),
    Column("VALUE", 7, ">"),
    Column("LIMIT", 6, ">"),
    Column("P99 ms", 6, ">"),
    Column("OPEN", 5, ">"),
    Column("JUDGED", 6, ">"),
)
_DROPPED = (8, 2, 10, 7, 9, 5, 4, 6)
"""Which columns go first where there is no room."""
_MODEL = 1
_LEAST, _MOST = 14, 32
"""How wide the column of models is, which fits the longest name."""


class Fleet(ScrollView, can_focus=True):
    """One line per model, worst first."""

    COMPONENT_CLASSES = {
        f"fleet--{each}" for each in ("head", "cursor", "critical", "warning", "info", "none", "unknown", "dim", "dead")
    }
    DEFAULT_CSS = """
    Fleet { height: 1fr; }
    Fleet > .fleet--head { color: $muted; text-style: bold; }
    Fleet > .fleet--cursor { background: $row-cursor; }
    Fleet > .fleet--critical { color: $error; text-style: bold; }
    Fleet > .fleet--warning { color: $warning; }
    Fleet > .fleet--info { color: $secondary; }
    Fleet > .fleet--none { color: $success; }
    Fleet > .fleet--unknown { color: $warning; }
    Fleet > .fleet--dim { color: $muted; }
    Fleet > .fleet--dead { color: $error; background: $dead; text-style: bold; }
    """
    BINDINGS = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("pagedown", "move(20)", "Page down", show=False),
        Binding("pageup", "move(-20)", "Page up", show=False),
        Binding("g,home", "move(-1000000)", "First", show=False),
        Binding("G,end", "move(1000000)", "Last", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Selected(Message):
        """Another model is under the cursor."""

    class Opened(Message):
        """A model was chosen."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 (the framework's name)
        super().__init__(id=id)
        self._rows: Sequence[FleetRow] = ()
        self._at: datetime | None = None
        self._cursor = 0
        self._longest = 0

    @property
    def selected(self) -> FleetRow | None:
        """The model under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    def show(self, rows: Sequence[FleetRow], at: datetime) -> None:
        """Draw these rows as of an instant; the cursor stays on its model."""
        chosen = self.selected
        names = {row.model: index for index, row in enumerate(rows)}
        if chosen is not None:
            self._cursor = names.get(chosen.model, min(self._cursor, max(len(rows) - 1, 0)))
        self._rows, self._at = rows, at
        self._longest = max((cell_len(row.model) for row in rows), default=0)
        self.virtual_size = Size(0, len(rows) + 1)
        self.refresh()
        self.post_message(self.Selected())

    def select(self, model: str) -> None:
        """Put the cursor on a model."""
        for index, row in enumerate(self._rows):
            if row.model == model:
                self.action_move(index - self._cursor)

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows."""
        self._cursor = max(0, min(len(self._rows) - 1, self._cursor + by))
        self.scroll_to_region(Region(0, self._cursor, 1, 2), animate=False)
        self.refresh()
        self.post_message(self.Selected())

    def action_open(self) -> None:
        """Choose the model under the cursor."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def on_click(self, event: object) -> None:
        """Put the cursor where was clicked."""
        row = int(getattr(event, "y", 0)) - self.gutter.top - 1 + self.scroll_offset.y
        if 0 <= row < len(self._rows):
            self.action_move(row - self._cursor)

    def render_line(self, y: int) -> Strip:
        """Return one line of the table; the first is its head."""
        width = self.size.width
        shown = _fitting(width, self._longest)
        if y == 0:
            parts = [_cell(column.name, column) for _, column in shown]
            head = Segment(" " + " ".join(parts), self.rich_style + self._style("head"))
            return Strip([head]).adjust_cell_length(width, self.rich_style)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        return self._row(self._rows[index], index == self._cursor, shown).adjust_cell_length(width, self.rich_style)

    def _row(self, row: FleetRow, chosen: bool, shown: Sequence[tuple[int, Column]]) -> Strip:  # noqa: FBT001
        base = self.rich_style + (self._style("cursor") if chosen else Style())
        segments = [Segment("▌" if chosen and self.has_focus else " ", base + self._style("info"))]
        cells = self._cells(row)
        for index, column in shown:
            text, name = cells[index]
            style = base + (self._style(name) if name else Style())
            if index == 1 and row.severity in ("critical", "warning"):
                style += Style(bold=True)
            segments.append(Segment(_cell(text, column), style))
            segments.append(Segment(" ", base))
        return Strip(segments)

    def _cells(self, row: FleetRow) -> list[tuple[str, str]]:
        at, metric = self._at or row.judged_at, row.metric
        heat = row.severity if row.severity in ("critical", "warning") else "dim"
        switch = MODES.get(row.mode, row.mode)
        if row.mode == "throttle" and row.share is not None:
            switch = f"◐ {row.share:.0%} held"
        return [
            (f"{GLYPHS.get(row.severity, '?')} {WORDS.get(row.severity, row.severity)}", row.severity),
            (row.model, ""),
            (str(row.tier), "dim"),
            (switch, {"live": "none", "": "dim"}.get(row.mode, "dead")),
            (metric.name if metric else "–", "dim"),
            (sparkline(metric) if metric else "", heat),
            (number(metric.value) + trend(metric) if metric else "–", heat),
            (number(metric.limit) if metric else "–", "dim"),
            (number(row.latency_p99 * 1000) if row.latency_p99 is not None else "–", "dim"),
            (brief(row.opened_at, at) if row.opened_at and at else "–", "" if row.incidents else "dim"),
            (brief(row.judged_at, at) if row.judged_at and at else "–", "dim"),
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"fleet--{name}", partial=True)


def sparkline(metric: MetricView) -> str:
    """Return the history as bars of one cell each, the limit at three quarters of their height; a gap is a dot."""
    values = metric.history[-10:]
    known = [each for each in values if each is not None]
    if not known:
        return ""
    low = min(0.0, *known)
    high = max(metric.limit / 0.75 if metric.limit else 0.0, *known)
    scale = (high - low) or 1.0
    return "".join("·" if each is None else BARS[min(int((each - low) / scale * 8), 7)] for each in values)


def trend(metric: MetricView) -> str:
    """Return an arrow when the last two known values differ by more than 2 %, else a blank."""
    known = [each for each in metric.history if each is not None][-2:]
    if len(known) < 2 or abs(known[1] - known[0]) <= 0.02 * max(abs(known[0]), abs(known[1])):
        return " "
    return "↑" if known[1] > known[0] else "↓"


def _fitting(width: int, longest: int) -> list[tuple[int, Column]]:
    shown = dict(enumerate(COLUMNS))
    shown[_MODEL] = shown[_MODEL]._replace(width=max(_LEAST, min(longest, _MOST)))
    for index in _DROPPED:
        if 1 + sum(column.width + 1 for column in shown.values()) <= width:
            break
        del shown[index]
    return list(shown.items())


def _cell(text: str, column: Column) -> str:
    """Return a text in exactly the width of its column; what is cut ends in an ellipsis."""
    if cell_len(text) > column.width:
        return set_cell_size(text, column.width - 1) + "…"
    pad = " " * (column.width - cell_len(text))
    return pad + text if column.side == ">" else text + pad
