"""Who is on call by each schedule, and the shifts ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.widgets.header import Header
from tui.widgets.on_call import drawn

if TYPE_CHECKING:
    from tui.app import GovApp

NONE = "no schedule in org.yaml says who is on call; docs/on-call.md shows one"


class OnCall(Screen[None]):
    """The schedules, one below the other, each with what comes in the next days."""

    DEFAULT_CSS = """
    OnCall Header { height: 1; padding: 0 1; background: $panel; }
    OnCall #duties { height: 1fr; border: round $border; border-title-style: bold; padding: 0 1; }
    OnCall #duties.stale { opacity: 70%; }
    """
    BINDINGS = [Binding("escape,1,7", "app.pop_screen", "Back")]
    app: GovApp

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        yield Header(id="header")
        with VerticalScroll(id="duties"):
            yield Static(id="shifts")
        yield Footer()

    def on_mount(self) -> None:
        """Draw at once."""
        duties = self.query_one("#duties")
        duties.border_title, duties.border_subtitle = "On-call", "by the clock of each schedule"
        duties.focus()
        self.paint()

    def paint(self) -> None:
        """Draw what is known now."""
        if not self.query(Header):  # not laid out yet, or taken down
            return
        known, at = self.app.snapshot, self.app.at()
        self.query_one(Header).show(known, self.app.offline, self.app.heard, at)
        self.query_one("#duties").set_class(self.app.offline is not None, "stale")
        if known is None:
            return
        blocks = [drawn(each, at, known.who.actor) for each in known.on_call]
        shown = "\n\n".join(blocks) or f"[$muted]{NONE}[/]"
        self.query_one("#shifts", Static).update(Content.from_markup(shown))
