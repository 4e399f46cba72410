"""How much of a long piece of work fits into one short transaction."""

from __future__ import annotations

TARGET = 0.03  # seconds; the limit is 0.1, and a busy disk or machine may well take twice what it took before
_FIRST, _MOST = 100, 5_000  # a statement takes at most 32,766 parameters


class Pace:
    """The size of the next piece, judged by how long the last one took; it starts small."""

    def __init__(self) -> None:
        """Start small."""
        self.size = _FIRST

    def fit(self, size: int, seconds: float) -> None:
        """Choose the next size from the seconds that `size` took: at most twice as large."""
        fitting = int(size * TARGET / max(seconds, 1e-6))
        self.size = max(1, min(fitting, 2 * self.size, _MOST))
