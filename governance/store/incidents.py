"""Incidents, each changed only by who has seen its latest version."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.incident import Incident
from governance.errors import Conflict, NotFound
from governance.store.document_row import read, written


class IncidentRow(SQLModel, table=True):
    """One incident."""

    __tablename__ = "incident"

    id: int = Field(primary_key=True)
    group: str = Field(index=True, sa_column_kwargs={"name": "group_key"})
    model: str = Field(index=True)
    status: str = Field(index=True)
    version: int
    document: str


_TABLE = IncidentRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def next_id(connection: Connection) -> int:
    """Return the number of the next incident; only good within the transaction that takes it."""
    return (connection.execute(select(func.max(_C.id))).scalar() or 0) + 1


def latest(connection: Connection, group: str) -> Incident | None:
    """Return the newest incident of a group."""
    statement = select(_C.document).where(_C.group_key == group).order_by(_C.id.desc()).limit(1)
    text = connection.execute(statement).scalar()
    return read(Incident, text) if text else None


def get(connection: Connection, number: int) -> Incident:
    """Return one incident.

    :raises NotFound: when there is none of that number.
    """
    text = connection.execute(select(_C.document).where(_C.id == number)).scalar()
    if text is None:
        newest = next_id(connection) - 1
        known = f"the newest is {newest}" if newest else "there are none yet"
        raise NotFound(f"no incident {number}; {known}")
    return read(Incident, text)


def listed(connection: Connection, *, status: str = "", model: str = "") -> list[Incident]:
    """Return incidents, newest first; `status` "open" means not resolved."""
    statement = select(_C.document).order_by(_C.id.desc())
    if status == "open":
        statement = statement.where(_C.status != "resolved")
    elif status:
        statement = statement.where(_C.status == status)
    if model:
        statement = statement.where(_C.model == model)
    return [read(Incident, text) for text in connection.execute(statement).scalars()]


def save(connection: Connection, incident: Incident) -> None:
    """Write a new incident, or the next version of one.

    :raises Conflict: when somebody wrote that version first.
    """
    values = {"status": incident.status, "version": incident.version, "document": written(incident)}
    if incident.version == 1:
        row = {"id": incident.id, "group_key": incident.group, "model": incident.model, **values}
        connection.execute(insert(_TABLE), [row])
        return
    statement = update(_TABLE).where(_C.id == incident.id, _C.version == incident.version - 1).values(values)
    if connection.execute(statement).rowcount != 1:
        raise Conflict(f"incident {incident.id} was changed by somebody else just now; look at it again")
