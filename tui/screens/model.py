"""One model over the whole screen: card, effective policy with origins, service levels, metrics, versions, history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll

from governance.client import Client
from governance.views import EntryView, FleetRow, IncidentView, ModelView, PolicyView, RuleView
from governance.views.budgets import BudgetView
from governance.views.explained import ExplainedView
from governance.views.series import SeriesView
from tui.screens.frame import Frame
from tui.screens.responding import Responding
from tui.situation import Situation
from tui.text import safe
from tui.widgets.budget import budgets
from tui.widgets.card import card, versions
from tui.widgets.incident import summary
from tui.widgets.policy import policy
from tui.widgets.portrait import charts, history
from tui.widgets.told import Told

LATELY = 60
"""Decisions about the model that are listed."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """All that the screen shows of one model."""

    model: ModelView
    policy: PolicyView
    judged: tuple[RuleView, ...]
    series: tuple[SeriesView, ...]
    entries: tuple[EntryView, ...]
    budgets: tuple[BudgetView, ...]
    explained: ExplainedView


class ModelScreen(Responding, Frame):
    """What is known of one model."""

    CSS_PATH = ["frame.tcss", "model.tcss"]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]
    VIEW = "fleet"
    KEYS = ("incident", "model", "portrait")

    def __init__(self, model: str) -> None:
        super().__init__()
        self.model = model
        self._whole = False

    def body(self) -> ComposeResult:
        """Lay out how it is on the left, what is asked of it on the right."""
        with VerticalScroll(id="model", classes="whole"), Horizontal(id="columns"):
            yield Told(id="is")
            yield Told(id="asked")

    def begun(self) -> None:
        """Begin where the arrows scroll."""
        self.query_one("#model").focus()

    def question(self) -> object:
        """Ask about this model."""
        return self.model

    def load(self, client: Client) -> Any:
        """Fetch all that is known of the model without asking its sources."""
        return Portrait(
            client.model(self.model),
            client.policy(self.model),
            tuple(client.verdicts(self.model).items),
            tuple(client.series(self.model)),
            tuple(client.log(model=self.model, limit=LATELY)),
            tuple(client.budgets(self.model)),
            client.explained(self.model),
        )

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
        pane, row = self.query_one("#model"), self.row
        pane.border_title = safe(self.model)
        pane.border_subtitle = f"[$warning]{safe(self.why_not)}[/]" if self.why_not else "esc goes back"
        found = self.found if isinstance(self.found, Portrait) else None
        lines = summary(row, self.incident, at) if row is not None else [f"[$warning]✗ {safe(self.why_not)}[/]"]
        if found is not None:
            written = found.model.card
            lines += ["", *budgets(found.budgets, at), *charts(found.series, self.query_one("#is").size.width or 80)]
            lines += [*versions(found.model, at), *card(written)]
            ruled = policy(found.policy, found.judged, found.explained, whole=self._whole)
            asked = [*history(found.entries, at, self.app.size.height // 3), *ruled]
            self.query_one("#asked", Told).tell("\n".join(asked))
        self.query_one("#is", Told).tell("\n".join(lines))

    def action_unfold(self) -> None:
        """Show the whole policy, or only of what passes that it does."""
        self._whole = not self._whole
        self.paint()

    def copied(self) -> str:
        """Return the name of the model."""
        return self.model
