"""Who is on call by each schedule, and the shifts ahead."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from tui.screens.frame import Frame
from tui.widgets.on_call import drawn
from tui.widgets.told import Told

NONE = "no schedule in org.yaml says who is on call; docs/on-call.md shows one"


class OnCall(Frame):
    """The schedules, one below the other, each with what comes in the next days."""

    CSS_PATH = ["frame.tcss", "on_call.tcss"]
    VIEW = "on_call"
    _wanted = ""
    """The schedule to scroll to."""

    def body(self) -> ComposeResult:
        """Lay out the schedules."""
        with VerticalScroll(id="duties", classes="whole"):
            yield Told(id="shifts")

    def begun(self) -> None:
        """Begin at the top."""
        duties = self.query_one("#duties")
        duties.border_title = "On-call"
        duties.focus()

    def at_rest(self) -> None:
        """Put the focus on the schedules."""
        self.query_one("#duties").focus()

    def point_at(self, name: str) -> None:
        """Scroll to a schedule."""
        self._wanted = name
        self.app.paint()

    def draw(self, at: datetime) -> None:
        """Draw what is known now."""
        known = self.app.snapshot
        if known is None:
            return
        blocks = [drawn(each, at, known.who.actor) for each in known.on_call]
        shown = "\n\n".join(blocks) or f"[$muted]{NONE}[/]"
        self.query_one("#shifts", Told).tell(shown)
        if self._wanted:
            before = next((index for index, each in enumerate(known.on_call) if each.schedule == self._wanted), 0)
            line = sum(each.count("\n") + 2 for each in blocks[:before])
            self.query_one("#duties").scroll_to(y=line, animate=False)
            self._wanted = ""
