"""Keeps the app's picture of the engine fresh: fetches it whole, then again whenever something was decided.

Runs in a thread, and only posts messages.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime

from textual.message import Message

from governance.client import Client
from governance.errors import Denied, GovernanceError
from tui.known import Kept, Offline, Snapshot, now

LEAST_PAUSE = 1.0
"""Seconds between two fetches, however much happens."""
LONGEST_PAUSE = 15.0
"""Seconds after which is fetched again though nothing was decided: the ages of data grow all the same."""
SELDOM = 30.0
"""Seconds after which is asked again who asks and who is on call, of which no event tells."""
POINTS = 10
"""Values of a metric that a line of the fleet draws."""
AHEAD = 14
"""Days of shifts that are shown."""
RETRIES = (1.0, 2.0, 4.0, 6.0, 10.0)


class Fetched(Message):
    """A new snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        """Carry the snapshot."""
        super().__init__()
        self.snapshot = snapshot


class Heard(Message):
    """The engine gave a sign of life."""


class Lost(Message):
    """The engine is not reached; `refused` when it answers, but not to us."""

    def __init__(self, offline: Offline, *, refused: bool) -> None:
        """Carry what is known of the loss."""
        super().__init__()
        self.offline, self.refused = offline, refused


class Feed:
    """One thread's work: fetch, listen, and after a loss try again ever more slowly."""

    def __init__(self, client: Client, post: Callable[[Message], object], clock: Callable[[], datetime] = now) -> None:
        """Fetch through `client` and hand everything to `post`, which must be safe to call from a thread."""
        self._client, self._post, self._clock = client, post, clock
        self._stop, self._wake, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._after: int | None = None
        self._known: Snapshot | None = None
        self._kept: Kept | None = None
        self._asked = 0.0

    def run(self) -> None:
        """Work until stopped."""
        try:
            self._run()
        finally:
            self._ended.set()

    def _run(self) -> None:
        failures, since = 0, None
        while not self._stop.is_set():
            try:
                self._follow()
            except GovernanceError as error:
                self._asked = 0.0  # another engine may answer next
                since = since if failures and since is not None else self._clock()
                pause = RETRIES[min(failures, len(RETRIES) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311 (no secret)
                failures += 1
                self._post(Lost(Offline(since, str(error), pause), refused=isinstance(error, Denied)))
                self._wake.wait(pause)
                self._wake.clear()
            if self._heard:
                failures = 0

    def refresh(self) -> None:
        """Fetch anew as soon as can be, also where it would wait after a loss."""
        self._asked = 0.0
        self._wake.set()

    def stop(self, seconds: float) -> None:
        """End, and wait so long until that is done: at once, or where an answer is due within its time limit."""
        self._stop.set()
        self._wake.set()
        self._client.hush()
        self._ended.wait(seconds)

    def _follow(self) -> None:
        """Fetch, then follow the stream of events until it breaks."""
        self._heard = False
        self._fetch()
        self._heard, fetched, stale = True, time.monotonic(), False
        for event in self._client.events(self._after):
            if self._stop.is_set():
                return
            self._post(Heard())
            if event is not None:
                self._after, stale = event.seq, True
            age = time.monotonic() - fetched
            if (stale and age >= LEAST_PAUSE) or age >= LONGEST_PAUSE or self._wake.is_set():
                self._wake.clear()
                self._fetch()
                fetched, stale = time.monotonic(), False

    _heard = False

    def _fetch(self) -> None:
        """Fetch what changed since the last time: all of it where nothing is known, or where the engine says so."""
        client, known, kept = self._client, self._known, self._kept
        incidents = {each.id: each for each in client.incidents()}
        fleet = client.fleet(kept.view.state if kept is not None else "", points=POINTS)
        if kept is None or fleet.whole:
            self._kept = kept = Kept(fleet)
        else:
            kept.merge(fleet)
        if known is None or fleet.whole or time.monotonic() - self._asked >= SELDOM:
            self._asked = time.monotonic()
            who, on_call = client.whoami(), tuple(client.on_call(AHEAD))
        else:
            who, on_call = known.who, known.on_call
        self._known = Snapshot(who, kept.view, incidents, tuple(client.approvals()), self._clock(), on_call)
        self._post(Fetched(self._known))
