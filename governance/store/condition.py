"""How a database is set up, as far as can be seen without changing it."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from sqlalchemy import inspect
from sqlmodel import SQLModel

from governance.store import append_only
from governance.store.database import Database

_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


@dataclass(frozen=True, slots=True)
class Condition:
    """The version of its layout (0: none), its journal, how a commit reaches the disk, the triggers not in place."""

    layout: int
    journal: str
    synchronous: str
    unguarded: tuple[str, ...]


def condition(database: Database) -> Condition:
    """Return how a database is set up.

    :raises Unavailable: when it cannot be read.
    """
    importlib.import_module("governance.store.schema")
    with database.read() as connection:
        laid_out = inspect(connection).has_table("schema_version")
        layout = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar() if laid_out else 0
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        unguarded = append_only.missing(connection, SQLModel.metadata)
    return Condition(int(layout or 0), str(journal), _SYNCHRONOUS.get(int(synchronous or 0), "off"), tuple(unguarded))
