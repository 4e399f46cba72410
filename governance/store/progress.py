"""How far the engine has come: the instant of the last complete cycle."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, insert, select, update
from sqlmodel import Field, SQLModel


class ProgressRow(SQLModel, table=True):
    """One kind of progress; `at` is in seconds since 1970, UTC."""

    __tablename__ = "progress"

    name: str = Field(primary_key=True)
    at: float


_TABLE = ProgressRow.__table__  # type: ignore[attr-defined]


def last_cycle(connection: Connection) -> datetime | None:
    """Return the instant of the last complete cycle, None before the first."""
    found = connection.execute(select(_TABLE.c.at).where(_TABLE.c.name == "cycle")).scalar()
    return datetime.fromtimestamp(found, UTC) if found is not None else None


def set_last_cycle(connection: Connection, at: datetime) -> None:
    """Write the instant of the last complete cycle."""
    statement = update(_TABLE).where(_TABLE.c.name == "cycle").values(at=at.timestamp())
    if connection.execute(statement).rowcount == 0:
        connection.execute(insert(_TABLE), [{"name": "cycle", "at": at.timestamp()}])
