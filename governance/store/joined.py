"""Groups whose findings are in the incident of another, because what they rest on failed."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import Field, SQLModel


class JoinedRow(SQLModel, table=True):
    """One group and the incident that it joined last; `open` until it has left it."""

    __tablename__ = "joined"

    group: str = Field(primary_key=True, sa_column_kwargs={"name": "group_key"})
    incident: int = Field(index=True)
    open: bool = Field(index=True)


_TABLE = JoinedRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def of(connection: Connection, groups: Collection[str]) -> dict[str, tuple[int, bool]]:
    """Return, of each group that ever joined one, the incident, and whether it is in there still."""
    rows = connection.execute(select(_C.group_key, _C.incident, _C.open).where(_C.group_key.in_(groups)))
    return {group: (incident, open_) for group, incident, open_ in rows}


def all_open(connection: Connection) -> dict[int, list[str]]:
    """Return the groups that are in the incident of another, by incident."""
    found: dict[int, list[str]] = {}
    for group, incident in connection.execute(select(_C.group_key, _C.incident).where(_C.open).order_by(_C.group_key)):
        found.setdefault(incident, []).append(group)
    return found


def any_open(connection: Connection) -> bool:
    """Tell whether any group is in the incident of another."""
    return connection.execute(select(_C.incident).where(_C.open).limit(1)).first() is not None


def join(connection: Connection, groups: Collection[str], incident: int) -> None:
    """Note that groups joined an incident."""
    if groups:
        connection.execute(delete(_TABLE).where(_C.group_key.in_(groups)))
        connection.execute(insert(_TABLE), [{"group_key": each, "incident": incident, "open": True} for each in groups])


def leave(connection: Connection, groups: Collection[str]) -> None:
    """Note that groups left the incident that they had joined."""
    if groups:
        connection.execute(update(_TABLE).where(_C.group_key.in_(groups)).values(open=False))


def move(connection: Connection, source: int, target: int) -> None:
    """Let who joined an incident be in another one from now on."""
    connection.execute(update(_TABLE).where(_C.incident == source, _C.open).values(incident=target))
