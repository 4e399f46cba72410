"""Runs of runbooks: those that are open, and on demand those that have ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.widgets import Static

from governance.client import Client
from governance.views.runs import RunView
from tui.filtering import Sieve, parsed
from tui.known import brief
from tui.screens.frame import Frame
from tui.screens.run import RunActs, state_of
from tui.situation import Situation
from tui.widgets.columns import Column
from tui.widgets.run import Run
from tui.widgets.table import Table

FIELDS = ("id", "runbook", "model", "state", "by", "incident")
RANKS = ("unknown", "stopped", "waiting", "undoing", "running", "paused")


class Listed(Table[RunView]):
    """One line per run."""

    COLUMNS = (
        Column("RUN", 6, most=9),
        Column("STATE", 11),
        Column("RUNBOOK", 8, most=24),
        Column("MODEL", 8, most=24),
        Column("STEP", 5),
        Column("WAITS FOR", 16, grows=True),
        Column("BY", 6, most=12),
        Column("AGO", 5, ">"),
    )
    DROPPED = (6, 7, 3)

    def name_of(self, row: RunView) -> str:
        """Return the id."""
        return row.id

    def cells(self, row: RunView, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of a run."""
        step = row.here
        words, style = state_of(row)
        return [
            (row.id, "strong"),
            (words, style),
            (f"{row.runbook}{' (drill)' if row.mode == 'dry_run' else ''}", ""),
            (row.model, "strong"),
            (f"{row.number}/{row.total}", "dim"),
            ((step.waits_for if step is not None else "") or row.said or row.summary, ""),
            (row.started_by, "dim"),
            (brief(row.started_at, at), "dim"),
        ]


class Runs(RunActs, Frame):
    """The runs."""

    CSS_PATH = ["frame.tcss", "runs.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]
    VIEW = "runs"
    KEYS = ("run", "ended", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._sieve: Sieve[RunView] = Sieve()
        self._ended = False

    def body(self) -> ComposeResult:
        """Lay out list and pane."""
        yield Static(id="none")
        yield Listed(id="list", classes="list")
        yield Run(id="run", classes="pane")

    def begun(self) -> None:
        """Begin in the list."""
        self.query_one(Run).border_subtitle = "enter opens"
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Listed).focus()

    def question(self) -> object:
        """Ask for the open runs, or for all."""
        return self._ended

    def load(self, client: Client) -> Any:
        """Fetch the runs."""
        return client.runs(state="all" if self._ended else "open")

    @property
    def run_(self) -> RunView | None:
        """The run under the cursor."""
        return self.query_one(Listed).selected

    def here(self) -> Situation:
        """Return the run under the cursor."""
        return self.situation(run=self.run_)

    def draw(self, at: datetime) -> None:
        """Draw the runs."""
        every = sorted(self.found or [], key=_waiting_first)
        shown: Sequence[RunView] = self._sieve.kept(every, parsed(self.words, FIELDS), lambda one: one.id, _fields)
        listed, none = self.query_one(Listed), self.query_one("#none", Static)
        which = f"{'' if self._ended else 'open '}run{'' if len(shown) == 1 else 's'}"
        listed.border_title = f"Runbooks [$muted]{len(shown)} {which}[/]"
        listed.border_subtitle = "i shows the open ones alone" if self._ended else "i shows ended ones too"
        listed.display, none.display = bool(every), not every
        none.update(
            self.why_not or "no run of a runbook is open; b on a model or an incident starts one, i shows ended ones"
        )
        listed.show(shown, at)

    @on(Listed.Selected)
    def _selected(self) -> None:
        pane, run = self.query_one(Run), self.run_
        pane.set_class(run is None, "empty")
        if run is not None and pane.display:
            pane.border_title = run.id
            pane.show(run, self.app.at())
        self.keys_changed()

    @on(Listed.Opened)
    def _opened(self) -> None:
        if self.run_ is not None:
            self.app.open_run(self.run_.id)

    def action_ended(self) -> None:
        """Show ended runs too, or the open ones alone."""
        self._ended, self.found = not self._ended, None
        self.reload()
        self.paint()

    def copied(self) -> str:
        """Return the run in a line."""
        run = self.run_
        return f"{run.id} {run.runbook} on {run.model}: {run.summary}" if run is not None else ""


def _waiting_first(run: RunView) -> tuple[bool, int, int]:
    rank = RANKS.index(run.state) if run.state in RANKS else len(RANKS)
    return run.ended_at is not None, rank, -int(run.id.rpartition("-")[2] or 0)


def _fields(run: RunView) -> dict[str, object]:
    return {
        "id": run.id, "runbook": run.runbook, "model": run.model, "state": run.state, "by": run.started_by,
        "incident": f"INC-{run.incident}" if run.incident else "", "summary": run.summary,
    }  # fmt: skip
