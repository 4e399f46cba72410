"""The screen that stays open: the fleet, and beside it what is known of the model under the cursor."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from governance.views import FleetRow, IncidentView
from tui.known import Offline, Snapshot, span
from tui.widgets.fleet import Fleet
from tui.widgets.header import Header
from tui.widgets.incident import Incident, safe

if TYPE_CHECKING:
    from tui.app import GovApp

WIDE = 116
"""Columns from which the incident is shown beside the fleet."""


class Main(Screen[None]):
    """Fleet and incident."""

    CSS_PATH = "main.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    BINDINGS = [
        Binding("a", "acknowledge", "Ack"),
        Binding("K", "pull", "Kill switch"),
        Binding("U", "restore", "Restore"),
        Binding("R", "resolve", "Resolve"),
        Binding("4", "app.approvals", "Approvals"),
        Binding("7", "app.on_call", "On-call"),
        Binding("slash", "filter", "Filter", key_display="/"),
        Binding("enter", "full", "Open", show=False),
        Binding("escape", "back", "Back", show=False),
        Binding("1", "back", "Fleet", show=False),
        Binding("i", "only_open", "Only incidents", show=False),
    ]
    app: GovApp

    def __init__(self) -> None:
        super().__init__()
        self._words = ""
        self._only_open = False

    def compose(self) -> ComposeResult:
        """Lay out header, banner, fleet, incident and keys."""
        yield Header(id="header")
        yield Static(id="banner")
        yield Input(placeholder="words of a model, team or finding; escape clears", id="filter", compact=True)
        with Horizontal(id="body"):
            yield Fleet(id="fleet")
            yield Incident(id="incident")
        yield Footer()

    def on_mount(self) -> None:
        """Begin at the fleet."""
        fleet = self.query_one(Fleet)
        fleet.border_title, fleet.border_subtitle = "Fleet", "worst first"
        self.query_one(Incident).border_subtitle = "enter opens"
        fleet.focus()
        self.paint()

    @property
    def row(self) -> FleetRow | None:
        """The model under the cursor."""
        return self.query_one(Fleet).selected

    def paint(self) -> None:
        """Draw what the app knows now."""
        if not self.query(Header):  # not laid out yet, or taken down
            return
        known, at = self.app.snapshot, self.app.at()
        self.query_one(Header).show(known, self.app.offline, self.app.heard, at)
        self._banner(known, self.app.offline, at)
        self.query_one("#body").set_class(self.app.offline is not None, "stale")
        if known is not None:
            rows = [row for row in known.fleet.items if self._shown(row)]
            fleet = self.query_one(Fleet)
            waiting = f" · [b $warning]{len(known.approvals)} to approve[/]" if known.approvals else ""
            some = f"{len(rows)} of " if len(rows) < len(known.fleet.items) else ""
            fleet.border_title = f"Fleet [$muted]{some}{len(known.fleet.items)} models[/]{waiting}"
            fleet.show(rows, at)
        self.refresh_bindings()

    def _banner(self, known: Snapshot | None, offline: Offline | None, at: datetime) -> None:
        banner = self.query_one("#banner", Static)
        banner.display = offline is not None
        if offline is None:
            return
        state = (
            f"showing the state of {span(known.fleet.as_of, at)} ago" if known is not None else "nothing is known yet"
        )
        model = self.row.model if self.row is not None else "MODEL"
        shell = f"On the engine's machine: [b]gov switch pull {safe(model)}[/], engine dead: [b]--offline[/]"
        text = f"[b $warning]✗ {safe(offline.why)}[/]; {state}. Actions are off. {shell} [$muted](r retries now)[/]"
        banner.update(Content.from_markup(text))

    def _shown(self, row: FleetRow) -> bool:
        if self._only_open and not row.incidents:
            return False
        known = f"{row.model} {row.team} {row.worst} {row.severity} {row.mode}".lower()
        return all(word in known for word in self._words.lower().split())

    @on(Fleet.Selected)
    def _selected(self) -> None:
        if self.app.snapshot is not None:
            pane = self.query_one(Incident)
            row = self.row
            pane.border_title = safe(row.model) if row is not None else "Incident"
            pane.show(self.app.snapshot, row, self.app.at())

    @on(Fleet.Opened)
    def action_full(self) -> None:
        """Show the incident over the whole screen."""
        self.add_class("full")
        self.query_one(Incident).focus()

    def action_back(self) -> None:
        """Go back one step, to the fleet and all its models."""
        if self.has_class("full"):
            self.remove_class("full")
        else:
            self._words, self._only_open = "", False
            self.query_one("#filter", Input).value = ""
            self.query_one("#filter").remove_class("open")
            self.paint()
        self.query_one(Fleet).focus()

    def action_only_open(self) -> None:
        """Show only models with an open incident, or all again."""
        self._only_open = not self._only_open
        self.paint()

    def action_filter(self) -> None:
        """Type words that a model must have."""
        field = self.query_one("#filter", Input)
        field.add_class("open")
        field.focus()

    @on(Input.Changed, "#filter")
    def _filtered(self, event: Input.Changed) -> None:
        self._words = event.value
        self.paint()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one(Fleet).focus()

    def action_acknowledge(self) -> None:
        """Take the incident of the model under the cursor."""
        incident = self._incident()
        if incident is not None:
            self.app.acknowledge(incident)

    def action_resolve(self) -> None:
        """Close the incident of the model under the cursor by hand."""
        incident = self._incident()
        if incident is not None:
            self.app.resolve(incident)

    def action_pull(self) -> None:
        """Open the kill switch of the model under the cursor."""
        if self.row is not None:
            self.app.switch(self.row, restore=False)

    def action_restore(self) -> None:
        """Give the model under the cursor back to service."""
        if self.row is not None:
            self.app.switch(self.row, restore=True)

    def _incident(self) -> IncidentView | None:
        row, known = self.row, self.app.snapshot
        found = known.incident_of(row) if row is not None and known is not None else None
        if found is None:
            self.app.notify("this model has no open incident", severity="warning")
        return found

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Switch off what cannot be done now: everything that acts while the engine is not reached."""
        del parameters
        acts = {"acknowledge", "pull", "restore", "resolve"}
        if action in acts and (self.app.read_only or self.app.offline is not None):
            return None
        if action == "restore":
            return None if self.row is None or self.row.mode in ("live", "") else True
        if action == "pull":
            return None if self.row is None or not self.row.mode else True
        if action in ("acknowledge", "resolve"):
            return None if self.row is None or not self.row.incidents else True
        return True
