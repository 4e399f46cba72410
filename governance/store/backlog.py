"""How much waits: entries for their seal, effects for their delivery."""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from governance.store.effects import EffectRow
from governance.store.log_tables import OUTBOX

_EFFECTS = EffectRow.__table__  # type: ignore[attr-defined]


def unsealed(connection: Connection) -> int:
    """Return how many decisions wait for their seal."""
    return connection.execute(select(func.count()).select_from(OUTBOX)).scalar_one()


def undelivered(connection: Connection) -> int:
    """Return how many effects are still to be performed."""
    statement = select(func.count()).select_from(_EFFECTS).where(_EFFECTS.c.next_at.is_not(None))
    return connection.execute(statement).scalar_one()
