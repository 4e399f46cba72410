"""What is new in the decision log, read by one thread for everybody who listens."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.core.decision import Entry
from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.store import decision_log

BEAT = 0.2
"""Seconds between two looks at the log."""
KEPT = 2000
"""Events in memory; who was away for longer reads what it missed from the database."""
_PART = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One sealed entry in short."""

    seq: int
    at: datetime
    kind: str
    actor: str
    subject: dict[str, str]


class Feed:
    """The newest events in memory; listeners are woken and take what is after the last they have."""

    def __init__(self, engine: Engine, beat: float = BEAT) -> None:
        """Follow this engine's log from its end."""
        self._engine, self._beat = engine, beat
        self._last = decision_log.count(engine.database) - 1
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._over = threading.Event()

    @property
    def last(self) -> int:
        """The place of the newest event, -1 before the first."""
        return self._last

    def start(self) -> None:
        """Begin to follow, in a thread that ends with the process."""
        threading.Thread(target=self._follow, name="feed", daemon=True).start()

    def stop(self) -> None:
        """Stop following, and let every listener go."""
        self._over.set()
        self._wake()

    @property
    def is_over(self) -> bool:
        """True once nothing more comes."""
        return self._over.is_set()

    def after(self, seq: int) -> Sequence[Event] | None:
        """Return the events after one; None when they are no longer in memory: `stored` has them."""
        with self._lock:
            if seq >= self._last:
                return ()
            if not self._kept or self._kept[0].seq > seq + 1:
                return None
            return [each for each in self._kept if each.seq > seq]

    def stored(self, seq: int) -> Sequence[Event]:
        """Read some events after one from the database."""
        return [_event(each) for each in decision_log.tail(self._engine.database, _PART, since_seq=seq)]

    async def news(self, seconds: float) -> None:
        """Wait until something is new, for so many seconds at most."""
        woken = asyncio.Event()
        mine = (asyncio.get_running_loop(), woken)
        with self._lock:
            self._waiting.add(mine)
        try:
            await asyncio.wait_for(woken.wait(), seconds)
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._waiting.discard(mine)

    def look(self) -> None:
        """Read what is new, and wake those who wait."""
        try:
            found = self.stored(self._last)
        except Unavailable:
            return  # the next look is soon
        if found:
            with self._lock:
                self._kept.extend(found)
                self._last = found[-1].seq
            self._wake()

    def _follow(self) -> None:
        while not self._over.wait(self._beat):
            self.look()

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        for loop, woken in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)


def _event(entry: Entry) -> Event:
    said = entry.decision
    return Event(entry.seq, said.at, said.kind, said.actor, dict(said.subject))
