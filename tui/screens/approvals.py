"""What waits for a second person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

from governance.views import ApprovalView
from tui.known import span
from tui.widgets.header import Header
from tui.widgets.incident import safe

if TYPE_CHECKING:
    from tui.app import GovApp


class Approvals(Screen[None]):
    """The two-person acts that wait, oldest first."""

    DEFAULT_CSS = """
    Approvals Header { height: 1; padding: 0 1; background: $panel; }
    Approvals #list { height: 1fr; border: round $border; border-title-style: bold; }
    Approvals #none { padding: 1 2; color: $muted; }
    """
    BINDINGS = [
        Binding("Y", "approve", "Approve"),
        Binding("N", "refuse", "Refuse"),
        Binding("escape,1", "app.pop_screen", "Back"),
    ]
    app: GovApp

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        yield Header(id="header")
        yield Static("nothing waits for a second person", id="none")
        yield OptionList(id="list")
        yield Footer()

    def on_mount(self) -> None:
        """Draw at once."""
        self.query_one("#list").border_title = "Approvals"
        self.paint()

    def paint(self) -> None:
        """Draw what waits now."""
        if not self.query(Header):  # not laid out yet, or taken down
            return
        known, at = self.app.snapshot, self.app.at()
        self.query_one(Header).show(known, self.app.offline, self.app.heard, at)
        waiting = known.approvals if known is not None else ()
        listed = self.query_one(OptionList)
        chosen = listed.highlighted
        listed.clear_options()
        for each in waiting:
            who = ", ".join(each.who_may) or "nobody"
            about = f"[b]{safe(each.model or each.kind)}[/]  {safe(each.text)}"
            asked = f"asked by {safe(each.requested_by)} {span(each.requested_at, at)} ago; may approve: {safe(who)}"
            listed.add_option(Option(Content.from_markup(f"{about}\n[$muted]{asked}[/]\n"), id=each.id))
        listed.display, self.query_one("#none").display = bool(waiting), not waiting
        if waiting:
            listed.highlighted = min(chosen or 0, len(waiting) - 1)
            listed.focus()

    def action_approve(self) -> None:
        """Be the second person."""
        chosen = self._chosen()
        if chosen is not None:
            self.app.approve(chosen)

    def action_refuse(self) -> None:
        """Refuse, with a reason."""
        chosen = self._chosen()
        if chosen is not None:
            self.app.refuse(chosen)

    def _chosen(self) -> ApprovalView | None:
        known, index = self.app.snapshot, self.query_one(OptionList).highlighted
        if known is None or index is None or index >= len(known.approvals):
            return None
        return known.approvals[index]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switch off what cannot be done now."""
        del parameters
        if action in ("approve", "refuse"):
            return None if self.app.read_only or self.app.offline is not None else True
        return True
