"""The terminal app: one picture of the engine, kept fresh by a thread, and the acts of a person."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from textual import work
from textual.command import CommandPalette
from textual.events import Event, InputEvent
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer

from governance.client import Client
from governance.errors import GovernanceError, NotFound
from governance.views import ApprovalView, IncidentView
from governance.views.runs import RunbookView
from tui import run_acts
from tui.feed import Feed, Fetched, Heard, Lost
from tui.in_order import InOrder
from tui.keys import Key
from tui.known import Offline, Snapshot, now
from tui.memory import Memory
from tui.palette import Found
from tui.places import Place
from tui.screens import VIEWS
from tui.screens.approvals import Approvals
from tui.screens.entry import EntryScreen
from tui.screens.frame import Frame
from tui.screens.goto import Goto
from tui.screens.help import Help
from tui.screens.incident import IncidentScreen
from tui.screens.model import ModelScreen
from tui.screens.pick import Choosable, Pick
from tui.screens.run import RunScreen
from tui.screens.switch import SwitchModal
from tui.theme import DAY, NIGHT, OWN, SIXTEEN, THEMES, fitting

QUIET = 2.5
"""Seconds without a sign of life, of which the engine gives one each second, after which it counts as lost."""
WHY_ONE = {True: "no colours (NO_COLOR)", False: "sixteen colours"}
LISTEN = 0.25
"""Seconds between two looks at whether it is lost."""
SLOW = 0.5
"""Seconds after which is said that the engine has not yet answered a key."""
Severity = Literal["information", "warning", "error"]


class Answered(Message):
    """What came of something that was asked of the engine: a screen to open, or a sentence."""

    def __init__(self, about: str, screen: Screen[Any] | None, said: str, severity: Severity) -> None:
        """Carry the answer to what was asked `about`."""
        super().__init__()
        self.about, self.screen, self.said, self.severity = about, screen, said, severity


class GovApp(InOrder):
    """Speaks to one engine as one person."""

    TITLE = "gov"
    COMMANDS = {Found}
    CSS_PATH = "app.tcss"

    def __init__(
        self,
        client: Client,
        *,
        read_only: bool = False,
        keys: Mapping[str, str] | None = None,
        quiet: float = QUIET,
        clock: Callable[[], datetime] = now,
        elapsed: Callable[[], float] = time.monotonic,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        """Speak through `client`; `read_only` takes every act away, `clock`, `elapsed` and `pause` are for tests.

        `keys` are a person's own, by the names of the acts; after `quiet` seconds without a sign of life the engine
        counts as lost.
        """
        super().__init__()
        self.client, self.pause, self._clock = client, pause, clock
        self.feed = Feed(client, self._posted, clock)
        self.memory = Memory()
        self.snapshot: Snapshot | None = None
        self.offline: Offline | None = None
        self.heard: datetime | None = None
        self.paused: datetime | None = None
        self._next: Snapshot | None = None
        self._ahead = timedelta(0)
        self._read_only = read_only
        self._own = dict(keys or {})
        self._painted = 0.0
        self._elapsed, self._quiet, self._alive, self._hushed = elapsed, quiet, elapsed(), False
        self._under_way: dict[str, Timer] = {}
        self.runbooks: dict[str, Sequence[RunbookView]] = {}
        client.heard = self._lives
        self._views = {name: made() for name, made in VIEWS.items()}
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = fitting(no_color=self.no_color, system=self.console.color_system).name
        self.set_keymap(self._own)

    def at(self) -> datetime:
        """Return the engine's present instant: ages are told by its clock, whatever this machine's says."""
        return self._clock() + self._ahead

    @property
    def fades(self) -> bool:
        """Whether what is old can be dimmed: of sixteen colours the next darker one cannot be read."""
        return self.theme != SIXTEEN.name

    @property
    def looks_only(self) -> str:
        """Why this person may only look, "" when they may act."""
        if self._read_only:
            return "you may only look: the app was opened with --read-only"
        if self.snapshot is not None and self.snapshot.who.read_only:
            return "you may only look: the token has not the scope act"
        return ""

    def written(self, name: str, key: Key) -> str:
        """Return how the key of an act is written."""
        own = self._own.get(name)
        return own.partition(",")[0] if own else key.shown or key.keys.partition(",")[0]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give our own colours to themes that lack them."""
        return dict(OWN)

    def on_mount(self) -> None:
        """Show the fleet and begin to fetch."""
        self.memory.begin()
        for name, screen in self._views.items():
            self.install_screen(screen, name)
        self.push_screen("fleet")
        self.set_interval(1, self._tick)
        self.set_interval(LISTEN, self._listen)
        self._feed()

    def on_unmount(self) -> None:
        """Let the thread end."""
        self.feed.stop()
        self.memory.end()

    async def on_event(self, event: Event) -> None:
        """Note that a person presses a key or moves the mouse."""
        if isinstance(event, InputEvent):
            self.memory.used()
        await super().on_event(event)

    @work(thread=True, exit_on_error=True, group="feed")
    def _feed(self) -> None:
        self.feed.run()

    def _posted(self, message: Any) -> None:
        if self.is_running:
            self.post_message(message)

    def on_fetched(self, message: Fetched) -> None:
        """Take a new picture; while the person holds it still, keep it for later."""
        self._ahead = message.snapshot.fleet.as_of - message.snapshot.at
        self._next = message.snapshot
        self.offline, self.heard, self._hushed = None, self.at(), False
        if self.paused is None:
            self._take()

    def _take(self) -> None:
        self.snapshot = self._next or self.snapshot
        self.paint()
        frame = self.frame
        if frame is not None:
            frame.reload()

    def on_heard(self, message: Heard) -> None:
        """Note a sign of life."""
        del message
        self._lives()
        self.heard = self.at()
        if self._hushed:
            self.offline, self._hushed = None, False
            self.paint()

    def _lives(self) -> None:
        self._alive = self._elapsed()

    def _listen(self) -> None:
        """Count the engine as lost as soon as it gives no sign of life, while a call to it may still wait."""
        silent = self._elapsed() - self._alive
        if self.offline is None and self.snapshot is not None and silent > self._quiet:
            since = self.at() - timedelta(seconds=silent)
            self.offline, self._hushed = Offline(since, "the engine gives no sign of life", 0.0), True
            self.paint()

    def on_lost(self, message: Lost) -> None:
        """Say that the picture grows old."""
        since = message.offline.since + self._ahead
        since = min(since, self.offline.since) if self.offline is not None else since
        self.offline, self._hushed = replace(message.offline, since=since), False
        self.paint()

    @property
    def frame(self) -> Frame | None:
        """The topmost screen that is not modal."""
        return next((each for each in reversed(self.screen_stack) if isinstance(each, Frame)), None)

    def _tick(self) -> None:
        """Draw what a second more has changed, unless that was just drawn."""
        if time.monotonic() - self._painted > 0.6:
            self.paint()
        self.memory.rest()

    def paint(self) -> None:
        """Draw what is known now, as of now."""
        self._painted = time.monotonic()
        frame = self.frame
        if frame is not None and frame.is_mounted:
            frame.paint()

    def action_refresh(self) -> None:
        """Fetch at once."""
        self.feed.refresh()

    def action_pause(self) -> None:
        """Hold the picture still, or let it go on."""
        self.paused = None if self.paused is not None else self.at()
        if self.paused is None:
            self._take()
        else:
            self.paint()

    def action_copy(self) -> None:
        """Copy what is under the cursor, also out of the terminal where it knows how."""
        text = self.frame.copied() if self.frame is not None else ""
        if text:
            self.copy_to_clipboard(text)
            self.say(f"copied: {text}")
        else:
            self.say("there is nothing under the cursor to copy", "warning")

    def action_theme(self) -> None:
        """Change between day and night, where the terminal has the colours for both."""
        if self.theme not in (NIGHT.name, DAY.name):
            self.say(f"this terminal shows {WHY_ONE[self.no_color]}: for these there is one look", "warning")
            return
        self.theme = DAY.name if self.theme == NIGHT.name else NIGHT.name

    def action_help(self) -> None:
        """Say what each key does, and why one does nothing now."""
        if self.frame is not None and not isinstance(self.screen, Help):
            self.push_screen(Help(self.frame))

    def action_goto(self) -> None:
        """Ask where to go."""
        if not isinstance(self.screen, Goto):
            self.push_screen(Goto())

    def action_command_palette(self) -> None:
        """Find an act or a thing by its words."""
        if isinstance(self.screen, Frame):
            said = "an act, a model, an incident, a runbook …"
            row = self.frame.here().row if self.frame is not None else None
            if row is not None and row.mode:
                self.know_runbooks(row.model)
            self.push_screen(CommandPalette(id="--command-palette", placeholder=said))

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

    def go(self, place: Place) -> None:
        """Go to what has a name."""
        if place.kind == "view":
            self.action_view(place.name)
        elif place.kind == "model":
            self.open_model(place.name)
        elif place.kind == "incident":
            self.open_incident(int(place.name))
        elif place.kind == "approval":
            self.action_view("approvals")
            if isinstance(self.screen, Approvals):
                self.screen.point_at(place.name)
        elif place.kind == "run":
            self.open_run(place.name)
        elif place.kind == "entry":
            self.push_screen(EntryScreen(int(place.name)))

    def open_run(self, run: str) -> None:
        """Open a run of a runbook."""
        self.push_screen(RunScreen(run))

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

    def start_runbook(self, model: str, incident: IncidentView | None) -> None:
        """Fetch the runbooks for a model, then let the person choose one."""

        def offered(each: RunbookView) -> Choosable:
            form = lambda: self.push_screen(run_acts.starting(model, each, incident))  # noqa: E731 (one line)
            return Choosable(each.runbook, each.description, each.refused, form)

        def choice() -> Screen[Any]:
            found = self.client.runbooks(model)
            if not found:
                raise NotFound(f"no runbook is for {model}; its card names some under runbooks")
            return Pick(f"Runbooks for {model}", [offered(each) for each in found])

        self.ask(f"the runbooks for {model}", choice)

    def start_on(self, model: str, runbook: RunbookView, incident: IncidentView | None) -> None:
        """Open the form that starts a runbook for a model, or say why it cannot be started."""
        if runbook.refused:
            self.say(runbook.refused, "warning")
        else:
            self.push_screen(run_acts.starting(model, runbook, incident))

    @work(thread=True, group="known", exclusive=True)
    def know_runbooks(self, model: str) -> None:
        """Learn which runbooks are for a model, so that the palette finds them by their names."""
        with suppress(GovernanceError):  # what is not known is not offered
            found = self.client.runbooks(model)
            self.runbooks = {model: found}

    def ask(self, about: str, question: Callable[[], Screen[Any] | str], *, acts: bool = False) -> None:
        """Ask the engine in a thread, once however often a key is pressed, and say so where it takes long.

        Opens the screen or says the sentence that comes of it; the picture is fetched anew after what `acts`.
        """
        if about in self._under_way:
            self._under_way[about].stop()
            self._say_slow(about)
            return
        self._under_way[about] = self.set_timer(SLOW, lambda: self._say_slow(about))
        self._ask(about, question, acts=acts)

    def _say_slow(self, about: str) -> None:
        self.say(f"… {about}: no answer yet")

    @work(thread=True, group="acts")
    def _ask(self, about: str, question: Callable[[], Screen[Any] | str], *, acts: bool) -> None:
        severity: Severity = "information"
        screen: Screen[Any] | None = None
        try:
            found = question()
        except GovernanceError as error:
            said, severity = str(error), "error"
        else:
            said = found if isinstance(found, str) else ""
            screen = None if isinstance(found, str) else found
        self._posted(Answered(about, screen, said, severity))
        if acts:
            self.feed.refresh()

    def on_answered(self, message: Answered) -> None:
        """Say what came of it, or open the screen, unless the person has opened another modal one meanwhile."""
        self._under_way.pop(message.about).stop()
        if message.screen is None:
            self.say(message.said, message.severity)
        elif isinstance(self.screen, Frame):
            self.push_screen(message.screen)

    def say(self, text: str, severity: Severity = "information") -> None:
        """Tell the person something; what went wrong stays longer."""
        self.notify(text, severity=severity, timeout=8 if severity == "error" else 4, markup=False)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[Any]:
        """Offer nothing of the framework's own: every act is in our table of keys."""
        del screen
        return ()
