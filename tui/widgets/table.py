"""A table of lines under a cursor: each line is drawn when it is seen, so that ten thousand cost what forty do.

The cursor stays on its row, however the rows move.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.events import Click
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip

from tui.keys import bindings
from tui.widgets.columns import Column, cell, fitting, width_of
from tui.widgets.framed import Framed

T = TypeVar("T")
MANY = 500
"""Rows from which the columns are fitted anew only when rows come or go."""


class Table(Framed, Generic[T], can_focus=True):
    """One line per row; a subclass says which columns there are, and what stands in them."""

    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    DROPPED: ClassVar[tuple[int, ...]] = ()
    """Which columns go first where there is no room."""
    COMPONENT_CLASSES = {
        f"table--{each}"
        for each in (
            "head",
            "cursor",
            "critical",
            "hot",
            "warning",
            "info",
            "none",
            "unknown",
            "dim",
            "dead",
            "strong",
            "away",
        )
    }
    DEFAULT_CSS = """
    Table { height: 1fr; }
    Table > .table--head { color: $muted; text-style: bold; }
    Table > .table--cursor { background: $row-cursor; }
    Table > .table--critical { color: $critical; background: $critical-ground; text-style: bold; }
    Table > .table--hot { color: $hot; text-style: bold; }
    Table > .table--warning { color: $warning; }
    Table > .table--info { color: $secondary; }
    Table > .table--none { color: $success; }
    Table > .table--unknown { color: $warning; }
    Table > .table--dim { color: $muted; }
    Table > .table--strong { text-style: bold; }
    Table > .table--away { color: $accent; text-style: bold; }
    Table > .table--dead { color: $critical; background: $dead; text-style: bold; }
    """
    BINDINGS = bindings("list")

    class Selected(Message):
        """Another row is under the cursor, or it has changed."""

    class Moved(Message):
        """A person moved the cursor."""

    class Opened(Message):
        """A row was chosen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._rows: Sequence[T] = ()
        self._at: datetime | None = None
        self._cursor = 0
        self._left: int | None = None
        self._marked: frozenset[str] = frozenset()
        self._longest: dict[int, int] = {}
        self._fitted: tuple[int, list[tuple[int, Column]]] = (-1, [])
        self._drawn: dict[tuple[int, bool, bool, int], Strip] = {}
        self._cells: dict[int, list[tuple[str, str]]] = {}
        self._ground: Style | None = None

    def name_of(self, row: T) -> str:
        """Return by what the cursor knows a row."""
        raise NotImplementedError

    def cells(self, row: T, at: datetime) -> list[tuple[str, str]]:
        """Return the text of each column and the name of its style, "" for the usual one."""
        raise NotImplementedError

    def text_of(self, row: T, column: int) -> str:
        """Return the text by which a column with `most` is as wide as it must be."""
        return self.cells(row, self._known_at)[column][0]

    @property
    def selected(self) -> T | None:
        """The row under the cursor."""
        return self._rows[self._cursor] if self._cursor < len(self._rows) else None

    @property
    def rows(self) -> Sequence[T]:
        """What is shown, in order."""
        return self._rows

    def show(self, rows: Sequence[T], at: datetime) -> None:
        """Draw these rows as of an instant; the cursor stays on its row, at the top it stays at the top."""
        chosen, cursor = self.selected, self._cursor
        if chosen is not None:
            self._cursor = self._found(rows, self.name_of(chosen))
            self._note_strayed(cursor)
        many = len(rows) == len(self._rows) > MANY
        other = rows is not self._rows
        self._rows, self._at = rows, at
        wide = self._longest
        if other and not many:
            self._measure()
        size = Size(0, len(rows) + 1)
        if size != self.virtual_size or wide != self._longest or self._ground != self.rich_style:
            self.virtual_size = size
            self._forget()
            self.refresh()
        else:
            self._redraw(*self._changed(), *({cursor, self._cursor} if cursor != self._cursor else ()))
        self.post_message(self.Selected())

    def says(self, text: str) -> None:
        """Write below the rows."""
        if self.border_subtitle != text:
            self.border_subtitle = text

    def mark(self, names: frozenset[str]) -> None:
        """Draw a + before the rows of these names."""
        self._marked = names
        self._forget()
        self.refresh()

    def _changed(self) -> list[int]:
        """Return the rows in sight that say something else than they did, and forget how they were drawn."""
        top = self.scroll_offset.y
        seen = range(top, min(top + self.size.height, len(self._rows)))
        before, self._cells = self._cells, {index: self.cells(self._rows[index], self._known_at) for index in seen}
        changed = [index for index, said in self._cells.items() if before.get(index) != said]
        self._drawn = {
            key: strip for key, strip in self._drawn.items() if before.get(key[0]) == self._cells.get(key[0], ())
        }
        return changed

    def _redraw(self, *rows: int) -> None:
        """Draw the lines of some rows anew, and no others."""
        top = self.scroll_offset.y
        lines = [Region(0, each + 1 - top, self.size.width, 1) for each in rows]
        if lines:
            self.refresh(*lines)

    def _forget(self) -> None:
        """Draw all lines anew when they are drawn next."""
        self._drawn.clear()
        self._cells.clear()
        self._ground = None

    def select(self, name: str) -> None:
        """Put the cursor on a row."""
        index = next((index for index, row in enumerate(self._rows) if self.name_of(row) == name), None)
        if index is not None:
            self.go(index)

    @property
    def strayed(self) -> str:
        """What to say when the row under the cursor has left sight, "" when it has not."""
        if self._left is None:
            return ""
        return f"the row you were at is now line {self._cursor + 1:,}: enter opens it, j goes on here"

    def _note_strayed(self, cursor: int) -> None:
        """Note where the cursor was last seen: its row has gone elsewhere with the news, but the eyes have not."""
        seen = range(self.scroll_offset.y, self.scroll_offset.y + self.size.height - 1)
        if self._cursor in seen:
            self._left = None
        elif cursor in seen and self._left is None:
            self._left = cursor

    def action_move(self, by: int) -> None:
        """Move the cursor by so many rows: from its row, or where that was last seen."""
        start = self._cursor if self._left is None else self._left - (by > 0)
        self.go(start + by)

    def go(self, index: int) -> None:
        """Put the cursor on a row by its place, or the nearest there is."""
        self._left = None
        before, self._cursor = self._cursor, max(0, min(len(self._rows) - 1, index))
        offset = self.scroll_offset
        self.scroll_to_region(Region(0, self._cursor, 1, 2), animate=False, force=True)
        if self.scroll_offset == offset:  # two lines are drawn anew, not the whole table
            self._redraw(before, self._cursor)
        self.post_message(self.Selected())
        self.post_message(self.Moved())

    @property
    def at_end(self) -> bool:
        """Whether the cursor is on the last row."""
        return self._cursor >= len(self._rows) - 1

    def to_end(self) -> None:
        """Put the cursor on the last row, without anybody having moved it."""
        if not self.at_end:
            self._cursor = len(self._rows) - 1
            self.post_message(self.Selected())
        self.scroll_end(animate=False)

    def action_open(self) -> None:
        """Choose the row under the cursor."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def on_click(self, event: Click) -> None:
        """Put the cursor where was clicked; a second click opens."""
        row = event.y - self.gutter.top - 1 + self.scroll_offset.y
        if 0 <= row < len(self._rows) and not self.at_border(event):
            self.go(row)
            if event.chain == 2:
                self.action_open()

    def render_line(self, y: int) -> Strip:
        """Return one line of the table; the first is its head."""
        width = self.size.width - (self.scrollbar_size_vertical if self.show_vertical_scrollbar else 0)
        shown = self._fit(width)
        if y == 0:
            parts = [cell(column.name, column) for _, column in shown]
            head = Segment(" " + " ".join(parts), self._base + self._style("head"))
            return Strip([head]).adjust_cell_length(width, self._base)
        index = y - 1 + self.scroll_offset.y
        if index >= len(self._rows):
            return Strip.blank(width, self._base)
        # Where a key scrolls, all lines but two are what they were: 2 ms instead of 12 for those of a large terminal.
        which = (index, index == self._cursor, self.has_focus, width)
        if which not in self._drawn:
            if index not in self._cells:
                self._cells[index] = self.cells(self._rows[index], self._known_at)
            line = self._line(self._cells[index], self._edge(index), chosen=index == self._cursor, shown=shown)
            self._drawn[which] = line.adjust_cell_length(width, self._base)
        return self._drawn[which]

    def notify_style_update(self) -> None:
        """Draw all lines anew in other colours."""
        self._forget()
        super().notify_style_update()

    def _edge(self, index: int) -> str:
        """Return what tells without colour where the cursor is, and what is marked."""
        marked = bool(self._marked) and self.name_of(self._rows[index]) in self._marked
        return (" ▌", "+╋")[marked][index == self._cursor and self.has_focus]

    def _line(
        self, cells: Sequence[tuple[str, str]], edge: str, *, chosen: bool, shown: Sequence[tuple[int, Column]]
    ) -> Strip:
        base = self._base + (self._style("cursor") if chosen else Style())
        runs = [(edge, base + self._style("info"))]
        for index, column in shown:
            text, name = cells[index]
            style = base + self._style(name) if name else base
            plain = style.bgcolor == base.bgcolor  # then a blank of it is one like any other
            runs.append((cell(text, column) + (" " if plain else ""), style))
            if not plain:
                runs.append((" ", base))
        # What looks the same is one piece: all that draws a line works through its pieces.
        groups = groupby(runs, key=itemgetter(1))
        return Strip([Segment("".join(text for text, _ in group), style) for style, group in groups])

    def _found(self, rows: Sequence[T], name: str) -> int:
        if self._cursor < len(rows) and self.name_of(rows[self._cursor]) == name:
            return self._cursor
        last = min(self._cursor, max(len(rows) - 1, 0))
        return next((index for index, row in enumerate(rows) if self.name_of(row) == name), last)

    def _measure(self) -> None:
        self._longest = {
            index: max((width_of(self.text_of(row, index)) for row in self._rows), default=0)
            for index, column in enumerate(self.COLUMNS)
            if column.most
        }
        self._fitted = (-1, [])

    def _fit(self, width: int) -> list[tuple[int, Column]]:
        if self._fitted[0] != width:
            self._fitted = (width, fitting(width, self.COLUMNS, self.DROPPED, self._longest))
        return self._fitted[1]

    @property
    def _known_at(self) -> datetime:
        """The instant as of which is drawn; nothing is before the first."""
        return self._at or datetime.min  # noqa: DTZ901 (no row is there, no age is shown)

    @property
    def _base(self) -> Style:
        """The style of the table, which to compute takes a third of the time of a line."""
        if self._ground is None:
            self._ground = self.rich_style
        return self._ground

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"table--{name}", partial=True)


AnyTable = Table[Any]
