"""Silences, those that hold and those that ended."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.silence import Silence
from governance.errors import NotFound
from governance.store.document_row import read, written


class SilenceRow(SQLModel, table=True):
    """One silence; `done` once it ended and who was not told has been told."""

    __tablename__ = "silence"

    id: str = Field(primary_key=True)
    done: bool = Field(index=True)
    document: str


_TABLE = SilenceRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def next_id(connection: Connection) -> str:
    """Return the id of the next silence; only good within the transaction that takes it."""
    return f"SIL-{(connection.execute(select(func.count()).select_from(_TABLE)).scalar() or 0) + 1}"


def get(connection: Connection, silence: str) -> Silence:
    """Return one silence.

    :raises NotFound: when there is none of that id.
    """
    text = connection.execute(select(_C.document).where(_C.id == silence)).scalar()
    if text is None:
        raise NotFound(f"no silence '{silence}'; see gov silence list")
    return read(Silence, text)


def listed(connection: Connection) -> list[Silence]:
    """Return every silence there ever was, the newest first."""
    found = [read(Silence, text) for text in connection.execute(select(_C.document)).scalars()]
    return sorted(found, key=lambda each: int(each.id.removeprefix("SIL-")), reverse=True)


def open_(connection: Connection) -> list[Silence]:
    """Return the silences that hold, and those that ended without anybody having been told what is still open."""
    rows = connection.execute(select(_C.document).where(_C.done.is_(False))).scalars()
    return [read(Silence, text) for text in rows]


def holding(connection: Connection, at: datetime) -> list[Silence]:
    """Return the silences that hold."""
    return [each for each in open_(connection) if each.holds(at)]


def add(connection: Connection, silence: Silence) -> None:
    """Write a new silence."""
    connection.execute(insert(_TABLE), [{"id": silence.id, "done": False, "document": written(silence)}])


def save(connection: Connection, silence: Silence) -> None:
    """Write what became of a silence."""
    values = {"done": silence.caught_up, "document": written(silence)}
    connection.execute(update(_TABLE).where(_C.id == silence.id).values(**values))
