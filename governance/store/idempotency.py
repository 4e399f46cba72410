"""Answers to writes under an idempotency key, so that a repeated one is answered and not done again.

The key is written in the transaction of what it does, with the ids of the decisions made there; the answer follows when
it is given. A process killed between the two has acted, and the next one answers from the decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, LargeBinary, case, cast, delete, select
from sqlmodel import Field, SQLModel

from governance.store.dialects import insert


@dataclass(frozen=True, slots=True)
class Kept:
    """What was answered to the request of a digest; `status` 0: it was done, and `body` lists the decisions."""

    digest: str
    status: int
    body: bytes

    @property
    def is_unanswered(self) -> bool:
        """Tell whether it was done by a process that did not come to answer."""
        return self.status == _DONE

    @property
    def decisions(self) -> list[str]:
        """The ids of the decisions of what is unanswered, in their order."""
        return self.body.decode().split()


@dataclass(frozen=True, slots=True)
class Claim:
    """A key under which something is being done, by whom and since when."""

    actor: str
    key: str
    digest: str
    at: datetime


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
_DONE = 0
_NEW = insert(_TABLE)
_REPLACE = _NEW.on_conflict_do_update(
    index_elements=[_C.actor, _C.key],
    set_={name: getattr(_NEW.excluded, name) for name in ("digest", "status", "body", "at")},
)
_CLAIM: ContextVar[Claim | None] = ContextVar("claim", default=None)


@contextmanager
def claimed(claim: Claim | None) -> Iterator[None]:
    """Have whatever is decided meanwhile, in this context, be what is done under a key; None: under none."""
    token = _CLAIM.set(claim)
    try:
        yield
    finally:
        _CLAIM.reset(token)


def mark(connection: Connection, decisions: Iterable[str]) -> None:
    """Write that these decisions were made under the key of this context, if there is one, in their transaction."""
    claim = _CLAIM.get()
    ids = "".join(f"{each} " for each in decisions).encode()
    if claim is None or not ids:
        return
    at = claim.at.timestamp()
    row = {"actor": claim.actor, "key": claim.key, "digest": claim.digest, "status": _DONE, "body": ids, "at": at}
    statement = insert(_TABLE).values(row)
    mine = (_C.status == _DONE) & (_C.digest == claim.digest) & (_C.at == at)
    body = case((mine, cast(_C.body.op("||")(statement.excluded.body), LargeBinary)), else_=statement.excluded.body)
    changed = {"digest": claim.digest, "status": _DONE, "body": body, "at": at}
    connection.execute(statement.on_conflict_do_update(index_elements=[_C.actor, _C.key], set_=changed))


def get(connection: Connection, actor: str, key: str, since: datetime) -> Kept | None:
    """Return what was answered to an actor under a key since an instant; None if nothing was."""
    statement = select(_C.digest, _C.status, _C.body).where(_C.actor == actor, _C.key == key)
    row = connection.execute(statement.where(_C.at >= since.timestamp())).first()
    return None if row is None else Kept(row.digest, row.status, row.body)


def keep(connection: Connection, actor: str, key: str, kept: Kept, at: datetime) -> None:
    """Write what was answered."""
    row = {"actor": actor, "key": key, "digest": kept.digest, "status": kept.status, "body": kept.body}
    connection.execute(_REPLACE, [{**row, "at": at.timestamp()}])


def forget(connection: Connection, before: datetime) -> None:
    """Delete the answers that were given before an instant."""
    connection.execute(delete(_TABLE).where(_C.at < before.timestamp()))
