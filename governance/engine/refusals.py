"""Refused logins in the decision log: the first at once, and whatever else comes within the minute as one entry."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from threading import Lock

from governance.core.decision import Decision
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.refused_acts import RefusedActs
from governance.store import decision_log

WINDOW = timedelta(minutes=1)
_SHOWN = 10
"""Addresses and tokens that one entry names; the others are counted."""


class Refusals:
    """Counts refused logins; no flood of them makes more than two entries a minute, and no secret is in any."""

    def __init__(self, engine: Engine) -> None:
        """Record in this engine's log."""
        self.acts = RefusedActs(engine)
        self._engine = engine
        self._lock = Lock()
        self._since: datetime | None = None
        self._reasons: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()
        self._tokens: Counter[str] = Counter()

    def add(self, reason: str, *, address: str, token: str = "", at: datetime) -> None:
        """Count one; the first for a minute is written at once.

        :raises Unavailable: when it cannot be written; it stays counted.
        """
        with self._lock:
            self._reasons[reason] += 1
            self._addresses[address if len(self._addresses) < 1000 else "others"] += 1
            if token:
                self._tokens[token] += 1
            if self._since is None:
                self._since = at
                self._write(at)
        self.flush(at)

    def flush(self, at: datetime, *, whole: bool = False) -> None:
        """Write what was counted once its minute is over, or `whole`, as the process ends; refused acts too."""
        self.acts.flush(at, whole=whole)
        with self._lock:
            if self._since is None or (at - self._since < WINDOW and not whole):
                return
            if self._reasons:
                self._write(at)
                self._since = at
            else:
                self._since = None

    def _write(self, at: datetime) -> None:
        body = {
            "count": self._reasons.total(),
            "since": self._since,
            "reasons": dict(self._reasons),
            "addresses": dict(self._addresses.most_common(_SHOWN)),
            "tokens": dict(self._tokens.most_common(_SHOWN)),
        }
        named = [*self._tokens]
        subject = {"token": named[0]} if len(named) == 1 else {}
        identity = entries.identity("login.refused", at.isoformat(), str(id(self)), repr(body))
        with self._engine.database.transaction() as connection:
            decision_log.append(connection, [Decision(at, "login.refused", entries.ENGINE, subject, body, identity)])
        decision_log.seal(self._engine.database, at)
        for each in (self._reasons, self._addresses, self._tokens):
            each.clear()
