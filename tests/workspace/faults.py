"""What goes wrong between us and Slack, chosen by a test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from fnmatch import fnmatchcase


class Wrong(Enum):
    """What becomes of one request."""

    LIMITED = "answered with 429 and Retry-After"
    BROKEN = "answered with 500"
    DROPPED = "the connection is closed before Slack hears of it"
    UNANSWERED = "Slack does it, and the connection is closed before its answer"
    HOLE = "nobody answers until the fault is over"


@dataclass(slots=True)
class Fault:
    """One kind of trouble with the methods that match a pattern, so many times (None = until it is over)."""

    wrong: Wrong
    method: str
    times: int | None = None
    retry_after: int = 1
    met: int = 0
    over: threading.Event = field(default_factory=threading.Event)


class Faults:
    """The troubles of one connection to Slack."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def begin(self, wrong: Wrong, method: str = "*", *, times: int | None = None, retry_after: int = 1) -> Fault:
        """Begin a trouble with a method (`chat.*`, `socket` for Socket Mode, `*` for all)."""
        fault = Fault(wrong, method, times, retry_after)
        with self._lock:
            self._faults.append(fault)
        return fault

    @contextmanager
    def during(self, wrong: Wrong, method: str = "*", *, retry_after: int = 1) -> Iterator[Fault]:
        """Have a trouble until the block ends."""
        fault = self.begin(wrong, method, retry_after=retry_after)
        try:
            yield fault
        finally:
            self.end(fault)

    def end(self, *faults: Fault) -> None:
        """End these troubles, or all of them."""
        with self._lock:
            for fault in faults or list(self._faults):
                fault.over.set()
                if fault in self._faults:
                    self._faults.remove(fault)

    def next(self, method: str) -> Fault | None:
        """Return the trouble that a request meets, which counts."""
        with self._lock:
            for fault in self._faults:
                if fnmatchcase(method, fault.method) and (fault.times is None or fault.met < fault.times):
                    fault.met += 1
                    return fault
        return None
