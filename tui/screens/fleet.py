"""The screen that stays open: the fleet, and beside it what is known of the model under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult

from governance.views import FleetRow, IncidentView
from tui.filtering import Filter, Sieve, parsed
from tui.known import Snapshot
from tui.screens.beside import Beside
from tui.screens.frame import Frame
from tui.screens.marking import Marking
from tui.situation import Situation
from tui.text import safe
from tui.widgets.fleet import Fleet
from tui.widgets.pane import Pane

WIDE = 116
"""Columns from which the incident is shown beside the fleet."""
FIELDS = ("model", "team", "tier", "severity", "switch", "metric", "incident")


class FleetScreen(Beside, Marking, Frame):
    """Fleet and incident."""

    CSS_PATH = ["frame.tcss", "fleet.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]
    VIEW = "fleet"
    KEYS = ("incident", "filter", "trouble", "marks", "model", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)} ; - in front is not; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._wanted, self._only_open = Filter(), False
        self._sieve: Sieve[FleetRow] = Sieve()

    def body(self) -> ComposeResult:
        """Lay out fleet and incident."""
        yield Fleet(id="fleet", classes="list")
        yield Pane(id="incident", classes="pane")

    def begun(self) -> None:
        """Begin at the fleet."""
        fleet = self.query_one(Fleet)
        fleet.border_title = "Fleet"
        self.query_one(Pane).border_subtitle = "enter opens"
        fleet.focus()

    def at_rest(self) -> None:
        """Put the focus on the fleet."""
        self.query_one(Fleet).focus()

    @property
    def row(self) -> FleetRow | None:
        """The model under the cursor."""
        return self.query_one(Fleet).selected

    @property
    def incident(self) -> IncidentView | None:
        """The incident of the model under the cursor."""
        known, row = self.app.snapshot, self.row
        return known.incident_of(row) if known is not None and row is not None else None

    def here(self) -> Situation:
        """Return the model under the cursor and its incident."""
        return self.situation(row=self.row, incident=self.incident, marked=len(self.marked), shown=self.shown_count)

    def draw(self, at: datetime) -> None:
        """Draw what the app knows now."""
        known = self.app.snapshot
        if known is None:
            return
        rows, fleet = self._shown(known), self.query_one(Fleet)
        waiting = f" · [b $warning]{len(known.approvals)} to approve[/]" if known.approvals else ""
        some = f"{len(rows)} of " if len(rows) < len(known.fleet.items) else ""
        many = f"{some}{len(known.fleet.items)} model{'s' * (len(known.fleet.items) != 1)}"
        title = f"Fleet [$muted]{many}[/]{self.marked_of(known)}{waiting}"
        if fleet.border_title != title:
            fleet.border_title = title
        fleet.show(rows, at)
        hidden = f"[$warning]{self._hidden(known)}[/]" if known.fleet.items and not rows else ""
        fleet.says(hidden or fleet.strayed or "worst first")

    def _hidden(self, known: Snapshot) -> str:
        """Say why no model is shown though some are governed, and how to see them."""
        count = len(known.fleet.items)
        if self._only_open and not self._wanted:
            return f"no open incident on any of {count} models: escape shows them"
        return f"the filter hides all {count} models: escape clears it"

    def _shown(self, known: Snapshot) -> Sequence[FleetRow]:
        rows: Sequence[FleetRow] = known.fleet.items
        if self._only_open:
            rows = [row for row in rows if row.incidents]
        return self._sieve.kept(rows, self._wanted, lambda row: row.model, _fields)

    @on(Fleet.Selected)
    def _selected(self) -> None:
        self.moved()

    def told(self, pane: Pane) -> None:
        """Draw the pane: what is known of the model, or why there is none."""
        known, row = self.app.snapshot, self.row
        title = safe(row.model) if row is not None else "Incident"
        if pane.border_title != title:
            pane.border_title = title
        if row is not None:
            super().told(pane)
        elif known is not None and known.fleet.items:
            pane.say(f"[$warning]{self._hidden(known)}[/]")
        else:
            pane.say("[$muted]no model is governed here: write a card in policies/, see the README[/]")

    @on(Fleet.Opened)
    def _opened(self) -> None:
        incident, row = self.incident, self.row
        if incident is not None:
            self.app.open_incident(incident.id)
        elif row is not None:
            self.app.open_model(row.model)

    def filtered(self, words: str) -> None:
        """Show only models with these words."""
        self._wanted = parsed(words, FIELDS)
        if not words:
            self._only_open = False
        super().filtered(words)

    async def action_back(self) -> None:
        """Go back one step, to all models."""
        if self._only_open:
            self.action_only_open()
        else:
            await super().action_back()

    def action_only_open(self) -> None:
        """Show only models with an open incident, or all again."""
        self._only_open = not self._only_open
        self.paint()

    def copied(self) -> str:
        """Return the name of the model."""
        return self.row.model if self.row is not None else ""


def _fields(row: FleetRow) -> dict[str, object]:
    return {
        "model": row.model,
        "team": row.team,
        "tier": row.tier,
        "severity": "ok none"
        if row.severity == "none"
        else "no data unknown"
        if row.severity == "unknown"
        else row.severity,
        "switch": row.mode,
        "metric": row.metric.name if row.metric is not None else "",
        "incident": f"{row.worst} {' '.join(f'INC-{each}' for each in row.incidents)}",
    }
