"""One run of a runbook over the whole screen, and every act of a person on it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult

from governance.client import Client
from governance.views.runs import RunView
from tui import run_acts
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.text import safe
from tui.widgets.run import STATES, Run

if TYPE_CHECKING:
    _Base = Frame
else:
    _Base = object


def state_of(run: RunView) -> tuple[str, str]:
    """Return how the state of a run is written, and the name of its style."""
    return STATES.get(run.state, (run.state, "dim"))


class RunActs(_Base):
    """The acts on a run; the screen says on which."""

    @property
    def run_(self) -> RunView | None:
        """The run that the acts are about."""
        return None

    def _ask(self, act: str) -> None:
        if self.run_ is not None:
            self.app.open_form(run_acts.form(self.run_, act))

    def action_tick(self) -> None:
        """Say that the step is done."""
        self._ask("tick")

    def action_approve(self) -> None:
        """Consent to the step."""
        self._ask("approve")

    def action_refuse(self) -> None:
        """Refuse the step."""
        self._ask("refuse")

    def action_retry(self) -> None:
        """Try the step again."""
        self._ask("retry")

    def action_skip(self) -> None:
        """Leave the step out."""
        self._ask("skip")

    def action_settle(self) -> None:
        """Say whether an act took effect."""
        self._ask("settle")

    def action_hold(self) -> None:
        """Let nothing new begin, or go on."""
        if self.run_ is not None:
            self._ask("resume" if "resume" in self.run_.can else "pause")

    def action_cancel(self) -> None:
        """End the run."""
        self._ask("cancel")


class RunScreen(RunActs, Frame):
    """One run."""

    CSS_PATH = ["frame.tcss"]
    VIEW = "runs"
    KEYS = ("run",)

    def __init__(self, run: str) -> None:
        super().__init__()
        self.id_ = run

    def body(self) -> ComposeResult:
        """Lay out the text."""
        yield Run(id="run", classes="whole")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one(Run).focus()

    def question(self) -> object:
        """Ask about this run."""
        return self.id_

    def load(self, client: Client) -> Any:
        """Fetch the run."""
        return client.run(self.id_)

    @property
    def run_(self) -> RunView | None:
        """The run."""
        return self.found if isinstance(self.found, RunView) else None

    def here(self) -> Situation:
        """Return the run."""
        return self.situation(run=self.run_)

    def draw(self, at: datetime) -> None:
        """Draw the run."""
        pane = self.query_one(Run)
        pane.border_title = safe(self.id_)
        pane.border_subtitle = safe(self.why_not) if self.why_not else "esc goes back"
        if self.run_ is not None:
            pane.show(self.run_, at)

    def copied(self) -> str:
        """Return the run in a line."""
        run = self.run_
        return f"{run.id} {run.runbook} on {run.model}: {run.summary}" if run is not None else self.id_
