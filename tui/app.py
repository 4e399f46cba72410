"""The terminal app: one picture of the engine, kept fresh by a thread, and the acts of a person."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from textual import work
from textual.events import Event, InputEvent
from textual.screen import Screen

from governance.client import Client
from tui.feed import Feed, Fetched, Heard, Lost
from tui.keys import Key
from tui.known import Offline, Snapshot, now
from tui.memory import Memory
from tui.opening import Opening
from tui.palette import Found
from tui.screens import VIEWS
from tui.theme import FADE, OWN, THEMES, TURNED, fitting

QUIET = 2.5
"""Seconds without a sign of life, of which the engine gives one each second, after which it counts as lost."""
WHY_ONE = {True: "no colours (NO_COLOR)", False: "sixteen colours"}
ENDS = 1.0
"""Seconds that the thread which fetches is given to end with the app."""
LISTEN = 0.25
"""Seconds between two looks at whether it is lost."""


class GovApp(Opening):
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
        super().__init__(client)
        self.pause, self._clock = pause, clock
        self.feed = Feed(client, self.posted, clock)
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
        """Whether what is old can be dimmed in the colours that there are."""
        return self.theme in FADE

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

    async def on_unmount(self) -> None:
        """Let the thread end before the client closes that it reads from."""
        await asyncio.to_thread(self.feed.stop, ENDS)
        self.memory.end()

    async def on_event(self, event: Event) -> None:
        """Note that a person presses a key or moves the mouse."""
        if isinstance(event, InputEvent):
            self.memory.used()
        await super().on_event(event)

    @work(thread=True, exit_on_error=True, group="feed")
    def _feed(self) -> None:
        self.feed.run()

    def acted(self) -> None:
        """Fetch at once."""
        self.feed.refresh()

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
        if self.theme not in TURNED:
            self.say(f"this terminal shows {WHY_ONE[self.no_color]}: for these there is one look", "warning")
            return
        self.theme = TURNED[self.theme]

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[Any]:
        """Offer nothing of the framework's own: every act is in our table of keys."""
        del screen
        return ()
