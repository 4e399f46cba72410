"""How often somebody may ask: a bucket of tokens for each, in memory, that fills again as time goes by."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

_MOST = 10_000
"""Buckets that are kept; the one untouched for longest is forgotten first, and it was full again by then."""


class Buckets:
    """`burst` at once, and `rate` a second in the long run, for each name."""

    def __init__(self, burst: int, rate: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Begin with every bucket full."""
        self._burst, self._rate, self._monotonic = burst, rate, monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def take(self, name: str) -> int:
        """Take one and return 0; where none is left, return the seconds until there is."""
        now = self._monotonic()
        with self._lock:
            left, since = self._left.pop(name, (float(self._burst), now))
            left = min(self._burst, left + (now - since) * self._rate)
            taken = left >= 1
            self._left[name] = (left - 1 if taken else left, now)
            while len(self._left) > _MOST:
                self._left.popitem(last=False)
        return 0 if taken else math.ceil((1 - left) / self._rate)
