"""One model over the whole screen."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult

from governance.views import FleetRow, IncidentView
from tui.screens.frame import Frame
from tui.screens.responding import Responding
from tui.situation import Situation
from tui.text import safe
from tui.widgets.incident import Incident


class ModelScreen(Responding, Frame):
    """What is known of one model."""

    CSS_PATH = ["frame.tcss", "model.tcss"]
    VIEW = "fleet"
    KEYS = ("incident", "model")

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model

    def body(self) -> ComposeResult:
        """Lay out the text."""
        yield Incident(id="model", classes="whole")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one(Incident).focus()

    @property
    def row(self) -> FleetRow | None:
        """The model."""
        return self.app.snapshot.row(self.model) if self.app.snapshot is not None else None

    @property
    def incident(self) -> IncidentView | None:
        """Its worst open incident."""
        known, row = self.app.snapshot, self.row
        return known.incident_of(row) if known is not None and row is not None else None

    def here(self) -> Situation:
        """Return the model and its incident."""
        return self.situation(row=self.row, incident=self.incident)

    def draw(self, at: datetime) -> None:
        """Draw the model."""
        pane = self.query_one(Incident)
        pane.border_title = safe(self.model)
        if self.app.snapshot is not None:
            pane.show(self.app.snapshot, self.row, at)

    def copied(self) -> str:
        """Return the name of the model."""
        return self.model
