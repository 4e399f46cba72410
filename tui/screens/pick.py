"""Choose one of a few things; those that cannot be chosen say why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.text import safe

LINES = 4
"""Lines of a choice that says why it is none, and what that rests on, where they are long."""
AROUND = 8
"""Lines around the choices."""


class Choosable(NamedTuple):
    """What is offered: its name, what it is, why it cannot be chosen ("" where it can), and what comes of choosing.

    `beneath` is what that rests on, as it is written, for where there is room.
    """

    name: str
    about: str
    why_not: str
    chosen: Callable[[], object]
    beneath: str = ""


class Pick(ModalScreen[None]):
    """A list of choices."""

    CSS_PATH = "pick.tcss"
    BINDINGS = [Binding("escape", "dismiss(None)", "Back"), Binding("j", "along(1)"), Binding("k", "along(-1)")]

    def __init__(self, title: str, offered: Sequence[Choosable]) -> None:
        super().__init__()
        self._title, self._offered = title, offered

    def compose(self) -> ComposeResult:
        """Lay out the choices."""
        with Vertical(id="box") as box:
            box.border_title, box.border_subtitle = safe(self._title), "enter chooses · esc goes back"
            room = LINES * len(self._offered) + AROUND <= self.app.size.height
            shown = [Option(_shown(each, room=room), disabled=bool(each.why_not)) for each in self._offered]
            yield OptionList(*shown, id="offered")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.query_one(OptionList).focus()

    def action_along(self, by: int) -> None:
        """Move among the choices."""
        offered = self.query_one(OptionList)
        if by > 0:
            offered.action_cursor_down()
        else:
            offered.action_cursor_up()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(None)
        self._offered[event.option_index].chosen()


def _shown(each: Choosable, *, room: bool) -> Content:
    why = f"\n  [$warning]✗ {safe(each.why_not)}[/]" if each.why_not else ""
    why += f"\n    [$muted]{safe(each.beneath)}[/]" if each.why_not and each.beneath and room else ""
    return Content.from_markup(f"[b]{safe(each.name)}[/]  [$muted]{safe(each.about)}[/]{why}")
