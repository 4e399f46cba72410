"""How PostgreSQL is opened, how its transactions begin, and what its errors mean to a user."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from governance.errors import Unavailable
from governance.store import turns
from governance.store.watch import Stamp

CONNECT_SECONDS = 5
FROZEN_SECONDS = 8
"""A writer that says nothing for so long loses its transaction: what is frozen must not keep others from writing."""
READER_SECONDS = 600
"""The same for who only reads, which keeps nobody waiting, but old rows from being removed."""
_POLL_SECONDS = 0.05
_LOST = {"keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""When a server that vanished without a word is given up: after 15 s to 20 s, and not after hours."""

# How a transaction begins, the execution option `begin`. The writer sees what is committed when it has the lock, so it
# must not take its snapshot before. There is one lock for each schema; the first number only tells it from other locks.
READ = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{READER_SECONDS}s'"
)
WRITE = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; "
    f"SET LOCAL idle_in_transaction_session_timeout = '{FROZEN_SECONDS}s'; "
    "SELECT pg_advisory_xact_lock(7164278, hashtext(coalesce(current_schema(), '')))"
)
NO_TRANSACTION = ""

_STATE = "SELECT extract(epoch from pg_postmaster_start_time()), pg_current_snapshot()::text"

# By the first characters of its SQLSTATE. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
_SENTENCES = {
    "55P03": "another program kept {name} locked for {busy} s; try again",
    "53100": "the disk that holds {name} is full; free some space, then try again",
    "53": "{name} has too many users or too little memory ({said}); try again",
    "25006": "{name} cannot be written: it is read-only for this user",
    "42501": "this user may not do that in {name}: {said}",
    "40": "other programs changed {name} at the same time; try again",
    "57": "{name} ended the connection ({said}); try again",
    "25P03": "{name} ended a transaction that had stood still for too long; try again",
    "08": "{name} does not answer: {said}",
    "28": "{name} lets this user not in: {said}",
    "3D": "{name} does not exist: {said}",
    "58": "{name} cannot be read or written: its disk or file system reports an error ({said})",
    "XX": "{name} is damaged ({said}); restore it from a backup",
}


class PostgreSQL:
    """A database of a PostgreSQL server."""

    read = READ

    def __init__(self, url: URL, *, read_only: bool) -> None:
        """Connect to nothing yet.

        :raises Unavailable: when the driver is missing.
        """
        plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database)
        self.path: Path | None = None
        self.place = plain.render_as_string()
        self.write = READ if read_only else WRITE
        try:
            self.engine = _engine(url.set(drivername="postgresql+psycopg"))
        except ImportError as error:
            said = "its driver is missing; pip install 'model-governance[postgresql]'"
            raise Unavailable(f"the database {self.place} cannot be used: {said}") from error

    def exists(self) -> bool:
        """Tell whether our tables are there."""
        with self.engine.connect() as connection:
            return inspect(connection).has_table("schema_version")

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""
        return not self.exists()

    def settle(self, connection: Connection) -> None:
        """Do nothing: each connection is set up as it is made."""

    def sentence(self, error: DBAPIError, name: str) -> str | None:
        """Return what a user can do about an error of the server or of locks; None for a mistake in a statement."""
        state = getattr(error.orig, "sqlstate", None)
        said = _first_line(error.orig)
        if state is None:  # not the server's: there is none, or the connection broke
            lost = error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
            unused = f"{name} cannot be used: {said}" if error.statement is None else None  # what the URL says is wrong
            return f"{name} does not answer: {said}" if lost else unused
        template = next((_SENTENCES[each] for each in (state, state[:2]) if each in _SENTENCES), None)
        return None if template is None else template.format(name=name, busy=turns.BUSY_SECONDS, said=said)

    def watch(self) -> Watch:
        """Return what tells whether others have committed."""
        return Watch(self)


class Watch:
    """Asks now and then whether others have committed; used by one thread.

    What a snapshot names, the transactions that it sees, changes with each that writes.
    Source: https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
    """

    def __init__(self, server: PostgreSQL) -> None:
        """Ask nothing yet."""
        self._server = server
        self._asked = float("-inf")
        self._last: Stamp = ()

    def stamp(self) -> Stamp | None:
        """Return what tells this state from another: the server, since when it runs, and what a reader sees.

        :raises Unavailable: when the server does not answer.
        """
        if time.monotonic() - self._asked < _POLL_SECONDS:
            return self._last
        try:
            with self._server.engine.connect() as connection:
                started, seen = connection.exec_driver_sql(_STATE).one()
        except DBAPIError as error:
            name = f"the database {self._server.place}"
            said = self._server.sentence(error, name) or f"{name} cannot be watched: {error.orig}"
            raise Unavailable(said) from error
        self._asked, self._last = time.monotonic(), (self._server.place, float(started), seen)
        return self._last

    def close(self) -> None:
        """Do nothing: a connection is only held while it is asked."""


def _engine(url: URL) -> Engine:
    # Our own BEGIN says what psycopg's would not, and is of several statements, which cannot be prepared.
    arguments: dict[str, object] = {"autocommit": True, "prepare_threshold": None}
    usual = {"connect_timeout": CONNECT_SECONDS, "application_name": f"gov {os.getpid()}", **_LOST}
    arguments |= {name: value for name, value in usual.items() if name not in url.query}
    engine = create_engine(
        url, connect_args=arguments, poolclass=QueuePool, pool_timeout=turns.BUSY_SECONDS, pool_pre_ping=True
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "commit", _refuse_aborted)
    return engine


def _configure(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    cursor = connection.cursor()
    cursor.execute("SET synchronous_commit = on")  # a commit that was answered survives a power cut
    cursor.execute(f"SET lock_timeout = '{turns.BUSY_SECONDS}s'")
    cursor.execute("SET timezone = 'UTC'")
    cursor.close()


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin", NO_TRANSACTION)
    if begin:
        connection.exec_driver_sql(begin, execution_options={"no_parameters": True})


def _refuse_aborted(connection: Connection) -> None:
    """Refuse to commit what a statement has broken: PostgreSQL would roll it back and say nothing."""
    driver: Any = connection.connection.driver_connection
    if driver.info.transaction_status.name == "INERROR":
        raise RuntimeError("an error in this transaction was passed over, so nothing of it can be committed")


def _first_line(error: BaseException | None) -> str:
    said = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    return said.strip().splitlines()[0] if said.strip() else type(error).__name__
