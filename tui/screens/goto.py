"""Go to anything that has a name: a model, an incident, a run, an approval, an entry of the log, a view."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from tui.places import Place, places

if TYPE_CHECKING:
    from tui.app import GovApp


class Goto(ModalScreen[None]):
    """Takes a name, offers what begins so or has it, and goes there."""

    CSS_PATH = "goto.tcss"
    BINDINGS = [
        Binding("escape", "dismiss(None)", "Back"),
        Binding("down", "along(1)", show=False),
        Binding("up", "along(-1)", show=False),
    ]
    app: GovApp

    def __init__(self) -> None:
        super().__init__()
        self._places: list[Place] = []

    def compose(self) -> ComposeResult:
        """Lay out the field and what fits."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = "Go to", "enter goes · esc stays"
            yield Input(placeholder="a model, INC-4, RUN-2, APR-3, #120 of the log, or a view", id="name", compact=True)
            yield OptionList(id="found")

    def on_mount(self) -> None:
        """Begin in the field."""
        self.query_one("#found").can_focus = False
        self.query_one("#name").focus()
        self._offer("")

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def _offer(self, text: str) -> None:
        self._places = places(self.app.snapshot, text)
        found = self.query_one("#found", OptionList)
        found.clear_options()
        found.add_options([Option(Content.from_markup(each.shown)) for each in self._places])
        found.highlighted = 0 if self._places else None

    def action_along(self, by: int) -> None:
        """Move among what fits."""
        found = self.query_one("#found", OptionList)
        if self._places:
            found.highlighted = ((found.highlighted or 0) + by) % len(self._places)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self._go(event.option_index)

    @on(Input.Submitted)
    def _submitted(self) -> None:
        highlighted = self.query_one("#found", OptionList).highlighted
        if highlighted is not None:
            self._go(highlighted)

    def _go(self, index: int) -> None:
        place = self._places[index]
        self.dismiss(None)
        self.app.go(place)
