"""What became of the notifications that Slack was to tell: into their effects and the log, as for any notifier."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from governance.core.effect import Effect
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, effects


def sent(engine: Engine, told: Iterable[Effect], receipt: str, at: datetime) -> None:
    """Note that Slack shows them."""
    _ended(engine, [_after(each, receipt, "sent") for each in told], at)


def failed(engine: Engine, told: Iterable[Effect], receipt: str, at: datetime) -> None:
    """Note that they are given up."""
    _ended(engine, [_after(each, receipt, "failed") for each in told], at)


def waiting(engine: Engine, told: Iterable[Effect], why: str) -> None:
    """Note why they are not delivered yet; once for each reason."""
    changed = [replace(each, attempts=each.attempts + 1, receipt=why) for each in told if each.receipt != why]
    if changed:
        with engine.database.giving_way(), engine.database.transaction() as connection:
            effects.save(connection, changed)


def _after(effect: Effect, receipt: str, state: str) -> Effect:
    attempts = max(effect.attempts, 1)
    return replace(effect, state=state, next_at=None, attempts=attempts, receipt=receipt)  # type: ignore[arg-type]


def _ended(engine: Engine, after: list[Effect], at: datetime) -> None:
    if not after:
        return
    with engine.database.giving_way():
        with engine.database.transaction() as connection:
            effects.save(connection, after)
            decision_log.append(connection, [entries.of_delivery(each, at) for each in after])
        decision_log.seal(engine.database, at)
