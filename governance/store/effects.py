"""Effects: committed with the change that asked for them, delivered afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.effect import Effect
from governance.errors import NotFound
from governance.store.document_row import read, written


class EffectRow(SQLModel, table=True):
    """One delivery; `next_at` is in seconds since 1970, UTC, and empty when nothing is left to do."""

    __tablename__ = "effect"

    key: str = Field(primary_key=True)
    incident: int = Field(index=True)
    version: int
    notifier: str
    state: str = Field(index=True)
    next_at: float | None = Field(default=None, index=True)
    document: str


_TABLE = EffectRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def add(connection: Connection, effects: Sequence[Effect]) -> None:
    """Write new effects in one bulk statement."""
    if effects:
        connection.execute(insert(_TABLE), [_row(each) for each in effects])


def save(connection: Connection, effects: Sequence[Effect]) -> None:
    """Write what became of effects."""
    if effects:
        statement = update(_TABLE).where(_C.key == bindparam("old_key"))
        connection.execute(statement, [{**_row(each), "old_key": each.key} for each in effects])


def pending(connection: Connection) -> list[Effect]:
    """Return the effects that are still to be performed, now or later, in the order in which they were decided."""
    statement = select(_C.document).where(_C.next_at.is_not(None)).order_by(_C.incident, _C.version, _C.key)
    return [read(Effect, text) for text in connection.execute(statement).scalars()]


def notifiers_due(connection: Connection, at: datetime) -> list[str]:
    """Return the notifiers for which something is to be performed by now, in the order of their names."""
    statement = select(_C.notifier).where(_C.next_at <= at.timestamp()).distinct().order_by(_C.notifier)
    return list(connection.execute(statement).scalars())


def pending_of(connection: Connection, notifier: str) -> list[Effect]:
    """Return what one notifier is still to perform, now or later, in the order in which it was decided."""
    statement = select(_C.document).where(_C.next_at.is_not(None), _C.notifier == notifier)
    found = connection.execute(statement.order_by(_C.incident, _C.version, _C.key)).scalars()
    return [read(Effect, text) for text in found]


def told(connection: Connection, notifier: str, incidents: Sequence[int]) -> set[int]:
    """Return those of some incidents of which a notifier was told."""
    sent = select(_C.incident).where(_C.notifier == notifier, _C.state == "sent", _C.incident.in_(incidents))
    return set(connection.execute(sent.distinct()).scalars()) if incidents else set()


def still_due(connection: Connection, key: str) -> bool:
    """Tell whether an effect is still to be performed."""
    return connection.execute(select(_C.key).where(_C.key == key, _C.next_at.is_not(None))).scalar() is not None


def get(connection: Connection, key: str) -> Effect:
    """Return an effect.

    :raises NotFound: when there is none with this key.
    """
    text = connection.execute(select(_C.document).where(_C.key == key)).scalar()
    if text is None:
        raise NotFound(f"no notification '{key}'")
    return read(Effect, text)


def dead(connection: Connection) -> list[Effect]:
    """Return the deliveries that were given up, in the order in which they were decided."""
    statement = select(_C.document).where(_C.state == "failed").order_by(_C.incident, _C.version, _C.key)
    return [read(Effect, text) for text in connection.execute(statement).scalars()]


def held(connection: Connection) -> list[Effect]:
    """Return what late cycles decided and nobody has been told yet, in the order in which it was decided."""
    statement = select(_C.document).where(_C.state == "held").order_by(_C.incident, _C.version, _C.key)
    return [read(Effect, text) for text in connection.execute(statement).scalars()]


def waiting(connection: Connection) -> list[Effect]:
    """Return what waits to be put together, in the order in which it was decided."""
    statement = select(_C.document).where(_C.state == "waiting").order_by(_C.incident, _C.version, _C.key)
    return [read(Effect, text) for text in connection.execute(statement).scalars()]


def given_up(connection: Connection) -> int:
    """Return how many deliveries were given up."""
    return connection.execute(select(func.count()).where(_C.state == "failed")).scalar() or 0


def of_incident(connection: Connection, number: int) -> list[Effect]:
    """Return every effect of an incident, sent, failed or withheld."""
    statement = select(_C.document).where(_C.incident == number)
    found = [read(Effect, text) for text in connection.execute(statement).scalars()]
    return sorted(found, key=lambda effect: (effect.message.at, effect.notifier))


def _row(effect: Effect) -> dict[str, object]:
    return {
        "key": effect.key,
        "incident": effect.incident,
        "version": effect.version,
        "notifier": effect.notifier,
        "state": effect.state,
        "next_at": effect.next_at.timestamp() if effect.next_at else None,
        "document": written(effect),
    }
