"""What Slack sent, by its keys, so that what it sends again is done once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select
from sqlmodel import Field, SQLModel

from governance.store.dialects import insert

KEPT = timedelta(days=1)
"""How long a key is known; Slack sends nothing again after an hour."""


class SlackEnvelopeRow(SQLModel, table=True):
    """One key; `at` is in seconds since 1970, UTC."""

    __tablename__ = "slack_envelope"
    __table_args__ = {"sqlite_with_rowid": False}

    key: str = Field(primary_key=True)
    at: float = Field(index=True)


_TABLE = SlackEnvelopeRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def first(connection: Connection, keys: Sequence[str], at: datetime) -> bool:
    """Write the keys of something, and tell whether it comes for the first time: none of them was known."""
    connection.execute(delete(_TABLE).where(_C.at < (at - KEPT).timestamp()))
    known = connection.execute(select(_C.key).where(_C.key.in_(keys)).limit(1)).first() is not None
    rows = [{"key": each, "at": at.timestamp()} for each in dict.fromkeys(keys)]
    connection.execute(insert(_TABLE).on_conflict_do_nothing(), rows)
    return not known
