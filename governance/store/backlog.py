"""How much waits: entries for their seal, effects for their delivery."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from governance.store.effects import EffectRow
from governance.store.log_tables import OUTBOX

_EFFECTS = EffectRow.__table__  # type: ignore[attr-defined]


def unsealed(connection: Connection) -> int:
    """Return how many decisions wait for their seal."""
    return connection.execute(select(func.count()).select_from(OUTBOX)).scalar_one()


def oldest(connection: Connection) -> datetime | None:
    """Return the time of the decision that waits longest for its seal; None when none waits."""
    return connection.execute(select(OUTBOX.c.at).order_by(OUTBOX.c.id).limit(1)).scalar()


def undelivered(connection: Connection) -> int:
    """Return how many effects are still to be performed."""
    statement = select(func.count()).select_from(_EFFECTS).where(_EFFECTS.c.next_at.is_not(None))
    return connection.execute(statement).scalar_one()
