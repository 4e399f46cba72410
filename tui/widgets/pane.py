"""The pane beside a list: as much as there is room for of an incident, or of a model that has none."""

from __future__ import annotations

from datetime import datetime

from textual.app import ComposeResult
from textual.containers import VerticalScroll

from governance.views import FleetRow, IncidentView
from tui.facts import Facts
from tui.known import Snapshot
from tui.widgets.beside import parts
from tui.widgets.parts import fitted
from tui.widgets.told import Told


class Pane(VerticalScroll):
    """One text, which is as long as the pane is high."""

    def compose(self) -> ComposeResult:
        """Hold one text."""
        yield Told(id="told", fills=True)

    def tell(
        self, known: Snapshot, incident: IncidentView | None, row: FleetRow | None, at: datetime, found: Facts | None
    ) -> None:
        """Draw an incident, or that there is none, and what is known of its model."""
        width, height = self.scrollable_content_region.size
        told = parts(known, incident, row, at, found, width)
        self.query_one("#told", Told).tell(fitted(told, width, height))

    def say(self, text: str) -> None:
        """Draw a text instead."""
        self.query_one("#told", Told).tell(text)
