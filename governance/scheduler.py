"""APScheduler as the ticker that drives the engine in one process, on the in-memory job store."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

STEP = timedelta(seconds=5)
"""How far the machine's clock must jump to be reported; less is the daily work of time servers."""

_WATCH = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JOB = "beat"


@dataclass(frozen=True, slots=True)
class Clocks:
    """The machine's clocks, in seconds: `wall` can be set, `monotonic` only goes on."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic

    def ahead(self) -> float:
        """Return how far the wall clock is ahead of the other; it changes only when somebody sets it."""
        return self.wall() - self.monotonic()


@contextmanager
def short_pauses() -> Iterator[None]:
    """Keep the interpreter from halting people's acts, in the whole process, while another thread evaluates rules.

    Threads take turns every half millisecond rather than every five, as an act waits for its turn at each of its dozens
    of statements. And the garbage collector, which stops all threads, leaves out what was loaded before: with the
    policies of 1,000 models one pass over them takes up to half a second.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


class Ticker:
    """Calls `step` at an interval, never twice at once, until `step` returns False, fails, or `stop` is called.

    The schedule is only a heartbeat: what is due is decided from the database and the injected clock, so that a
    missed or repeated beat changes nothing (misfires are run late, and only once).

    APScheduler 3 follows the wall clock: set back an hour, it would wait an hour. So a watchdog compares that clock
    with the monotonic one; after a jump it arms the next beat anew, and tells `on_step`, before the next step and
    never during one, by how much. Waking from a machine's sleep is such a jump too.
    """

    def __init__(
        self,
        step: Callable[[], bool],
        every: timedelta,
        *,
        on_step: Callable[[timedelta], None] | None = None,
        aligned: bool = False,
        clocks: Clocks | None = None,
    ) -> None:
        """Tick `every` so often; `aligned`, at its multiples since 1970 in UTC, such as each full minute."""
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a beat skipped while one runs is no news
        self._step = step
        self._on_step = on_step or (lambda by: None)  # noqa: ARG005 (nobody listens)
        self._clocks = clocks or Clocks()
        self._ahead = self._clocks.ahead()
        self._alone = threading.Lock()
        self._done = threading.Event()
        self._failure: BaseException | None = None
        self._interval = _Interval(every, aligned=aligned)
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._beat, self._interval, id=_JOB, misfire_grace_time=None, coalesce=True, max_instances=1
        )
        self._watchdog = threading.Thread(target=self._watch, name="clock watchdog", daemon=True)

    def run(self, timeout: timedelta | None = None) -> None:
        """Tick until the step is done or `timeout` passed; an exception of the step is raised here."""
        with short_pauses():
            self._run(timeout)
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop ticking after the step that is under way."""
        self._done.set()

    def _run(self, timeout: timedelta | None) -> None:
        self._scheduler.start()
        self._watchdog.start()
        try:
            self._done.wait(timeout.total_seconds() if timeout is not None else None)
        finally:
            self.stop()
            with self._alone:  # the step under way may arm a beat, for which it needs a lock that a shutdown holds
                pass
            self._scheduler.shutdown(wait=True)
            self._watchdog.join()

    def _beat(self) -> None:
        self._safely(self._step)

    def _watch(self) -> None:
        while not self._done.wait(_WATCH.total_seconds()):
            if self._jumped():
                self._rearm()  # at once: a step may be under way for long
                self._safely(lambda: True)

    def _safely(self, act: Callable[[], bool]) -> None:
        with self._alone:
            if self._done.is_set():
                return
            try:
                self._tell_of_a_jump()
                if not act():
                    self._done.set()
            except BaseException as error:  # noqa: BLE001 (it is raised again in `run`, in the caller's thread)
                self._failure = error
                self._done.set()

    def _jumped(self) -> bool:
        return abs(self._clocks.ahead() - self._ahead) > STEP.total_seconds()

    def _tell_of_a_jump(self) -> None:
        before, self._ahead = self._ahead, self._clocks.ahead()
        by = timedelta(seconds=self._ahead - before)
        if abs(by) > STEP:
            self._rearm()
            self._on_step(by)

    def _rearm(self) -> None:
        """Beat within a second, or at the next multiple."""
        now = datetime.now(UTC)
        due = self._interval.get_next_fire_time(None, now)
        with suppress(JobLookupError):  # stopped meanwhile
            self._scheduler.modify_job(_JOB, next_run_time=due if self._interval.aligned else min(due, now + _WATCH))


class _Interval(BaseTrigger):  # type: ignore[misc]  # APScheduler ships no types
    """One beat per interval, and one, not thousands, for all that a leap of the clock skipped.

    The library's own counts every beat up to now, which for a leap of a year never ends.
    """

    def __init__(self, every: timedelta, *, aligned: bool) -> None:
        self.every = every
        self.aligned = aligned

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first beat after `now`."""
        origin = _EPOCH if self.aligned else previous_fire_time or now
        return origin + ((now - origin) // self.every + 1) * self.every
