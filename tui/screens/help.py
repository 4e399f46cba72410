"""Every key of the screen below, and why one does nothing now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from tui.widgets.incident import safe

if TYPE_CHECKING:
    from tui.app import GovApp


class Help(ModalScreen[None]):
    """Lists the keys."""

    DEFAULT_CSS = """
    Help { align: center middle; background: $background 70%; }
    Help #box { width: 76; max-width: 100%; height: auto; max-height: 90%; border: heavy $primary;
                background: $surface; padding: 1 2; }
    """
    BINDINGS = [Binding("escape,question_mark,q", "dismiss(None)", "Back")]
    app: GovApp

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        self._below = below

    def compose(self) -> ComposeResult:
        """Lay out the keys of the screen below."""
        lines = []
        for active in self._below.active_bindings.values():
            key = self.app.get_key_display(active.binding)
            about = active.tooltip or active.binding.description
            off = "" if active.enabled else f"  [$warning]{safe(self._why())}[/]"
            lines.append(f"[b $primary]{safe(key):<10}[/] {safe(about)}{off}")
        with VerticalScroll(id="box") as box:
            box.border_title, box.border_subtitle = "Keys", "esc goes back"
            yield Static("\n".join(lines))

    def _why(self) -> str:
        if self.app.offline is not None:
            return "off: the engine is not reached"
        if self.app.read_only:
            return "off: you may only look"
        return "off: nothing to do it to at this model"
