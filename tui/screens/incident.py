"""One incident over the whole screen: what is wrong and why, what runs, who is told next, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import FleetRow, IncidentView, PolicyView, RuleView, TimelineLine
from governance.views.runs import RunView
from governance.views.series import SeriesView
from tui.screens.frame import Frame
from tui.screens.responding import Responding
from tui.situation import Situation
from tui.text import safe
from tui.widgets.incident import facts_of
from tui.widgets.ladder import ladder
from tui.widgets.story import findings, progress, story
from tui.widgets.told import Told

EXPLAINED = timedelta(seconds=60)
"""How long the explained verdicts hold: the engine asks its sources anew for them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the screen shows of one incident; what could not be had is empty, and `lacks` says why."""

    incident: IncidentView
    series: tuple[SeriesView, ...] = ()
    policy: PolicyView | None = None
    judged: tuple[RuleView, ...] = ()
    judged_at: datetime | None = None
    runs: tuple[RunView, ...] = ()
    timeline: tuple[TimelineLine, ...] = ()
    lacks: str = ""


class IncidentScreen(Responding, Frame):
    """What is known of one incident, and every act of a responder."""

    CSS_PATH = ["frame.tcss", "incident.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (116, "-wide")]
    VIEW = "incidents"
    KEYS = ("incident", "model")

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
        incident, before = client.incident(self.number), self.found
        last = before.timeline[-1].seq if before is not None and before.timeline else -1
        lines = (*(before.timeline if before is not None else ()), *client.timeline(self.number, last))
        runs = tuple(client.runs(incident=self.number, state="all"))
        try:
            series, policy = tuple(client.series(incident.model)), client.policy(incident.model)
            judged, judged_at = self._judged(client, incident.model, before)
        except GovernanceError as error:
            return Facts(incident, runs=runs, timeline=lines, lacks=str(error))
        return Facts(incident, series, policy, judged, judged_at, runs, lines)

    def _judged(self, client: Client, model: str, before: Facts | None) -> tuple[tuple[RuleView, ...], datetime | None]:
        now = self.app.at()
        if before is not None and before.judged_at is not None and now - before.judged_at < EXPLAINED:
            return before.judged, before.judged_at
        asked = now - timedelta(seconds=2)  # an instant that has passed on the engine's clock too
        return tuple(client.verdicts(model, asked).items), asked

    @property
    def incident(self) -> IncidentView | None:
        """The incident, as fresh as it is known."""
        known = self.app.snapshot
        fresh = known.incidents.get(self.number) if known is not None else None
        mine = self.found.incident if self.found is not None else None
        return mine if fresh is None or (mine is not None and mine.version >= fresh.version) else fresh

    @property
    def row(self) -> FleetRow | None:
        """The model that the incident is of."""
        known, incident = self.app.snapshot, self.incident
        return known.row(incident.model) if known is not None and incident is not None else None

    def here(self) -> Situation:
        """Return the incident and its model."""
        return self.situation(row=self.row, incident=self.incident)

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
        found = self.found or Facts(incident)
        wide = self.query_one("#wrong").size.width or 80
        wrong = [*facts_of(incident, self.row, at), *findings(incident, found, at, wide)]
        self._tell("#wrong", wrong)
        self._tell("#done", [*progress(found.runs, at), *ladder(incident, at), *story(found.timeline, at)])

    def _tell(self, where: str, lines: list[str]) -> None:
        self.query_one(where, Told).tell("\n".join(lines))

    def copied(self) -> str:
        """Return the incident in a line."""
        incident = self.incident
        return f"INC-{incident.id} {incident.model}: {incident.title}" if incident is not None else ""
