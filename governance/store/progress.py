"""How far the engine has come: the instants of its last complete cycle, and of what it does now and then."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import Field, SQLModel

CYCLE = "cycle"
"""The last complete cycle."""
JUDGED = "judged"
"""The last cycle under the policies of today; none when they are new, so that all of them are judged at once."""
FORGOTTEN = "forgotten"
"""The last time that old samples were deleted."""
LEFT, BACK = "left", "back"
"""The last cycle before the engine was away, and the first when it was back."""
UNSOUND = "unsound"
"""Since when the decision log does not verify; none while it does."""
CANARY_DUE, CANARY = "canary-due", "canary"
"""When it was first seen that the canary is due, and when it was last proved that it goes the whole way."""
PINGED = "pinged"
"""The last time that the dead-man's-switch outside took a ping."""
RUNNING = (CYCLE, JUDGED, LEFT, BACK)
"""What moves along when the clock steps. FORGOTTEN does not: deleting by a clock that may be wrong must wait."""

_STEPS = "clock-steps"


class ProgressRow(SQLModel, table=True):
    """One kind of progress; `at` is in seconds since 1970, UTC."""

    __tablename__ = "progress"

    name: str = Field(primary_key=True)
    at: float


_TABLE = ProgressRow.__table__  # type: ignore[attr-defined]


def last(connection: Connection, name: str) -> datetime | None:
    """Return the last instant of one kind of progress, None before the first."""
    found = connection.execute(select(_TABLE.c.at).where(_TABLE.c.name == name)).scalar()
    return datetime.fromtimestamp(found, UTC) if found is not None else None


def named(connection: Connection, prefix: str) -> dict[str, datetime]:
    """Return the last instants of all kinds of progress whose names begin so."""
    found = connection.execute(select(_TABLE).where(_TABLE.c.name.startswith(prefix, autoescape=True)))
    return {row.name: datetime.fromtimestamp(row.at, UTC) for row in found}


def set_last(connection: Connection, name: str, at: datetime | None) -> None:
    """Write the last instant of one kind of progress; None begins it anew."""
    if at is None:
        connection.execute(delete(_TABLE).where(_TABLE.c.name == name))
        return
    statement = update(_TABLE).where(_TABLE.c.name == name).values(at=at.timestamp())
    if connection.execute(statement).rowcount == 0:
        connection.execute(insert(_TABLE), [{"name": name, "at": at.timestamp()}])


def away_since(connection: Connection, cycle: datetime) -> datetime:
    """Return the last cycle before the engine was away: `cycle`, unless that was reached by catching up so far."""
    left, back = last(connection, LEFT), last(connection, BACK)
    return left if left is not None and back is not None and left <= cycle < back else cycle


def era(connection: Connection) -> int:
    """Return how often the machine's clock stepped: the same instant may come again in another era."""
    return round(connection.execute(select(_TABLE.c.at).where(_TABLE.c.name == _STEPS)).scalar() or 0)


def begin_era(connection: Connection) -> None:
    """Count one more step of the machine's clock."""
    set_last(connection, _STEPS, datetime.fromtimestamp(era(connection) + 1, UTC))
