"""How a database is set up, as far as can be seen without changing it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel

from governance.store import append_only
from governance.store.database import Database

_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


@dataclass(frozen=True, slots=True)
class Condition:
    """The version of its layout (0: none), how a commit reaches the disk, and whether it outlives a power cut.

    `unguarded` are the triggers not in place, `changeable` the append-only tables whose triggers this user may drop.
    """

    layout: int
    commits: str
    durable: bool
    unguarded: tuple[str, ...]
    changeable: tuple[str, ...] = ()


def condition(database: Database) -> Condition:
    """Return how a database is set up.

    :raises Unavailable: when it cannot be read.
    """
    importlib.import_module("governance.store.schema")
    with database.read() as connection:
        laid_out = inspect(connection).has_table("schema_version")
        layout = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() if laid_out else 0
        commits, durable = _server(connection) if database.path is None else _file(connection)
        unguarded = append_only.missing(connection, SQLModel.metadata)
        changeable = append_only.changeable(connection, SQLModel.metadata)
    return Condition(int(layout or 0), commits, durable, tuple(unguarded), tuple(changeable))


def _file(connection: Connection) -> tuple[str, bool]:
    journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    number = connection.exec_driver_sql("PRAGMA synchronous").scalar()
    synchronous = _SYNCHRONOUS.get(int(number or 0), "off")
    return f"journal {journal}, synchronous {synchronous}", journal == "wal" and synchronous in ("full", "extra")


def _server(connection: Connection) -> tuple[str, bool]:
    names = ("synchronous_commit", "fsync", "full_page_writes")
    shown = {name: connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names}
    return ", ".join(f"{name} {value}" for name, value in shown.items()), set(shown.values()) == {"on"}
