"""Answers to writes under an idempotency key, so that a repeated one is answered and not done again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered to the request of a digest."""

    digest: str
    status: int
    body: bytes


class AnswerRow(SQLModel, table=True):
    """One answer; `actor` keeps the keys of different callers apart, `at` is in seconds since 1970, UTC."""

    __tablename__ = "kept_answer"
    __table_args__ = {"sqlite_with_rowid": False}

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    digest: str
    status: int
    body: bytes
    at: float = Field(index=True)


_TABLE = AnswerRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def get(connection: Connection, actor: str, key: str, since: datetime) -> Kept | None:
    """Return what was answered to an actor under a key since an instant; None if nothing was."""
    statement = select(_C.digest, _C.status, _C.body).where(_C.actor == actor, _C.key == key)
    row = connection.execute(statement.where(_C.at >= since.timestamp())).first()
    return None if row is None else Kept(row.digest, row.status, row.body)


def keep(connection: Connection, actor: str, key: str, kept: Kept, at: datetime) -> None:
    """Write what was answered."""
    row = {"actor": actor, "key": key, "digest": kept.digest, "status": kept.status, "body": kept.body}
    statement = insert(_TABLE).prefix_with("OR REPLACE")
    connection.execute(statement, [{**row, "at": at.timestamp()}])


def forget(connection: Connection, before: datetime) -> None:
    """Delete the answers that were given before an instant."""
    connection.execute(delete(_TABLE).where(_C.at < before.timestamp()))
