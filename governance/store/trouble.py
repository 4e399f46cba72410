"""What was in trouble when the last complete cycle ended, written with that cycle: one cut off sees it too."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import Field, SQLModel

Place = tuple[str, str]
"""One of the engine's own rules, and the source or model that it is about."""


class TroubleRow(SQLModel, table=True):
    """One source or model that each cycle looks at until it is well."""

    __tablename__ = "trouble"

    rule: str = Field(primary_key=True)
    name: str = Field(primary_key=True)


_TABLE = TroubleRow.__table__  # type: ignore[attr-defined]


def left(connection: Connection) -> frozenset[Place]:
    """Return what the last complete cycle left in trouble."""
    return frozenset((rule, name) for rule, name in connection.execute(select(_TABLE.c.rule, _TABLE.c.name)))


def leave(connection: Connection, found: Collection[Place]) -> None:
    """Write what a cycle leaves in trouble, where that is not what the one before left."""
    if left(connection) == frozenset(found):
        return
    connection.execute(delete(_TABLE))
    if found:
        connection.execute(insert(_TABLE), [{"rule": rule, "name": name} for rule, name in sorted(found)])
