"""Approved waivers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, SQLModel

from governance.core.waiver import Waiver
from governance.errors import Conflict, NotFound
from governance.store.document_row import read, written


class WaiverRow(SQLModel, table=True):
    """One approved waiver; `until` is in seconds since 1970, UTC."""

    __tablename__ = "waiver"

    id: str = Field(primary_key=True)
    model: str = Field(index=True)
    until: float = Field(index=True)
    document: str


_TABLE = WaiverRow.__table__  # type: ignore[attr-defined]


def add(connection: Connection, waiver: Waiver) -> None:
    """Write a new waiver.

    :raises Conflict: when there is one of that id already.
    """
    row = {"id": waiver.id, "model": waiver.model, "until": waiver.until.timestamp(), "document": written(waiver)}
    try:
        connection.execute(insert(_TABLE), [row])
    except IntegrityError as error:
        raise Conflict(f"there is a waiver {waiver.id} already") from error


def get(connection: Connection, waiver: str) -> Waiver:
    """Return one waiver, also one that has ended.

    :raises NotFound: when there is none of that id.
    """
    found = find(connection, waiver)
    if found is None:
        raise NotFound(f"no waiver '{waiver}' was ever in force")
    return found


def find(connection: Connection, waiver: str) -> Waiver | None:
    """Return one waiver, None when there is none of that id."""
    text = connection.execute(select(_TABLE.c.document).where(_TABLE.c.id == waiver)).scalar()
    return read(Waiver, text) if text is not None else None


def save(connection: Connection, waiver: Waiver) -> None:
    """Write what became of a waiver."""
    until = waiver.ended_at or waiver.until
    values = {"until": until.timestamp(), "document": written(waiver)}
    connection.execute(update(_TABLE).where(_TABLE.c.id == waiver.id).values(**values))


def holding(connection: Connection, at: datetime) -> list[Waiver]:
    """Return the waivers that have not ended."""
    statement = select(_TABLE.c.document).where(_TABLE.c.until > at.timestamp())
    return [read(Waiver, text) for text in connection.execute(statement).scalars()]


def ended(connection: Connection, since: datetime, until: datetime) -> list[Waiver]:
    """Return the waivers whose time ran out after `since` and by `until`."""
    ends = _TABLE.c.until
    statement = select(_TABLE.c.document).where(ends > since.timestamp(), ends <= until.timestamp()).order_by(ends)
    found = [read(Waiver, text) for text in connection.execute(statement).scalars()]
    return [each for each in found if each.ended is None]
