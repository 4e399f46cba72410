"""Databases to test the store on: a file of SQLite, and a schema of its own on a real PostgreSQL."""

from __future__ import annotations

from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import quote

from contract.sources.postgresql import PASSWORD, PostgreSQL, server

from governance.store.database import Database

KINDS = ("sqlite", "postgresql")
_NUMBERS = count(1)


def fresh_url(kind: str, folder: Path) -> str:
    """Return the URL of a database without tables."""
    if kind == "sqlite":
        return f"sqlite:///{folder}/folder with % and ?/gov.db"
    name = f"fresh_{next(_NUMBERS)}"
    server().execute(f"CREATE DATABASE {name} STRATEGY wal_log")
    return url_of(server(), name)


def laid_out_url(kind: str, folder: Path) -> str:
    """Return the URL of a database with our tables and nothing in them."""
    if kind == "sqlite":
        return fresh_url(kind, folder)
    name = f"laid_out_{next(_NUMBERS)}"
    server().execute(f"CREATE DATABASE {name} TEMPLATE {_template()}")
    return url_of(server(), name)


def url_of(cluster: PostgreSQL, database: str, *, user: str = "owner", password: str = PASSWORD) -> str:
    """Return the URL of a database of a cluster."""
    return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{cluster.port}/{database}"


@cache
def _template() -> str:
    server().execute("CREATE DATABASE laid_out")
    made = Database(url_of(server(), "laid_out"))
    made.create_tables()
    made.close()
    return "laid_out"
