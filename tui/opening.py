"""What the app opens: views, what has a name, modals and forms; and the acts that need no form."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from textual.command import CommandPalette
from textual.screen import Screen

from governance.client import Client
from governance.errors import NotFound
from governance.views import ApprovalView, IncidentView
from governance.views.runs import RunbookView
from tui import run_acts
from tui.asking import Asking
from tui.form import Asked
from tui.places import Place
from tui.screens.approvals import Approvals
from tui.screens.batch import BatchModal
from tui.screens.entry import EntryScreen
from tui.screens.form import Form
from tui.screens.frame import Frame
from tui.screens.goto import Goto
from tui.screens.help import Help
from tui.screens.incident import IncidentScreen
from tui.screens.model import ModelScreen
from tui.screens.on_call import OnCall
from tui.screens.pick import Choosable, Pick
from tui.screens.policies import Policies
from tui.screens.run import RunScreen
from tui.screens.switch import SwitchModal
from tui.several import Several, asked
from tui.starting import UNFIT, refusal

POINTED = {"approval": "approvals", "waiver": "policies", "silence": "policies", "schedule": "on_call"}
"""The views that put their cursor on a thing, by its kind."""


class Opening(Asking):
    """An app that opens screens."""

    def __init__(self, client: Client) -> None:
        """Ask `client` for what the screens need."""
        super().__init__()
        self.client = client

    @property
    def frame(self) -> Frame | None:
        """The topmost screen that is not modal."""
        return next((each for each in reversed(self.screen_stack) if isinstance(each, Frame)), None)

    def action_view(self, name: str) -> None:
        """Go to a view, as it was left."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.switch_screen(name)

    async def action_back(self) -> None:
        """Go back one step: from what was opened to its list, from another view to the fleet."""
        if len(self.screen_stack) > 2:
            self.pop_screen()
        elif self.frame is not None and self.frame.VIEW != "fleet":
            self.action_view("fleet")

    def open_incident(self, number: int) -> None:
        """Open an incident."""
        self.push_screen(IncidentScreen(number))

    def open_model(self, model: str) -> None:
        """Open a model."""
        self.push_screen(ModelScreen(model))

    def open_run(self, run: str) -> None:
        """Open a run of a runbook."""
        self.push_screen(RunScreen(run))

    def go(self, place: Place) -> None:
        """Go to what has a name."""
        if place.kind == "view":
            self.action_view(place.name)
        elif place.kind == "model":
            self.open_model(place.name)
        elif place.kind == "incident":
            self.open_incident(int(place.name))
        elif place.kind in POINTED:
            self.action_view(POINTED[place.kind])
            if isinstance(self.screen, (Approvals, Policies, OnCall)):
                self.screen.point_at(place.name)
        elif place.kind == "run":
            self.open_run(place.name)
        elif place.kind == "entry":
            self.push_screen(EntryScreen(int(place.name)))

    def action_goto(self) -> None:
        """Ask where to go."""
        if not isinstance(self.screen, Goto):
            self.push_screen(Goto())

    def action_help(self) -> None:
        """Say what each key does, and why one does nothing now."""
        if self.frame is not None and not isinstance(self.screen, Help):
            self.push_screen(Help(self.frame))

    def action_command_palette(self) -> None:
        """Find an act or a thing by its words."""
        if isinstance(self.screen, Frame):
            said = "an act, a model, an incident, start RUNBOOK on MODEL, RUN-2, APR-3, WVR-1, #120 …"
            self.push_screen(CommandPalette(id="--command-palette", placeholder=said))

    def open_form(self, asked: Asked) -> None:
        """Ask for the words of an act."""
        self.push_screen(Form(asked))

    def acknowledge(self, incident: IncidentView) -> None:
        """Take an incident."""
        key = str(uuid.uuid4())

        def act() -> str:
            self.client.acknowledge(incident.id, version=incident.version, key=key)
            return f"INC-{incident.id} is yours"

        self.ask(f"taking INC-{incident.id}", act, acts=True)

    def approve(self, approval: ApprovalView) -> None:
        """Be the second person."""
        key = str(uuid.uuid4())

        def act() -> str:
            self.client.approve(approval.id, key=key)
            return f"approved: {approval.text}"

        self.ask(f"approving {approval.id}", act, acts=True)

    def switch(self, model: str, *, restore: bool, incident: IncidentView | None = None) -> None:
        """Fetch what one must know of a kill switch, then open its modal."""
        reason = f"INC-{incident.id}: {incident.title}" if incident is not None and not restore else ""
        number = incident.id if incident is not None else None

        def modal() -> Screen[Any]:
            return SwitchModal(self.client.switch(model), restore=restore, reason=reason, incident=number)

        self.ask(f"the kill switch of {model}", modal)

    def switches(
        self, models: Sequence[str], *, incident: IncidentView | None = None, done: Callable[[], object] = lambda: None
    ) -> None:
        """Fetch what a pull of several would do, then open its modal; `done` is called once it has pulled."""

        def modal() -> Screen[Any]:
            found = self.client.foresee(asked(Several(), models))
            return BatchModal(models, found, incident=incident, done=done)

        self.ask(f"the kill switches of {len(models)} models", modal)

    def start_runbook(self, model: str, incident: IncidentView | None) -> None:
        """Fetch the runbooks for a model, then let the person choose one."""

        def offered(each: RunbookView) -> Choosable:
            form = lambda: self.open_form(run_acts.starting(model, each, incident))  # noqa: E731 (one line)
            beneath = f"for models with {each.applies_to}" if each.applies_to and UNFIT in each.refused else ""
            return Choosable(each.runbook, each.description, refusal(each), form, beneath)

        def choice() -> Screen[Any]:
            found = self.client.runbooks(model)
            if not found:
                raise NotFound(f"no runbook is for {model}; its card names some under runbooks")
            return Pick(f"Runbooks for {model}", [offered(each) for each in found])

        self.ask(f"the runbooks for {model}", choice)

    def start_on(self, model: str, runbook: RunbookView, incident: IncidentView | None) -> None:
        """Open the form that starts a runbook for a model, or say why it cannot be started."""
        if refusal(runbook):
            self.say(refusal(runbook), "warning")
        else:
            self.open_form(run_acts.starting(model, runbook, incident))
