"""Who writes next in this process: people in the order in which they come, and before the engine's own work."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

BUSY_SECONDS = 5  # for which anybody waits for other writers before it is told that they keep the database busy
PATIENCE = 1.0  # seconds for which the engine lets everybody pass before it queues like them: a cycle must end too
GAP = 0.008  # seconds that the engine leaves the lock alone between its turns: a poll of another process falls into it
STINT = 0.02  # seconds of turns after which it does: a quiet cycle, of a few short turns, need not wait


class Turns:
    """Turns at writing for the threads of one process: one at a time, first come, first served."""

    def __init__(self) -> None:
        """Start with nobody writing."""
        self._changed = threading.Condition()
        self._line: deque[int] = deque()
        self._writer: int | None = None
        self._gap_until = 0.0
        self._stint = 0.0

    @contextmanager
    def taken(self, limit: float, *, patient: bool) -> Iterator[None]:
        """Hold the turn; a patient one begins only when nobody else waits.

        :raises TimeoutError: when others keep it for `limit` seconds.
        :raises RuntimeError: when this thread holds it already.
        """
        thread = threading.get_ident()
        if self._writer == thread:
            raise RuntimeError("this thread is writing already: pass on the connection that is open")
        if patient:
            time.sleep(max(0.0, self._gap_until - time.monotonic()))
        self._queue(thread, limit, patient=patient)
        began = time.monotonic()
        try:
            yield
        finally:
            with self._changed:
                self._writer = None
                self._leave(time.monotonic(), began, patient=patient)
                self._changed.notify_all()

    def _leave(self, now: float, began: float, *, patient: bool) -> None:
        """Note how long the engine wrote, and when it may go on."""
        self._stint += now - began if patient else 0.0
        self._gap_until = 0.0
        if self._stint > STINT:
            self._stint, self._gap_until = 0.0, now + GAP

    def _queue(self, thread: int, limit: float, *, patient: bool) -> None:
        with self._changed:
            if patient:
                self._changed.wait_for(lambda: self._writer is None and not self._line, PATIENCE)
            self._line.append(thread)
            try:
                if not self._changed.wait_for(lambda: self._writer is None and self._line[0] == thread, limit):
                    raise TimeoutError
            finally:
                self._line.remove(thread)
                self._changed.notify_all()  # who came next may be the first now
            self._writer = thread
