"""Perform what was committed: at least once, with the same key every time, and record each receipt."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime

from governance.core.effect import MAX_ATTEMPTS, Effect, Receipt, retry_at
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, effects

PATIENCE = 1.0
"""Seconds after which a try that fails has taken long."""


def dispatch(engine: Engine, at: datetime) -> list[Effect]:
    """Deliver every due effect and return what became of each; a failure is tried again later, ever more slowly.

    A notifier hears of an incident in order: what follows a message that could not be delivered waits for it. One that
    takes long to fail is left alone until the next beat.
    """
    with engine.database.read() as connection:
        pending = effects.pending(connection)
    done: list[Effect] = []
    waiting: set[tuple[int, str]] = set()
    down: set[str] = set()
    for effect in pending:
        line = (effect.incident, effect.notifier)
        if line in waiting or effect.notifier in down or effect.next_at is None or effect.next_at > at:
            waiting.add(line)
            continue
        began = time.monotonic()
        after = _after(effect, _performed(engine, effect), at)
        slow = time.monotonic() - began > PATIENCE
        with engine.database.giving_way(), engine.database.transaction() as connection:
            effects.save(connection, [after])
            if after.state != "due":
                decision_log.append(connection, [entries.of_delivery(after, at)])
        if after.state == "due":
            waiting.add(line)
            if slow:  # each try would take its whole time limit, and the next cycle is due
                down.add(effect.notifier)
        done.append(after)
    if done:
        with engine.database.giving_way():
            decision_log.seal(engine.database, at)
    return done


def _performed(engine: Engine, effect: Effect) -> Receipt:
    notifier = engine.notifiers.get(effect.notifier)
    if notifier is None:
        return Receipt(delivered=False, detail=f"no notifier '{effect.notifier}' is configured")
    try:
        return notifier.perform(effect)
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; the other deliveries must go on)
        return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}".splitlines()[0])


def _after(effect: Effect, receipt: Receipt, at: datetime) -> Effect:
    attempts = effect.attempts + 1
    tried = replace(effect, attempts=attempts, receipt=receipt.detail)
    if receipt.delivered:
        return replace(tried, state="sent", next_at=None)
    if attempts >= MAX_ATTEMPTS:
        return replace(tried, state="failed", next_at=None)
    return replace(tried, next_at=retry_at(attempts, at))
