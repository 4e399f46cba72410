"""The engine's own metrics, so that rules govern it as they govern models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from governance.core.alive import Canary
from governance.core.metric import Answer, Query, Sample
from governance.engine.canary import way
from governance.store import decision_log, effects, progress
from governance.store.database import Database

_SAID = timedelta(minutes=10)
NAME = "engine"
"""The source that every engine has, and the card that governs it."""


class OwnMetrics:
    """Answers what the engine knows of itself: `away`, `oldest_unsealed`, `oldest_undelivered`, `given_up`, `canary`.

    `canary` is 1 from when the canary is due until its incident was told, else 0. Times are in seconds; that of nothing
    is 0. `away` is for how long nothing was judged before the engine came back, said for ten minutes. They are known
    for the present only.
    """

    def __init__(self, database: Database, canary: Canary | None = None) -> None:
        self._database, self._canary = database, canary

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at`."""
        return {query: self._answer(query.text, at) for query in queries}

    def _answer(self, name: str, at: datetime) -> Answer:
        known: Mapping[str, Callable[[datetime], float]] = {
            "away": self._away,
            "oldest_unsealed": self._oldest_unsealed,
            "oldest_undelivered": self._oldest_undelivered,
            "given_up": self._given_up,
            "canary": self._trips,
        }
        if name not in known:
            return Answer(failure=f"the engine has no metric '{name}'; it has {', '.join(known)}")
        return Answer((Sample(max(known[name](at), 0.0), at),))

    def _away(self, at: datetime) -> float:
        with self._database.read() as connection:
            left, back = (progress.last(connection, name) for name in (progress.LEFT, progress.BACK))
        recent = left is not None and back is not None and back <= at <= back + _SAID
        return _age(left, back) if recent and back is not None else 0.0

    def _oldest_unsealed(self, at: datetime) -> float:
        return _age(decision_log.oldest_unsealed(self._database), at)

    def _oldest_undelivered(self, at: datetime) -> float:
        with self._database.read() as connection:
            return _age(min((each.message.at for each in effects.pending(connection)), default=None), at)

    def _given_up(self, at: datetime) -> float:
        del at
        with self._database.read() as connection:
            return float(effects.given_up(connection))

    def _trips(self, at: datetime) -> float:
        if self._canary is None:
            return 0.0
        with self._database.read() as connection:
            return float(way(connection, self._canary, at).trips)


def _age(since: datetime | None, at: datetime) -> float:
    return (at - since).total_seconds() if since is not None else 0.0
