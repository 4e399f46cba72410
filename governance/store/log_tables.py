"""The tables of the decision log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Table
from sqlmodel import Field, SQLModel

from governance.store.instant import Instant


class OutboxRow(SQLModel, table=True):
    """A decision that was committed with its state change and waits for its sequence number."""

    __tablename__ = "log_outbox"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    decision_id: str = Field(unique=True)
    at: datetime = Field(sa_type=Instant)
    kind: str
    actor: str
    subject: str
    body: str


class EntryRow(SQLModel, table=True):
    """A sealed decision: the exact bytes hashed; the other columns repeat them for queries."""

    __tablename__ = "log_entries"
    __table_args__ = {"info": {"append_only": "NEW.seq = (SELECT coalesce(max(seq) + 1, 0) FROM log_entries)"}}

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    decision_id: str = Field(unique=True)
    at: datetime = Field(sa_type=Instant, index=True)
    kind: str = Field(index=True)
    model: str | None = Field(default=None, index=True)
    content: bytes
    leaf_hash: bytes


class NodeRow(SQLModel, table=True):
    """The root of a complete subtree of level ≥ 1, over the entries [position << level, (position + 1) << level)."""

    __tablename__ = "log_nodes"
    __table_args__ = {
        "sqlite_with_rowid": False,
        "info": {
            "append_only": "NEW.level >= 1 AND NEW.position = "
            "(SELECT coalesce(max(position) + 1, 0) FROM log_nodes WHERE level = NEW.level)"
        },
    }

    level: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    hash: bytes


class HeadRow(SQLModel, table=True):
    """The root of the whole tree after one sealed batch."""

    __tablename__ = "log_heads"
    __table_args__ = {"info": {"append_only": "NEW.size > (SELECT coalesce(max(size), 0) FROM log_heads)"}}

    size: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    root: bytes
    at: datetime = Field(sa_type=Instant)


# For statements: their columns have SQL's types, where the attributes of the classes have Python's.
OUTBOX: Table = SQLModel.metadata.tables["log_outbox"]
ENTRIES: Table = SQLModel.metadata.tables["log_entries"]
NODES: Table = SQLModel.metadata.tables["log_nodes"]
HEADS: Table = SQLModel.metadata.tables["log_heads"]
