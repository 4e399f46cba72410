"""When Slack may be asked again: a message a second and channel, and not at all while it wants to be left alone."""

from __future__ import annotations

import time
from collections.abc import Callable

SPACING = 1.0
"""Seconds between two messages to one channel. Source: https://docs.slack.dev/apis/web-api/rate-limits"""
FIRST, LAST = 1.0, 30.0
"""Seconds until the next try after the first failure, and after many."""


class Pace:
    """Keeps the time of one workspace by a clock that only goes forward."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, spacing: float = SPACING) -> None:
        """Begin with everything free."""
        self._clock, self._spacing = clock, spacing
        self._free: dict[str, float] = {}
        self._until, self._failures = 0.0, 0

    @property
    def waits(self) -> float:
        """Seconds for which nothing may be asked at all."""
        return max(0.0, self._until - self._clock())

    def free(self, channel: str) -> bool:
        """Tell whether a channel may have its next message."""
        return self._clock() >= self._free.get(channel, 0.0) and not self.waits

    def used(self, channel: str) -> None:
        """Note that a channel was asked for something, and that Slack answered."""
        self._free[channel] = self._clock() + self._spacing
        self._failures = 0

    def hold(self, channel: str, seconds: float) -> None:
        """Leave a channel alone for some time."""
        self._free[channel] = self._clock() + seconds

    def wait(self, seconds: float) -> None:
        """Leave the whole workspace alone for some time."""
        self._until = max(self._until, self._clock() + seconds)

    def fail(self) -> None:
        """Wait after a call without answer, twice as long each time."""
        self.wait(min(FIRST * 2**self._failures, LAST))
        self._failures = min(self._failures + 1, 10)
