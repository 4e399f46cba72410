"""What the process that runs the engine tells the API of itself; nothing of it survives a restart."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock


@dataclass(slots=True)
class Pulse:
    """How long the last cycle took, and what was counted since the process began.

    The engine's thread writes all but `pushed`, which those that take pushes count up one at a time.
    """

    cycle_seconds: float | None = None
    failed: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    pushed: Counter[str] = field(default_factory=Counter)
    turn: Lock = field(default_factory=Lock)

    def take(self, source: str, count: int) -> None:
        """Count samples that were pushed to a source."""
        with self.turn:
            self.pushed[source] += count
