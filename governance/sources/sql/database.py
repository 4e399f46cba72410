"""Which database is asked, and what PostgreSQL, SQLite and the others need so that a question reads and ends."""

from __future__ import annotations

import math
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, Connection, CursorResult, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from governance import settings
from governance.errors import Unavailable
from governance.sources.sql.config import SqlConfig, is_url

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_SECRET = re.compile(r"pass|pwd|secret|token", re.IGNORECASE)
_LONGEST = 300  # characters of a database's own sentence
_OPCODES = 1000  # between two looks at the clock: well under a millisecond
_CANCELLED = "57014"  # PostgreSQL's query_canceled


class Database:
    """A database that is only read; its sentences are shown without our password."""

    def __init__(self, config: SqlConfig, directory: Path) -> None:
        """Find the database; a relative path of SQLite starts at `directory`.

        :raises Unavailable: the environment does not say which, or no driver for it is installed
        """
        self._url = _url(config)
        self._kind = self._url.get_backend_name()
        self._secrets = _secrets(self._url)
        self.timeout = config.timeout.total_seconds()
        self._engine = self._made(directory)

    def instant(self, at: datetime) -> object:
        """Return an instant as it is compared in this database: text in SQLite, which has no type for it."""
        at = at.astimezone(UTC)
        return f"{at:%Y-%m-%d %H:%M:%S.%f}" if self._kind == "sqlite" else at

    def prepare(self, connection: Connection, deadline: float) -> None:
        """Begin a transaction that cannot write and that the database itself ends at `deadline` (monotonic)."""
        if self._kind == "sqlite":
            _prepare_sqlite(connection, deadline)
        elif self._kind == "postgresql":
            _prepare_postgresql(connection, deadline)

    def connected(self) -> Connection:
        """Open a connection; in PostgreSQL all its transactions are read-only.

        :raises Exception: the driver's own
        """
        made = self._engine.connect()
        return made.execution_options(postgresql_readonly=True) if self._kind == "postgresql" else made

    def rows(self, connection: Connection, query: str, values: Mapping[str, object], most: int) -> CursorResult[Any]:
        """Run a query, of which at most `most` rows are sent to us.

        PostgreSQL would send all of them at once, if we declared no cursor.
        """
        if self._kind != "postgresql":
            return connection.execute(text(query), dict(values), execution_options={"stream_results": True})
        connection.execute(text(f"declare answer no scroll cursor for {query}"), dict(values)).close()
        return connection.exec_driver_sql(f"fetch {most} from answer")

    def is_cut_short(self, error: Exception) -> bool:
        """Tell whether the database itself ended a query."""
        orig = getattr(error, "orig", None)
        interrupted = getattr(orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT
        return interrupted or getattr(orig, "sqlstate", None) == _CANCELLED

    def is_locked(self, error: Exception) -> bool:
        """Tell whether another program kept the whole database from being read, as one may with SQLite."""
        return getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY

    def sentence(self, error: Exception) -> str:
        """Return what went wrong in the database's own words."""
        orig = getattr(error, "orig", None) or error
        said = getattr(getattr(orig, "diag", None), "message_primary", None) or str(orig) or type(orig).__name__
        if not isinstance(error, DBAPIError):
            said = f"{type(error).__name__}: {said}"
        return self.shown(said)

    def shown(self, said: str) -> str:
        """Return a text on one line, without control characters and without our password."""
        for secret in self._secrets:
            said = said.replace(secret, "…")
        return _CONTROL.sub(" ", said).strip()[:_LONGEST]

    def _made(self, directory: Path) -> Engine:
        try:
            if self._kind == "sqlite":
                opener = _sqlite_opener(directory / (self._url.database or ""), self.timeout)
                return create_engine("sqlite://", creator=opener, poolclass=NullPool)
            arguments = _postgresql_arguments(self.timeout) if self._kind == "postgresql" else {}
            return create_engine(self._url, connect_args=arguments, poolclass=NullPool)
        except (ImportError, NoSuchModuleError) as error:
            said = self.sentence(error)
            raise Unavailable(f"no driver for {self._url.drivername}:// is installed ({said})") from None


def abort(raw: Any) -> None:
    """End what another thread waits for on a connection, where its driver lets us; never wait.

    A driver with a socket sees its end; otherwise its thread is left behind, and the connection with it.
    """
    with suppress(Exception):  # it may be closed by now, or of another form than ours
        if hasattr(raw, "interrupt"):  # SQLite, DuckDB
            raw.interrupt()
        elif hasattr(raw, "fileno"):
            with socket.fromfd(raw.fileno(), socket.AF_INET, socket.SOCK_STREAM) as twin:
                twin.shutdown(socket.SHUT_RDWR)


def _url(config: SqlConfig) -> URL:
    address = config.address or settings.secret(config.address_env)
    if not address:
        raise Unavailable(f"the environment variable {config.address_env} is not set")
    try:
        url = make_url(address) if is_url(address) else None
    except (ArgumentError, ValueError):  # its text would show the password
        url = None
    if url is None:
        where = config.address_env or "`address`"
        raise Unavailable(f"{where} holds no database URL such as postgresql://host/name")
    plain = url.drivername in ("postgres", "postgresql")
    return url.set(drivername="postgresql+psycopg") if plain else url


def _secrets(url: URL) -> list[str]:
    """Return every spelling in which a driver may show what is secret in the URL, the longest first."""
    found = {str(url.password or "")}
    found |= {str(value) for name, value in url.query.items() if _SECRET.search(name)}
    forms = {form for each in found for form in (each, quote(each, safe=""), quote(each), quote_plus(each), repr(each))}
    return sorted((each for each in forms if len(each) > 2), key=len, reverse=True)


def _postgresql_arguments(timeout: float) -> Mapping[str, Any]:
    # libpq waits two seconds at least. A pooler between us shares sessions, which prepared statements do not survive.
    return {"connect_timeout": max(math.ceil(timeout), 2), "prepare_threshold": None, "application_name": "gov"}


def _prepare_postgresql(connection: Connection, deadline: float) -> None:
    """Limit the transaction; all of it ends with it, as a pooler may give the session to somebody else.

    A timestamp without a zone is compared in the zone of the session; a cursor is planned for its first tenth of rows.
    """
    milliseconds = max(int((deadline - time.monotonic()) * 1000), 1)
    connection.exec_driver_sql(
        f"select set_config('statement_timeout', '{milliseconds}', true), set_config('TimeZone', 'UTC', true), "
        "set_config('cursor_tuple_fraction', '1', true)"
    ).close()


def _sqlite_opener(path: Path, timeout: float) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        if not path.is_file():
            raise sqlite3.OperationalError(f"no file {path}")
        location = f"file:{quote(str(path.absolute()))}?mode=ro"
        return sqlite3.connect(location, uri=True, timeout=timeout, check_same_thread=False)

    return connect


def _prepare_sqlite(connection: Connection, deadline: float) -> None:
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA query_only = ON")
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _OPCODES)
