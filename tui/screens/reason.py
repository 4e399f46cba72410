"""Ask for one sentence before an act."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from tui.widgets.incident import safe


class Reason(ModalScreen[str | None]):
    """Gives the sentence, None when the person went back."""

    DEFAULT_CSS = """
    Reason { align: center middle; background: $background 70%; }
    Reason #box { width: 80; max-width: 100%; height: auto; border: heavy $warning; padding: 1 2;
                  background: $surface; }
    """
    BINDINGS = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, title: str, question: str) -> None:
        super().__init__()
        self._title, self._question = title, question

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = safe(self._title), "enter does it · esc cancels"
            yield Label(safe(self._question))
            yield Input(id="because", compact=True)

    @on(Input.Submitted)
    def _done(self, event: Input.Submitted) -> None:
        if event.value.strip():
            self.dismiss(event.value.strip())
