"""What a person has before them: what decides which keys do something, and why the others do nothing."""

from __future__ import annotations

from dataclasses import dataclass

from governance.views import ApprovalView, FleetRow, IncidentView, VersionView
from governance.views.notifications import DeliveryView
from governance.views.runs import RunView, StepView


@dataclass(frozen=True, slots=True)
class Situation:
    """Who looks, whether the engine is reached, and what is under the cursor.

    `me` is the id of this person; `looks_only` says why they may only look, "" when they may act.
    So many models are `marked`, which K takes out of service instead of the one under the cursor, and so many `shown`.
    `version` of the policies is under the cursor, and they are `applied` by people, not read from a directory.
    `undelivered` is what was given up of what told of the incident, None where that is not known.
    """

    me: str = ""
    looks_only: str = ""
    offline: bool = False
    row: FleetRow | None = None
    incident: IncidentView | None = None
    run: RunView | None = None
    approval: ApprovalView | None = None
    thing: str = ""
    marked: int = 0
    shown: int = 0
    version: VersionView | None = None
    applied: bool = False
    undelivered: tuple[DeliveryView, ...] | None = None

    @property
    def step(self) -> StepView | None:
        """The step that the run is at."""
        if self.run is None:
            return None
        return next((each for each in self.run.steps if each.can or each.glyph in "▶?"), None)
