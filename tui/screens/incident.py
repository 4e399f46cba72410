"""One incident over the whole screen: what is wrong and why, what runs, who is told next, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import FleetRow, IncidentView
from governance.views.notifications import DeliveryView
from tui import telling
from tui.facts import Facts, Subject, gathered
from tui.screens.frame import Frame
from tui.screens.responding import Responding
from tui.situation import Situation
from tui.text import safe
from tui.widgets.incident import facts_of
from tui.widgets.ladder import ladder
from tui.widgets.story import findings, progress, story
from tui.widgets.told import Told
from tui.widgets.undelivered import undelivered


class IncidentScreen(Responding, Frame):
    """What is known of one incident, and every act of a responder."""

    CSS_PATH = ["frame.tcss", "incident.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (116, "-wide")]
    VIEW = "incidents"
    KEYS = ("incident", "telling", "model")

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def body(self) -> ComposeResult:
        """Lay out what is wrong on the left, what is done about it on the right."""
        with VerticalScroll(id="incident", classes="whole"), Horizontal(id="columns"):
            yield Told(id="wrong")
            yield Told(id="done")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one("#incident").focus()

    def question(self) -> object:
        """Ask about this incident."""
        return self.number

    def load(self, client: Client) -> Any:
        """Fetch the incident, and what helps to understand it: a part that cannot be had leaves the others."""
        before, known = self.found, self.app.snapshot
        model = before.subject.model if before is not None else client.incident(self.number).model
        version = known.fleet.policy_version if known is not None else ""
        *_, found = gathered(client, Subject(model, self.number), self.app.at(), version, before)
        try:
            return replace(found, undelivered=tuple(client.undelivered(self.number)))
        except GovernanceError as error:
            return replace(found, undelivered=None, lacks=found.lacks or str(error))

    @property
    def incident(self) -> IncidentView | None:
        """The incident, as fresh as it is known."""
        known = self.app.snapshot
        fresh = known.incidents.get(self.number) if known is not None else None
        mine: IncidentView | None = self.found.incident if self.found is not None else None
        return mine if fresh is None or (mine is not None and mine.version >= fresh.version) else fresh

    @property
    def row(self) -> FleetRow | None:
        """The model that the incident is of."""
        known, incident = self.app.snapshot, self.incident
        return known.row(incident.model) if known is not None and incident is not None else None

    def here(self) -> Situation:
        """Return the incident and its model."""
        return self.situation(row=self.row, incident=self.incident, undelivered=self._undelivered)

    @property
    def _undelivered(self) -> tuple[DeliveryView, ...] | None:
        found: Facts | None = self.found
        return found.undelivered if found is not None else None

    def action_tell_again(self) -> None:
        """Have tried again what nobody got."""
        if self._undelivered:
            self.app.open_form(telling.of_incident(self.number, self._undelivered))

    def draw(self, at: datetime) -> None:
        """Draw the incident."""
        pane, incident = self.query_one("#incident"), self.incident
        pane.border_title = f"INC-{self.number}"
        lacks = self.why_not or (self.found.lacks if self.found is not None else "")
        pane.border_subtitle = f"[$warning]{safe(lacks)}[/]" if lacks else "esc goes back"
        if incident is None:
            self._tell(
                "#wrong", [f"[$warning]✗ {safe(self.why_not)}[/]"] if self.why_not else ["[$muted]… fetching[/]"]
            )
            return
        found = self.found or Facts(Subject(incident.model, incident.id), incident)
        wide = self.query_one("#wrong").size.width or 80
        wrong = [*facts_of(incident, self.row, at), *findings(incident, found, at, wide)]
        self._tell("#wrong", wrong)
        side = self.query_one("#done").size.width or 80
        ladders = list(ladder(incident, at, min(side, 60), whole=True))
        ladders += [*([""] if ladders else []), *undelivered(self._undelivered)]
        told = [*progress(found.runs, at), *ladders, *story(found.timeline, at)]
        self._tell("#done", told)

    def _tell(self, where: str, lines: list[str]) -> None:
        self.query_one(where, Told).tell("\n".join(lines))

    def copied(self) -> str:
        """Return the incident in a line."""
        incident = self.incident
        return f"INC-{incident.id} {incident.model}: {incident.title}" if incident is not None else ""
