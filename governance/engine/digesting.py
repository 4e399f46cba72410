"""Put together what many incidents of one cycle would tell, before anything of it is delivered."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from functools import partial

from governance.core import digest as core
from governance.core.effect import Effect
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.ports import folds
from governance.store import decision_log, effects


def digest(engine: Engine, at: datetime) -> int:
    """Let go of what waited, in one transaction, and return how many messages there are of it."""
    with engine.database.read() as connection:
        if not effects.waiting(connection):
            return 0
    with engine.database.giving_way():
        with engine.database.transaction() as connection:
            told = core.digest(effects.waiting(connection), partial(_place, engine), at)
            effects.save(connection, told)
            folded = [entries.of_delivery(each, at) for each in told if each.state == "folded"]
            decision_log.append(connection, folded)
        decision_log.seal(engine.database, at)
    return sum(each.state == "due" for each in told)


def _place(engine: Engine, effect: Effect) -> Hashable | None:
    """Return where a notification is read: at its notifier, or in the channel of the model's card."""
    action = engine.notifiers.get(effect.notifier)
    how = folds(action) if action is not None else "all"
    if how == "never":
        return None
    card = card_of(engine, effect.message.model) if how == "channel" else None
    return effect.notifier, card.owners.channel if card is not None else None
