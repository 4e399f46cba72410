"""Incidents, each changed only by who has seen its latest version."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, func, insert, select, update
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
_UPDATE = update(_TABLE).where(_C.id == bindparam("old_id"), _C.version == bindparam("old_version"))


def next_id(connection: Connection) -> int:
    """Return the number of the next incident; only good within the transaction that takes it."""
    return (connection.execute(select(func.max(_C.id))).scalar() or 0) + 1


def latest(connection: Connection, groups: Collection[str]) -> dict[str, Incident]:
    """Return the newest incident of each of the groups that had one; of one that was merged, the one it is part of.

    So several groups may have the same one.
    """
    newest = select(func.max(_C.id)).where(_C.group_key.in_(groups)).group_by(_C.group_key)
    rows = connection.execute(select(_C.group_key, _C.document).where(_C.id.in_(newest)))
    return {group: whole(connection, read(Incident, text)) for group, text in rows}


def whole(connection: Connection, incident: Incident) -> Incident:
    """Return what an incident is part of by now: pointers of merged ones end, as none is ever open again."""
    while incident.merged_into is not None:
        incident = get(connection, incident.merged_into)
    return incident


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


def merged_into(connection: Connection, number: int) -> list[Incident]:
    """Return the incidents that were merged into one, oldest first; not those that were merged into these before."""
    pointing = _C.document.like(f'%"merged_into":{number},%') | _C.document.like(f'%"merged_into":{number}}}%')
    statement = select(_C.document).where(_C.status == "resolved", pointing).order_by(_C.id)
    found = [read(Incident, text) for text in connection.execute(statement).scalars()]
    return [each for each in found if each.merged_into == number]


def open_of(connection: Connection, models: Collection[str]) -> list[Incident]:
    """Return the open incidents of models, oldest first."""
    if not models:
        return []
    statement = select(_C.document).where(_C.status != "resolved", _C.model.in_(models)).order_by(_C.id)
    return [read(Incident, text) for text in connection.execute(statement).scalars()]


def several(connection: Connection, numbers: Collection[int]) -> dict[int, Incident]:
    """Return incidents by their numbers; of one that was merged, the one it is part of."""
    if not numbers:
        return {}
    rows = connection.execute(select(_C.id, _C.document).where(_C.id.in_(numbers)))
    return {number: whole(connection, read(Incident, text)) for number, text in rows}


def save(connection: Connection, *changed: Incident) -> None:
    """Write new incidents, and the next version of others, in two bulk statements.

    :raises Conflict: when somebody wrote that version first.
    """
    opened = [_row(each) for each in changed if each.version == 1]
    if opened:
        connection.execute(insert(_TABLE), opened)
    moved = [{**_row(each), "old_id": each.id, "old_version": each.version - 1} for each in changed if each.version > 1]
    if moved and connection.execute(_UPDATE, moved).rowcount != len(moved):
        numbers = ", ".join(str(row["old_id"]) for row in moved)
        raise Conflict(f"incident {numbers} was changed by somebody else just now; look at it again")


def _row(incident: Incident) -> dict[str, object]:
    return {
        "id": incident.id,
        "group_key": incident.group,
        "model": incident.model,
        "status": incident.status,
        "version": incident.version,
        "document": written(incident),
    }
