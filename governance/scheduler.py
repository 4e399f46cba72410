"""APScheduler as the ticker that drives the engine in one process, on the in-memory job store."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler


class Ticker:
    """Calls `step` at an interval, never twice at once, until `step` returns False, fails, or `stop` is called.

    The schedule is only a heartbeat: what is due is decided from the database and the injected clock, so that a
    missed or repeated beat changes nothing (misfires are run late, and only once).
    """

    def __init__(self, step: Callable[[], bool], every: timedelta) -> None:
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)  # a beat skipped while one runs is no news
        self._step = step
        self._done = threading.Event()
        self._failure: BaseException | None = None
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self._beat,
            "interval",
            seconds=every.total_seconds(),
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
        )

    def run(self, timeout: timedelta | None = None) -> None:
        """Tick until the step is done or `timeout` passed; an exception of the step is raised here."""
        self._scheduler.start()
        try:
            self._done.wait(timeout.total_seconds() if timeout is not None else None)
        finally:
            self.stop()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Stop ticking after the step that is under way."""
        self._done.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _beat(self) -> None:
        if self._done.is_set():
            return
        try:
            if not self._step():
                self._done.set()
        except BaseException as error:  # noqa: BLE001 (it is raised again in `run`, in the caller's thread)
            self._failure = error
            self._done.set()
