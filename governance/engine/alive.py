"""The dead-man's-switch: an address outside that is pinged after a full cycle, and whose silence is the alarm.

A cycle is full when metrics were read, rules judged, the log sealed and notifications accepted. One that is not is
followed by no ping: the service outside, which knows nothing else of the engine, then tells whoever it tells.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance import settings
from governance.core.alive import Alive
from governance.core.duration import format_duration
from governance.core.effect import Receipt
from governance.engine.parts import Engine
from governance.errors import GovernanceError, Unavailable
from governance.outbound import Outbound
from governance.posting import posted
from governance.store import backlog, effects, progress, trouble

if TYPE_CHECKING:
    from sqlalchemy import Connection

Ping = Callable[[Alive], str]
"""Asks the address, and returns why it was not taken, "" when it was."""
PAUSE = 1.0
"""Seconds between two looks."""
LATE = 3
"""Intervals after which a cycle that did not come is too late."""
FAILURES = 3
"""Pings one after another that must fail before that is told: a network has its moments."""
_SEAL = timedelta(seconds=10)
_DELIVERY = timedelta(minutes=1)
"""How long a decision may wait for its seal, and a notification for its first try."""
_WORDS = {"source-failing": "the source {} fails", "rule-in-error": "rules of {} cannot be judged"}


def lacking(engine: Engine, at: datetime) -> str:
    """Return what keeps the last cycle from having been full, "" when it was."""
    if engine.standing.canary:
        return f"the canary does not go the whole way: {engine.standing.canary}"
    with engine.database.read() as connection:
        return next(_lacking(connection, engine.organisation.cycle.every, at), "")


def _lacking(connection: Connection, every: timedelta, at: datetime) -> Iterator[str]:
    last = progress.last(connection, progress.CYCLE)
    if last is None:
        yield "no cycle was completed yet"
    elif at - last > LATE * every:
        yield f"the last complete cycle is of {last:%Y-%m-%d %H:%M:%S}Z; one is due every {format_duration(every)}"
    yield from (_WORDS[rule].format(name) for rule, name in sorted(trouble.left(connection)) if rule in _WORDS)
    if progress.last(connection, progress.UNSOUND) is not None:
        yield "the decision log does not verify"
    oldest = backlog.oldest(connection)
    if oldest is not None and at - oldest > _SEAL:
        yield f"a decision of {oldest:%Y-%m-%d %H:%M:%S}Z waits for its seal"
    for each in effects.pending(connection):
        if each.attempts:
            yield f"{each.notifier} did not accept a notification of INC-{each.incident} ({each.receipt})"
        elif each.next_at is not None and at - each.next_at > _DELIVERY:
            yield f"{each.notifier} was not told of INC-{each.incident} yet"


def ping(alive: Alive) -> str:
    """Ask the address of a dead-man's-switch, which is not shown: whoever has it can keep the switch quiet."""
    address = alive.address or settings.secret(alive.address_env)
    if not address:
        return f"{alive.address_env} is not set"
    answer = posted(address, b"", {}, Outbound(alive.loopback), method=alive.method.upper())
    receipt = answer if isinstance(answer, Receipt) else answer.receipt()
    return "" if receipt.delivered else receipt.detail.replace(address, "its address")


class Pinger(threading.Thread):
    """Pings after full cycles, beside the engine's other work: an address outside may take its time."""

    def __init__(self, engine: Engine, ping: Ping = ping) -> None:
        """Prepare it; `ping` asks the address; it ends with the process."""
        super().__init__(name="dead-man's-switch", daemon=True)
        self._engine, self._ping, self._over = engine, ping, threading.Event()
        self._cycle: datetime | None = None
        self._failures = 0

    def run(self) -> None:
        """Look until told to stop."""
        while not self._over.wait(PAUSE):
            try:
                self.look(self._engine.clock.now())
            except GovernanceError as error:
                self._engine.standing.not_full = str(error)  # a database that cannot be read is no full cycle

    def stop(self) -> None:
        """Ping no more."""
        self._over.set()

    def look(self, at: datetime) -> bool:
        """Ping if a full cycle is complete that none was sent for, and tell whether one was taken."""
        alive, standing = self._engine.organisation.alive, self._engine.standing
        if alive is None:
            standing.not_full = standing.ping_failure = ""
            return False
        with self._engine.database.read() as connection:
            cycle, last = progress.last(connection, progress.CYCLE), progress.last(connection, progress.PINGED)
        standing.not_full = lacking(self._engine, at)
        recent = last is not None and last <= at and at - last < alive.every
        if standing.not_full or recent or cycle is None or cycle == self._cycle:
            return False
        self._cycle = cycle
        return self._sent(alive, at)

    def _sent(self, alive: Alive, at: datetime) -> bool:
        standing, refused = self._engine.standing, self._ping(alive)
        if refused:
            self._failures += 1
            if self._failures >= FAILURES:
                standing.ping_failure = refused
            return False
        self._failures, standing.ping_failure = 0, ""
        try:
            with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
                progress.set_last(connection, progress.PINGED, at)
        except Unavailable as error:
            standing.not_full = str(error)
        return True
