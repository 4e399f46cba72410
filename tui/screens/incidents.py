"""Every open incident, the worst first, and beside the list what is known of the one under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from governance.views import FleetRow, IncidentView
from tui.filtering import Sieve, parsed
from tui.known import GLYPHS, brief
from tui.screens.beside import Beside
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.widgets.columns import Column
from tui.widgets.pane import Pane
from tui.widgets.table import Table

FIELDS = ("id", "model", "status", "severity", "lead", "rule")
RANKS = ("critical", "warning", "info")
MARKS = {"triggered": "! triggered", "acknowledged": "◐ taken", "mitigated": "◑ mitigated", "resolved": "✓ resolved"}


class Listed(Table[IncidentView]):
    """One line per incident."""

    COLUMNS = (
        Column("", 10),
        Column("ID", 6, most=9),
        Column("MODEL", 8, most=24),
        Column("STATUS", 12),
        Column("WHAT", 16, grows=True),
        Column("LEAD", 6, most=12),
        Column("NEXT", 9),
        Column("OPEN", 5, ">"),
    )
    DROPPED = (6, 5, 3)

    def name_of(self, row: IncidentView) -> str:
        """Return the number."""
        return str(row.id)

    def cells(self, row: IncidentView, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of an incident."""
        return [
            (f"{GLYPHS.get(row.severity, '?')} {row.severity}", row.severity),
            (f"INC-{row.id}", "strong"),
            (row.model, "strong" if row.status == "triggered" else ""),
            (MARKS.get(row.status, row.status), "critical" if row.status == "triggered" else "dim"),
            (row.title, ""),
            (row.lead or "nobody", "dim" if row.lead else "warning"),
            coming(row, at),
            (brief(row.opened_at, at), ""),
        ]


def coming(row: IncidentView, at: datetime) -> tuple[str, str]:
    """Return what comes by itself, with the name of its style: the next level, the end of a snooze."""
    if row.snoozed_until is not None and row.snoozed_until > at:
        return f"z {brief(at, row.snoozed_until)}", "dim"
    clock = row.escalation
    if clock is not None and clock.next_at is not None:
        return f"L{clock.level + 1} in {brief(at, clock.next_at)}" if clock.next_at > at else "L now", "warning"
    return "–", "dim"


class Incidents(Beside, Frame):
    """The open incidents."""

    CSS_PATH = ["frame.tcss", "incidents.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (150, "-wide")]
    VIEW = "incidents"
    KEYS = ("incident", "filter", "model", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._sieve: Sieve[IncidentView] = Sieve()

    def body(self) -> ComposeResult:
        """Lay out list and pane."""
        yield Static("no incident is open", id="none")
        yield Listed(id="list", classes="list")
        yield Pane(id="incident", classes="pane")

    def begun(self) -> None:
        """Begin in the list."""
        listed = self.query_one(Listed)
        listed.border_title = "Incidents"
        self.query_one(Pane).border_subtitle = "enter opens"
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Listed).focus()

    @property
    def incident(self) -> IncidentView | None:
        """The incident under the cursor."""
        return self.query_one(Listed).selected

    @property
    def row(self) -> FleetRow | None:
        """The model of the incident under the cursor."""
        known, incident = self.app.snapshot, self.incident
        return known.row(incident.model) if known is not None and incident is not None else None

    def here(self) -> Situation:
        """Return the incident under the cursor and its model."""
        return self.situation(row=self.row, incident=self.incident)

    def draw(self, at: datetime) -> None:
        """Draw the incidents that are known."""
        known = self.app.snapshot
        every = sorted(known.incidents.values(), key=_worst_first) if known is not None else []
        shown: Sequence[IncidentView] = self._sieve.kept(
            every, parsed(self.words, FIELDS), lambda one: str(one.id), _fields
        )
        listed = self.query_one(Listed)
        some = f"{len(shown)} of " if len(shown) < len(every) else ""
        listed.border_title = f"Incidents [$muted]{some}{len(every)} open[/]"
        listed.display, self.query_one("#none").display = bool(every), known is not None and not every
        listed.show(shown, at)
        listed.says(listed.strayed or "worst first")

    @on(Listed.Selected)
    def _selected(self) -> None:
        self.query_one(Pane).set_class(self.incident is None, "empty")
        self.moved()

    def told(self, pane: Pane) -> None:
        """Draw the pane."""
        if self.incident is not None:
            pane.border_title = f"INC-{self.incident.id}"
            super().told(pane)

    @on(Listed.Opened)
    def _opened(self) -> None:
        if self.incident is not None:
            self.app.open_incident(self.incident.id)

    def copied(self) -> str:
        """Return the incident in a line."""
        one = self.incident
        return f"INC-{one.id} {one.model}: {one.title}" if one is not None else ""


def _worst_first(row: IncidentView) -> tuple[int, int, int]:
    rank = RANKS.index(row.severity) if row.severity in RANKS else len(RANKS)
    return rank, row.status != "triggered", -row.id


def _fields(row: IncidentView) -> dict[str, object]:
    rules = " ".join(each.rule for each in row.findings)
    return {
        "id": f"INC-{row.id}", "model": row.model, "status": row.status, "severity": row.severity,
        "lead": row.lead or "nobody", "rule": rules, "title": row.title,
    }  # fmt: skip
