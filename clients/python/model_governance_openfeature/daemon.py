"""Threads that hold nobody up: neither the end of the process, nor a fork of it."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

FORK_PATIENCE = 1.0
"""Seconds that a fork waits for an event that is just being told."""


class Forked(Protocol):
    """Something with threads, which a fork does not copy."""

    telling: Any

    def rearm(self) -> None:
        """Start anew in the child."""


class Aside(ThreadPoolExecutor):
    """Runs each call in a daemon thread of its own.

    The event loop looks names up and writes files in its executor; the threads of the usual one are waited for when
    the process ends, however long a dead name server or disk takes.
    """

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Start the call."""
        future: Future[Any] = Future()
        threading.Thread(target=_run, args=(future, call, args, kwargs), daemon=True).start()
        return future


def now() -> float:
    """Return seconds that also pass while the machine is suspended, so that what is known ages with it."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(boot) if boot is not None else time.monotonic()


def survive_forks(forked: Forked) -> None:
    """Have it start anew in each child of this process, for as long as it exists."""
    _living.add(forked)


def _run(future: Future[Any], call: Callable[..., Any], args: Any, kwargs: Any) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 - it is for whoever awaits the future
        future.set_exception(error)


def _before() -> None:
    """Wait until no event is being told, so that no lock of the OpenFeature SDK is copied as held."""
    _held.extend(each for each in list(_living) if each.telling.acquire(timeout=FORK_PATIENCE))


def _in_parent() -> None:
    while _held:
        _held.pop().telling.release()


def _in_child() -> None:
    _held.clear()
    for each in list(_living):
        each.rearm()


_living: weakref.WeakSet[Forked] = weakref.WeakSet()
_held: list[Forked] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
