"""Where the messages of a test go, and whose clock it runs by."""

from __future__ import annotations

from datetime import UTC, datetime

from governance.core.effect import Effect, Receipt

START = datetime(2026, 1, 5, tzinfo=UTC)
"""When a test begins that does not say so: a Monday at midnight."""


class Collector:
    """A notifier that keeps what it was asked to say, and fails while it is told to."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.down = False

    def perform(self, effect: Effect) -> Receipt:
        """Keep the effect."""
        if self.down:
            return Receipt(delivered=False, detail="HTTP 503")
        self.effects.append(effect)
        return Receipt(delivered=True, detail="kept")


class FixedClock:
    """A clock that never moves; the instants of a test are passed along."""

    def __init__(self, at: datetime = START) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the start."""
        return self._at
