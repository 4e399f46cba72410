"""Acts that were refused to somebody, in the decision log: the first at once, more within the minute as one entry."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from governance.core.decision import Decision
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import RefusedAct
from governance.store import decision_log

WINDOW = timedelta(minutes=1)
_SHOWN = 10
"""Models and rules that one entry names; the others are counted."""
_Key = tuple[str | tuple[str, str], ...]
"""Who, which act, where, and what it was about beside the model."""


@dataclass(slots=True)
class _Count:
    """What was refused since the last entry about one actor and act."""

    since: datetime
    about: dict[str, str]
    rules: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)


class RefusedActs:
    """Counts refused acts by actor, act and what they are about: however often somebody tries, two entries a minute."""

    def __init__(self, engine: Engine) -> None:
        """Record in this engine's log."""
        self._engine = engine
        self._lock = Lock()
        self._counts: dict[_Key, _Count] = {}

    def add(self, refused: RefusedAct, at: datetime) -> None:
        """Count one; the first of an actor and act for a minute is written at once. What only reads is no act.

        :raises Unavailable: when it cannot be written; it stays counted.
        """
        if refused.act == "read":
            return
        key: _Key = (refused.actor, refused.act, refused.channel, *sorted(refused.about.items()))
        with self._lock:
            first = key not in self._counts
            count = self._counts.setdefault(key, _Count(at, refused.about))
            count.rules[refused.rule if len(count.rules) < _SHOWN else "others"] += 1
            count.models[refused.model or "" if len(count.models) < _SHOWN else "others"] += 1
            if first:
                self._write(key, count, at)
        self.flush(at)

    def flush(self, at: datetime, *, whole: bool = False) -> None:
        """Write what was counted once its minute is over, or `whole`, as the process ends.

        :raises Unavailable: when it cannot be written; it stays counted.
        """
        with self._lock:
            for key, count in list(self._counts.items()):
                if at - count.since < WINDOW and not whole:
                    continue
                if count.rules:
                    self._write(key, count, at)
                    count.since = at
                else:
                    del self._counts[key]

    def _write(self, key: _Key, count: _Count, at: datetime) -> None:
        actor, act, channel = str(key[0]), str(key[1]), str(key[2])
        body = {
            "act": act,
            "count": count.rules.total(),
            "since": count.since,
            "rules": dict(count.rules),
            "models": {name or "the engine as a whole": times for name, times in count.models.items()},
            **({"channel": channel} if channel else {}),
        }
        one = {"model": next(iter(count.models))} if len(count.models) == 1 and "" not in count.models else {}
        subject = {**one, **count.about}
        identity = entries.identity("act.refused", actor, at.isoformat(), str(id(self)), repr(body))
        with self._engine.database.transaction() as connection:
            decision_log.append(connection, [Decision(at, "act.refused", actor, subject, body, identity)])
        decision_log.seal(self._engine.database, at)
        count.rules.clear()
        count.models.clear()


def note(refused: RefusedAct) -> None:
    """Record one refusal by itself, where no process goes on that could count more.

    :raises Unavailable: when it cannot be written.
    """
    RefusedActs(refused.engine).add(refused, refused.engine.clock.now())
