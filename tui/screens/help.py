"""Every key of the screen below, and why one does nothing now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import keys_of
from tui.screens.frame import Frame
from tui.text import HANG, head, safe
from tui.widgets.tabs import VIEWS
from tui.widgets.told import Hanging

if TYPE_CHECKING:
    from tui.app import GovApp

SHARED = 4
"""From so many keys on, the reason that all of them are off is said once, before them."""
WIDTH = 11
"""Cells for the keys."""
_EVERYWHERE = frozenset(name for name, _ in keys_of(("app", "list")))
_DIGITS = [str(digit) for digit, _ in enumerate(VIEWS, 1)]


class Row(NamedTuple):
    """Keys as they are written, what they do, and why they do nothing now, "" where they do."""

    keys: str
    about: str
    why: str


class Help(ModalScreen[None]):
    """Lists the keys."""

    CSS_PATH = "help.tcss"
    BINDINGS = [Binding("escape,question_mark,q", "dismiss(None)", "Back")]
    app: GovApp

    def __init__(self, below: Frame) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out the keys of the screen below, what can be done now and what not, and why."""
        with VerticalScroll(id="box") as box:
            box.border_title, box.border_subtitle = "Keys", "esc goes back · keys.toml changes them"
            yield Static(Hanging(Content.from_markup("\n".join(self._lines()))))

    def _lines(self) -> Iterator[str]:
        below, now = self._below, self._below.here()
        listed: dict[bool, list[tuple[str, Row]]] = {False: [], True: []}
        for name, key in below.live_keys():
            row = Row(self.app.written(name, key), key.about, key.off(now))
            listed[name in _EVERYWHERE].append((_alike(key.act), row))
        yield from _part("Here", list(_together(listed[False])))
        yield ""
        yield from _part("Everywhere", list(_together(listed[True])))


def _alike(act: str) -> str:
    """Return what acts that stand in one row have in common: there and back again, and all views."""
    return act.replace("-", "") if act.startswith("move(") else "view" if act.startswith("view(") else act


def _together(found: Sequence[tuple[str, Row]]) -> Iterator[Row]:
    """Yield the rows, those of keys that belong together as one."""
    for alike, group in groupby(found, key=lambda each: each[0]):
        rows = [row for _, row in group]
        if alike != "view":
            yield Row(" ".join(each.keys for each in rows), ", ".join(each.about for each in rows), rows[0].why)
        elif [each.keys for each in rows] == _DIGITS:
            yield Row(f"1 … {len(rows)}", "go to a view: they are numbered in the second line", "")
        else:
            yield from rows


def _part(title: str, rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a part; a reason that many keys share is said once."""
    shared = [why for why, count in Counter(row.why for row in rows).items() if why and count >= SHARED]
    yield head(title)
    yield from (f"[$warning]off: {safe(why)}[/]" for why in shared)
    for keys, about, why in rows:
        off = f"  [$warning]✗ off{'' if why in shared else f': {safe(why)}'}[/]" if why else ""
        yield f"[{'$muted' if why else 'b $primary'}]{safe(keys):<{WIDTH}}[/]{HANG}{safe(about)}{off}"
