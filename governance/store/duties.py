"""Who was on call by each schedule when it was looked at last, so that a hand-over is told once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import Field, SQLModel


class DutyRow(SQLModel, table=True):
    """One schedule; nobody is on call where `person` is empty."""

    __tablename__ = "duty"

    schedule: str = Field(primary_key=True)
    person: str


_TABLE = DutyRow.__table__  # type: ignore[attr-defined]


def known(connection: Connection) -> dict[str, str]:
    """Return who was on call, by schedule."""
    return {row.schedule: row.person for row in connection.execute(select(_TABLE.c.schedule, _TABLE.c.person))}


def save(connection: Connection, now: Mapping[str, str]) -> None:
    """Write who is on call by every schedule there is."""
    connection.execute(delete(_TABLE))
    if now:
        connection.execute(insert(_TABLE), [{"schedule": name, "person": person} for name, person in now.items()])
