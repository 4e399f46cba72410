"""A thread that drives the runs beside the cycle, woken by people's acts and by what is due next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack

from governance.engine.parts import Engine
from governance.engine.running.driving import drive
from governance.errors import GovernanceError
from governance.store import runs

SHORTEST, LONGEST = 0.05, 1.0
"""Seconds between two looks, unless somebody wakes it."""
LEAP = 5.0
"""Seconds that the machine's clock may be set by time servers in their daily work."""
HELD = 60.0
"""Seconds after which a leap that nobody tells of is no leap."""


class Worker:
    """Drives the runs of an engine; what cannot be done now, because a disk is full, it tries again."""

    def __init__(self, engine: Engine, complain: Callable[[str], None], under_way: float = 5.0) -> None:
        """Prepare it; `complain` is told once of each trouble. At the end acts are waited for so many seconds."""
        self._engine, self._complain, self._under_way = engine, complain, under_way
        self._trouble = ""
        self._ahead, self._held = _ahead(), 0.0
        self._done = threading.Event()
        self._apart = ExitStack()
        self._thread = threading.Thread(target=self._run, name="runs", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._apart.enter_context(self._engine.runner.apart(0))
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, wait for what is under way as long as is reasonable, and record it."""
        runner = self._engine.runner
        runner.close()
        self._done.set()
        runner.wake()
        self._thread.join()
        runner.idle(self._under_way)
        self._looked(self._drive)  # which begins nothing more
        self._apart.close()

    def stepped(self) -> None:
        """Take note that the clocks of the runs were moved along with the machine's."""
        self._ahead, self._held = _ahead(), 0.0
        self._engine.runner.wake()

    def _run(self) -> None:
        while not self._done.is_set():
            pause = LONGEST
            if self._looked(self._drive):
                pause = self._pause()
            if not self._done.is_set():
                self._engine.runner.sleep(pause)

    def _drive(self) -> None:
        if self._is_sure():
            drive(self._engine, self._engine.clock.now())

    def _is_sure(self) -> bool:
        """Tell whether the machine's clock goes on as it did: after a leap no deadline is over before it was moved.

        Whoever moves them says so by `stepped`; who forgets it holds the runs up for a while, and not for ever.
        """
        now, ahead = time.monotonic(), _ahead()
        if abs(ahead - self._ahead) <= LEAP or (self._held and now - self._held > HELD):
            self._ahead, self._held = ahead, 0.0
            return True
        self._held = self._held or now
        return False

    def _looked(self, act: Callable[[], object]) -> bool:
        """Do something, and say what is wrong once."""
        said = ""
        try:
            act()
        except GovernanceError as error:
            said = f"runs: {error}"
        except Exception as error:  # noqa: BLE001 (runs go on, whatever is wrong with one look at them)
            said = f"runs: {type(error).__name__}: {error}"
        if said != self._trouble:
            self._trouble = said
            self._complain(said)
        return not said

    def _pause(self) -> float:
        """Return for how many seconds nothing is due."""
        try:
            busy = self._engine.runner.busy()
            with self._engine.database.read() as connection:
                due = runs.next_due(connection, without=busy)
        except GovernanceError:
            return LONGEST
        if due is None:
            return LONGEST
        return min(max((due - self._engine.clock.now()).total_seconds(), SHORTEST), LONGEST)


def _ahead() -> float:
    """Return how far the wall clock is ahead of the one that nobody sets, in seconds."""
    return time.time() - time.monotonic()
