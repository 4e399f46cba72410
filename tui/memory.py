"""Keeps the collector of cyclic garbage from holding up a key.

A full collection visits every object that lives. With ten thousand models that takes a quarter of a second in which
nothing else runs, and new rows make it due every few seconds: it took three quarters of all CPU. So it waits until
nobody presses a key; younger garbage, which is most of it, is collected all the while.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

RESTS = 20.0
"""Seconds without a key after which nobody waits for one."""
EVERY = 300.0
"""Seconds between two full collections."""
NEVER = 1_000_000_000


class Memory:
    """When the oldest garbage is collected: while a person rests."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Leave the collector as it is; `clock` tells seconds that never go back."""
        self._clock, self._before = clock, gc.get_threshold()
        self._used = self._swept = clock()

    def begin(self) -> None:
        """Let nothing but `rest` collect the oldest garbage."""
        self._before = gc.get_threshold()
        gc.set_threshold(*self._before[:2], NEVER)

    def end(self) -> None:
        """Leave the collector as it was found."""
        gc.set_threshold(*self._before)

    def used(self) -> None:
        """Note that a person does something."""
        self._used = self._clock()

    def rest(self) -> bool:
        """Collect all garbage, if that is due and nobody waits for a key; tell whether it was."""
        now = self._clock()
        if now - self._used < RESTS or now - self._swept < EVERY:
            return False
        self._swept = now
        gc.collect()
        return True
