"""The terminal app: one picture of the engine, kept fresh by a thread, and the acts of a person."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from textual import work
from textual.app import App
from textual.binding import Binding

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import ApprovalView, FleetRow, IncidentView
from tui.feed import Feed, Fetched, Heard, Lost
from tui.known import Offline, Snapshot, now
from tui.screens.approvals import Approvals
from tui.screens.help import Help
from tui.screens.main import Main
from tui.screens.on_call import OnCall
from tui.screens.reason import Reason
from tui.screens.switch import SwitchModal
from tui.theme import DAY, NIGHT, OWN


class GovApp(App[None]):
    """Speaks to one engine as one person."""

    TITLE = "gov"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("r", "refresh", "Refresh", show=False),
        Binding("t", "theme", "Day or night", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self,
        client: Client,
        *,
        read_only: bool = False,
        clock: Callable[[], datetime] = now,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Speak through `client`; `read_only` takes every act away, `clock` and `pause` are for tests."""
        super().__init__()
        self.client, self.pause, self._clock = client, pause, clock
        self.feed = Feed(client, self._posted)
        self.snapshot: Snapshot | None = None
        self.offline: Offline | None = None
        self.heard: datetime | None = None
        self._ahead = timedelta(0)
        self._read_only = read_only
        for theme in (NIGHT, DAY):
            self.register_theme(theme)
        self.theme = NIGHT.name

    def at(self) -> datetime:
        """Return the engine's present instant: ages are told by its clock, whatever this machine's says."""
        return self._clock() + self._ahead

    @property
    def read_only(self) -> bool:
        """Whether this person may only look."""
        return self._read_only or (self.snapshot is not None and self.snapshot.who.read_only)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own colours to themes that lack them."""
        return {name: NIGHT.variables[name] for name in OWN}

    def on_mount(self) -> None:
        """Show the fleet and begin to fetch."""
        self.push_screen(Main())
        self.set_interval(1, self._paint)
        self._feed()

    def on_unmount(self) -> None:
        """Let the thread end."""
        self.feed.stop()

    @work(thread=True, exit_on_error=True, group="feed")
    def _feed(self) -> None:
        self.feed.run()

    def _posted(self, message: Any) -> None:
        if self.is_running:
            self.post_message(message)

    def on_fetched(self, message: Fetched) -> None:
        """Take a new picture."""
        self._ahead = message.snapshot.fleet.as_of - message.snapshot.at
        self.snapshot, self.offline, self.heard = message.snapshot, None, self.at()
        self._paint()

    def on_heard(self, message: Heard) -> None:
        """Note a sign of life."""
        del message
        self.heard = self.at()

    def on_lost(self, message: Lost) -> None:
        """Say that the picture grows old."""
        self.offline = replace(message.offline, since=message.offline.since + self._ahead)
        self._paint()

    def _paint(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, (Main, Approvals, OnCall)):
                screen.paint()

    def action_refresh(self) -> None:
        """Fetch at once."""
        self.feed.refresh()

    def action_theme(self) -> None:
        """Change between day and night."""
        self.theme = DAY.name if self.theme == NIGHT.name else NIGHT.name

    def action_help(self) -> None:
        """Say what each key does, and why one does nothing now."""
        self.push_screen(Help(self.screen))

    def action_approvals(self) -> None:
        """Show what waits for a second person."""
        self.push_screen(Approvals())

    def action_on_call(self) -> None:
        """Show who is on call."""
        self.push_screen(OnCall())

    def acknowledge(self, incident: IncidentView) -> None:
        """Take an incident."""
        key = str(uuid.uuid4())
        self._act(
            lambda: self.client.acknowledge(incident.id, version=incident.version, key=key),
            f"INC-{incident.id} is yours",
        )

    def resolve(self, incident: IncidentView) -> None:
        """Ask for the reason, then close an incident."""

        def done(because: str | None) -> None:
            if because is not None:
                key = str(uuid.uuid4())
                self._act(
                    lambda: self.client.resolve(incident.id, version=incident.version, because=because, key=key),
                    f"INC-{incident.id} is resolved",
                )

        self.push_screen(Reason(f"Resolve INC-{incident.id}", "What was done? It goes to the decision log."), done)

    def approve(self, approval: ApprovalView) -> None:
        """Be the second person."""
        key = str(uuid.uuid4())
        self._act(lambda: self.client.approve(approval.id, key=key), f"approved: {approval.text}")

    def refuse(self, approval: ApprovalView) -> None:
        """Ask for the reason, then refuse."""

        def done(because: str | None) -> None:
            if because is not None:
                key = str(uuid.uuid4())
                self._act(
                    lambda: self.client.refuse(approval.id, because=because, key=key), f"refused: {approval.text}"
                )

        self.push_screen(Reason("Refuse", "Why not? It goes to the decision log."), done)

    @work(thread=True, group="acts")
    def switch(self, row: FleetRow, *, restore: bool) -> None:
        """Fetch what one must know of a kill switch, then open its modal."""
        try:
            found = self.client.switch(row.model)
        except GovernanceError as error:
            self.call_from_thread(self._say, str(error), "error")
            return
        incident = self.snapshot.incident_of(row) if self.snapshot is not None else None
        reason = f"INC-{incident.id}: {incident.title}" if incident is not None and not restore else ""
        number = incident.id if incident is not None else None
        modal = SwitchModal(found, restore=restore, reason=reason, incident=number)
        self.call_from_thread(self.push_screen, modal)

    @work(thread=True, group="acts")
    def _act(self, act: Callable[[], None], done: str) -> None:
        """Do something that a person asked for, and say what came of it."""
        try:
            act()
        except GovernanceError as error:
            self.call_from_thread(self._say, str(error), "error")
        else:
            self.call_from_thread(self._say, done, "information")
        self.feed.refresh()

    def _say(self, text: str, severity: Any) -> None:
        self.notify(text, severity=severity, timeout=8 if severity == "error" else 4, markup=False)
