"""Where what runs ask of the world is done: beside the engine in a bounded number of threads, or in the caller's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from governance.engine.collect import Collector

MOST = 8
"""How many acts, and looks at metrics, are under way at once."""
LIMIT = 60.0
"""Seconds after which an act is no longer waited for."""


@dataclass(slots=True)
class _Job:
    """Something under way for one run."""

    run: str
    work: Callable[[], Any]
    done: Callable[[Any], None]
    given_up: Callable[[], None]
    began: float = field(default_factory=time.monotonic)
    result: list[Any] = field(default_factory=list)
    failure: BaseException | None = None
    over: bool = False


class Runner:
    """Does the work of runs; what comes of it is told in the thread that asks for it.

    In the caller's thread all is done when `start` returns: for tests, and for whoever has no other work. What hangs
    while it is beside costs one thread until it ends, and its run is told so. For any number of threads.
    """

    def __init__(self, limit: float = LIMIT) -> None:
        """Begin in the caller's thread; give up what takes longer than so many seconds."""
        self.collector = Collector()
        self._limit = limit
        self._beside = self._closing = False
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self._jobs: dict[str, _Job] = {}
        self._driving = threading.Lock()

    @property
    def beside(self) -> bool:
        """Whether work is done in threads of its own."""
        return self._beside

    @contextmanager
    def apart(self, seconds: float) -> Iterator[None]:
        """Work in threads meanwhile; at the end wait for what is under way, at most so long."""
        self._beside = True
        try:
            yield
        finally:
            self._beside = self._closing = False
            self.idle(seconds)

    def close(self) -> None:
        """Begin nothing more; what is under way may end and be told."""
        self._closing = True

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Tell whether nobody else drives the runs of this engine, and keep others from it meanwhile."""
        first = self._driving.acquire(blocking=False)
        try:
            yield first
        finally:
            if first:
                self._driving.release()

    def wake(self) -> None:
        """Let the driver of the runs look at once: somebody did something."""
        self._woken.set()

    def sleep(self, seconds: float) -> None:
        """Wait until somebody wakes the driver, or for so long."""
        self._woken.wait(max(seconds, 0.0))
        self._woken.clear()

    def idle(self, seconds: float) -> bool:
        """Wait until nothing is under way, and tell whether that was so within so many seconds."""
        latest = time.monotonic() + seconds
        while self._under_way() and time.monotonic() < latest:
            time.sleep(0.005)
        return not self._under_way()

    def busy(self) -> Collection[str]:
        """Return the runs for which something is under way, or was done and is not told yet."""
        with self._lock:
            return list(self._jobs)

    def has_room(self) -> bool:
        """Tell whether more can be begun."""
        with self._lock:
            under_way = sum(not each.over for each in self._jobs.values())
            return not self._beside or (not self._closing and under_way < MOST)

    def start(
        self, run: str, work: Callable[[], Any], done: Callable[[Any], None], given_up: Callable[[], None]
    ) -> None:
        """Work for a run; later `done` is called with what came of it, or `given_up` when that took too long."""
        if not self._beside:
            done(work())
            return
        job = _Job(run, work, done, given_up)
        with self._lock:
            self._jobs[run] = job
        # A daemon: one that hangs must not keep the program from ending.
        threading.Thread(target=self._worked, args=(job,), name=f"run {run}", daemon=True).start()

    def tell(self) -> int:
        """Tell what came of what has ended, and give up what takes too long; return how much that was."""
        now = time.monotonic()
        with self._lock:
            ended = [each for each in self._jobs.values() if each.over or now - each.began > self._limit]
        for each in ended:
            over = each.over  # it may end just now
            if over and each.failure is not None:
                self._forget(each)
                raise each.failure
            if over:
                each.done(each.result[0])
            else:
                each.given_up()
            self._forget(each)  # only now: what could not be written, as the disk was full, is told again
        return len(ended)

    def _forget(self, job: _Job) -> None:
        with self._lock:
            if self._jobs.get(job.run) is job:  # what it led to may be under way already
                del self._jobs[job.run]

    def _worked(self, job: _Job) -> None:
        try:
            job.result.append(job.work())
        except BaseException as error:  # noqa: BLE001 (it is raised again in `tell`, in the driver's thread)
            job.failure = error
        with self._lock:
            job.over = True
        self.wake()

    def _under_way(self) -> bool:
        with self._lock:
            return any(not each.over for each in self._jobs.values())
