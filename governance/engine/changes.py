"""Which rows of the fleet are others than when somebody last asked, as this process noticed it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping
from threading import Lock


class Changes:
    """Counts what changes: a row changed when any of what it is made of did, whatever the clocks say.

    Nothing of it survives a restart: a state of another process tells this one nothing.
    """

    def __init__(self) -> None:
        """Know of no row yet."""
        self._lock, self._process = Lock(), secrets.token_hex(8)
        self._count, self._plan = 0, object()
        self._known: Mapping[str, tuple[object, int]] = {}

    def note(self, plan: object, made_of: Mapping[str, object]) -> Mapping[str, int]:
        """Compare what all rows are made of with what they were, and return by model when each last changed.

        By another plan all rows are others.
        """
        with self._lock:
            known, following = self._known if plan is self._plan else {}, self._count + 1
            news = {
                model: (parts, following)
                for model, parts in made_of.items()
                if (before := known.get(model)) is None or before[0] != parts
            }
            if news or len(made_of) != len(known):
                self._count, self._plan = following, plan
                self._known = {model: news.get(model) or known[model] for model in made_of}
            return {model: number for model, (_, number) in self._known.items()}

    def state(self, models: Collection[str], numbers: Mapping[str, int]) -> str:
        """Return the name of a state: of what it is one, and how far it was counted then."""
        return f"{self._of(models)}.{max(numbers.values(), default=0)}"

    def seen(self, state: str, models: Collection[str]) -> int | None:
        """Return how far was counted at a state; None for one of other models, or of another process."""
        of, _, number = state.rpartition(".")
        return int(number) if of == self._of(models) and number.isascii() and number.isdigit() else None

    def _of(self, models: Collection[str]) -> str:
        return hashlib.sha256("\n".join([self._process, *models]).encode()).hexdigest()[:16]
