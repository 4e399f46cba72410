"""What a responder does, on every screen that has a model or an incident under the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import acts

if TYPE_CHECKING:
    from governance.views import FleetRow, IncidentView
    from tui.screens.frame import Frame

    _Base = Frame
else:
    _Base = object


class Responding(_Base):
    """The acts of a responder; the screen says which `row` and which `incident` they are about."""

    @property
    def row(self) -> FleetRow | None:
        """The model under the cursor."""
        return None

    @property
    def incident(self) -> IncidentView | None:
        """The incident under the cursor."""
        return None

    def action_acknowledge(self) -> None:
        """Take the incident."""
        if self.incident is not None:
            self.app.acknowledge(self.incident)

    def action_escalate(self) -> None:
        """Tell the next level now."""
        if self.incident is not None:
            self.app.open_form(acts.escalating(self.incident))

    def action_hand_over(self) -> None:
        """Make somebody else the lead."""
        if self.incident is not None:
            self.app.open_form(acts.handing_over(self.incident))

    def action_note(self) -> None:
        """Write a note."""
        if self.incident is not None:
            self.app.open_form(acts.noting(self.incident))

    def action_snooze(self) -> None:
        """Let nobody hear of it for a while."""
        if self.incident is not None:
            self.app.open_form(acts.snoozing(self.incident, self.app.at))

    def action_severity(self) -> None:
        """Say how bad it is."""
        if self.incident is not None:
            self.app.open_form(acts.judging(self.incident))

    def action_merge(self) -> None:
        """Make it a part of another."""
        if self.incident is not None and self.app.snapshot is not None:
            self.app.open_form(acts.merging(self.incident, self.app.snapshot))

    def action_link(self) -> None:
        """Put a link on it."""
        if self.incident is not None:
            self.app.open_form(acts.linking(self.incident))

    def action_resolve(self) -> None:
        """Close it by hand."""
        if self.incident is not None:
            self.app.open_form(acts.resolving(self.incident))

    def action_pull(self) -> None:
        """Open the kill switch of the model."""
        if self.row is not None:
            self.app.switch(self.row.model, restore=False, incident=self.incident)

    def action_restore(self) -> None:
        """Give the model back to service."""
        if self.row is not None:
            self.app.switch(self.row.model, restore=True)

    def action_start_runbook(self) -> None:
        """Start a runbook for the model."""
        if self.row is not None:
            self.app.start_runbook(self.row.model, self.incident)

    def action_next_step(self) -> None:
        """Open the run of the incident, where its step is done or approved."""
        if self.incident is not None and self.incident.runs:
            self.app.open_run(self.incident.runs[0].id)

    def action_model(self) -> None:
        """Open the model."""
        if self.row is not None:
            self.app.open_model(self.row.model)

    def action_waive(self) -> None:
        """Ask that a rule is not enforced."""
        if self.row is not None:
            rules = [each.rule for each in self.incident.findings if not each.ended] if self.incident else []
            self.app.open_form(acts.waiving(self.row.model, rules, self.app.at))

    def action_silence(self) -> None:
        """Mute the model for a while."""
        if self.row is not None:
            self.app.open_form(acts.silencing(self.row.model, self.app.at))
