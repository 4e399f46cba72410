"""Every key of the screen below, and why one does nothing now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.keys import keys_of
from tui.screens.frame import Frame
from tui.text import head, safe

if TYPE_CHECKING:
    from tui.app import GovApp

_EVERYWHERE = frozenset(name for name, _ in keys_of(("app", "list")))


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
            yield Static(Content.from_markup("\n".join(self._lines())))

    def _lines(self) -> list[str]:
        below, now = self._below, self._below.here()
        listed: dict[str, list[str]] = {"here": [], "everywhere": []}
        for name, key in below.live_keys():
            why = key.off(now)
            written = self.app.written(name, key)
            off = f"  [$warning]off: {safe(why)}[/]" if why else ""
            colour = "$muted" if why else "b $primary"
            part = "everywhere" if name in _EVERYWHERE else "here"
            listed[part].append(f"[{colour}]{safe(written):<7}[/]{safe(key.about)}{off}")
        return [head("Here"), *listed["here"], "", head("Everywhere"), *listed["everywhere"]]
