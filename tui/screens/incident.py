"""One incident over the whole screen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from textual.app import ComposeResult

from governance.client import Client
from governance.views import FleetRow, IncidentView
from tui.screens.frame import Frame
from tui.screens.responding import Responding
from tui.situation import Situation
from tui.text import safe
from tui.widgets.incident import Incident


class IncidentScreen(Responding, Frame):
    """What is known of one incident, and every act of a responder."""

    CSS_PATH = ["frame.tcss", "incident.tcss"]
    VIEW = "incidents"
    KEYS = ("incident", "model")

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def body(self) -> ComposeResult:
        """Lay out the text."""
        yield Incident(id="incident", classes="whole")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one(Incident).focus()

    def question(self) -> object:
        """Ask about this incident."""
        return self.number

    def load(self, client: Client) -> Any:
        """Fetch the incident with the remedy and the place of each rule."""
        return client.incident(self.number)

    @property
    def incident(self) -> IncidentView | None:
        """The incident, as fresh as it is known."""
        known = self.app.snapshot
        fresh = known.incidents.get(self.number) if known is not None else None
        return self.found if fresh is None or (self.found and self.found.version >= fresh.version) else fresh

    @property
    def row(self) -> FleetRow | None:
        """The model that the incident is of."""
        known, incident = self.app.snapshot, self.incident
        if known is None or incident is None:
            return None
        return known.row(incident.model)

    def here(self) -> Situation:
        """Return the incident and its model."""
        return self.situation(row=self.row, incident=self.incident)

    def draw(self, at: datetime) -> None:
        """Draw the incident."""
        pane = self.query_one(Incident)
        pane.border_title = f"INC-{self.number}"
        pane.border_subtitle = safe(self.why_not) if self.why_not else "esc goes back"
        if self.incident is not None:
            pane.tell(self.incident, self.row, at)

    def copied(self) -> str:
        """Return the incident in a line."""
        incident = self.incident
        return f"INC-{incident.id} {incident.model}: {incident.title}" if incident is not None else ""
