"""Where deliveries run: one lane per notifier, so that one that is slow or hangs delays no other, nor the cycle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from governance.core.effect import Effect

Work = Callable[[], list[Effect]]


class Lanes:
    """Runs the deliveries of each notifier: in the caller's thread, or while they are `apart`, in one thread for each.

    In the caller's thread all is done when `run` returns, in an order that is always the same: for tests, and for
    whoever has no other work. For any number of threads.
    """

    def __init__(self) -> None:
        """Begin in the caller's thread."""
        self._beside = False
        self._lock = threading.Lock()
        self._running: dict[str, threading.Thread] = {}
        self._finished: list[Effect] = []
        self._failure: BaseException | None = None
        self._closed_until: dict[str, datetime] = {}
        self._stated: dict[str, datetime] = {}
        self._answers: dict[str, bool] = {}

    @property
    def beside(self) -> bool:
        """Whether deliveries run in threads of their own."""
        return self._beside

    @contextmanager
    def apart(self, seconds: float) -> Iterator[None]:
        """Give each notifier a thread of its own meanwhile; at the end wait for what is under way, at most so long.

        What is under way for longer is left alone: it is not recorded as delivered, so the next engine tries it again.
        """
        self._beside = True
        try:
            yield
        finally:
            self._beside = False
            self.idle(seconds)

    def idle(self, seconds: float) -> bool:
        """Wait until nothing is under way, and tell whether that was so within so many seconds."""
        latest = time.monotonic() + seconds
        with self._lock:
            running = list(self._running.values())
        for thread in running:
            thread.join(max(latest - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in running)

    def run(self, notifier: str, work: Work) -> None:
        """Let the lane of a notifier work; when it still does, nothing happens."""
        if not self._beside:
            self._finished.extend(work())
            return
        with self._lock:
            before = self._running.get(notifier)
            if before is not None and before.is_alive():
                return
            # A daemon: one that hangs must not keep the program from ending.
            thread = threading.Thread(target=self._worked, args=(work,), name=f"notifier {notifier}", daemon=True)
            self._running[notifier] = thread
            thread.start()

    def finished(self) -> list[Effect]:
        """Return what was tried since the last call, and raise here what stopped a lane meanwhile."""
        with self._lock:
            done, self._finished = self._finished, []
            failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return done

    def close(self, notifier: str, until: datetime) -> None:
        """Leave a notifier alone, as it asked for."""
        with self._lock:
            self._closed_until[notifier] = until

    def is_open(self, notifier: str, at: datetime) -> bool:
        """Tell whether a notifier may be asked now."""
        with self._lock:
            return at >= self._closed_until.get(notifier, at)

    def due(self, notifier: str, every: timedelta, at: datetime) -> bool:
        """Tell whether it is time for a notifier to state again what is open."""
        with self._lock:
            last = self._stated.get(notifier)
        return last is None or not last <= at < last + every  # a clock that was set back is no reason to wait

    def stated(self, notifier: str, at: datetime) -> None:
        """Note that a notifier states what is open."""
        with self._lock:
            self._stated[notifier] = at

    def answered(self, notifier: str, *, well: bool) -> None:
        """Note whether a notifier took what it was given last."""
        with self._lock:
            self._answers[notifier] = well

    def answers(self) -> dict[str, bool]:
        """Return, for each notifier that was tried since the start, whether it took what it was given last."""
        with self._lock:
            return dict(self._answers)

    def _worked(self, work: Work) -> None:
        try:
            done = work()
        except BaseException as error:  # noqa: BLE001 (it is raised again in `finished`, in the engine's thread)
            with self._lock:
                self._failure = error
        else:
            with self._lock:
                self._finished.extend(done)
