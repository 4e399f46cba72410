"""How SQLite is opened, how its transactions begin, and what its errors mean to a user."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool
from sqlalchemy.util import LRUCache

from governance.store import turns
from governance.store.watch import Watch

POLL_SECONDS = 0.001
IN_MEMORY = "in memory"

# How a transaction begins, the execution option `begin`. One that reads first and writes later cannot wait for the
# lock (SQLITE_BUSY at once), so a writer takes it at the start.
READ = "BEGIN"
WRITE = "BEGIN IMMEDIATE"
NO_TRANSACTION = ""

# Statements are compiled once for all databases of a process: to compile one takes ten times as long as to execute it.
_OPTIONS: dict[str, Any] = {"compiled_cache": LRUCache(1000)}

_SENTENCES = {
    sqlite3.SQLITE_FULL: "the disk that holds {name} is full; free some space, then try again",
    sqlite3.SQLITE_READONLY: "{name} cannot be written: it is read-only for this user",
    sqlite3.SQLITE_PERM: "{name} cannot be written: this user may not",
    sqlite3.SQLITE_BUSY: "another program kept {name} locked for {busy} s; try again",
    sqlite3.SQLITE_LOCKED: "another program kept {name} locked; try again",
    sqlite3.SQLITE_CANTOPEN: "{name} cannot be opened; does its folder exist, and may this user write there?",
    sqlite3.SQLITE_CORRUPT: "{name} is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "{name} is no SQLite database; was another file given, or this one overwritten?",
    sqlite3.SQLITE_IOERR: "{name} cannot be read or written: the disk or file system reports an error",
}


class SQLite:
    """A file, or (for tests) a database in memory."""

    read, write = READ, WRITE

    def __init__(self, path: Path | None, *, read_only: bool) -> None:
        """Open nothing yet."""
        self.path = path
        self.place = IN_MEMORY if path is None else str(path)
        self.engine = sqlite_engine(path, read_only=read_only)

    def exists(self) -> bool:
        """Tell whether there is a file; a database in memory is always there."""
        return self.path is None or self.path.exists()

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""
        return self.path is not None and not (self.path.exists() and self.path.stat().st_size)

    def settle(self, connection: Connection) -> None:
        """Set what stays set in the file."""
        use_wal(connection)

    def sentence(self, error: DBAPIError, name: str) -> str | None:
        """Return what a user can do about an error of the disk or of locks; None for a mistake in a statement."""
        return sentence(error, name)

    def watch(self) -> Watch:
        """Return what tells whether others have committed."""
        return Watch(self.path)


def sqlite_engine(path: Path | None, *, read_only: bool) -> Engine:
    """Return an engine for the file, or for a database in memory where there is none."""
    if path is None:
        memory = {"check_same_thread": False, "isolation_level": None}
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args=memory, execution_options=_OPTIONS)
    else:
        # A user who waits for a connection is told so about as soon as one who waits for the lock.
        opener = _opener(path, read_only=read_only)
        pool: dict[str, Any] = {"poolclass": QueuePool, "pool_timeout": turns.BUSY_SECONDS}
        engine = create_engine("sqlite:///", creator=opener, execution_options=_OPTIONS, **pool)
    engine.dialect = _dialect()
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


@cache
def _dialect() -> Dialect:
    """Return the dialect of every database of this process: what it compiled for one, it has compiled for all."""
    first = create_engine("sqlite://")
    with first.connect():  # a dialect learns what it speaks to at its first connection
        pass
    first.dispose()
    return first.dialect


def use_wal(connection: Connection) -> None:
    """Turn on write-ahead logging, so that readers and the writer do not wait for each other; it stays on."""
    connection = connection.execution_options(begin=NO_TRANSACTION)  # inside one, SQLite refuses
    if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def content(connection: Connection) -> bytes:
    """Return the pages of a database in memory."""
    return bytes(_driver(connection).serialize())


def filled(connection: Connection, pages: bytes) -> bool:
    """Fill an empty database in memory with the pages of another; one that holds anything is left alone."""
    driver = _driver(connection)
    if driver.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return False
    driver.deserialize(pages)
    return True


def _driver(connection: Connection) -> sqlite3.Connection:
    found: Any = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)  # noqa: S101 (there is no other driver)
    return found


def sentence(error: DBAPIError, name: str) -> str | None:
    """Return what a user can do about an error of the disk or of locks; None for a mistake in a statement."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    template = None if code is None else _SENTENCES.get(code & 0xFF)  # the low byte is the primary result code
    return None if template is None else template.format(name=name, busy=turns.BUSY_SECONDS)


def _opener(path: Path, *, read_only: bool) -> Callable[[], sqlite3.Connection]:
    location, opened = f"file:{quote(str(path.absolute()))}", False

    def connect() -> sqlite3.Connection:
        nonlocal opened
        # Only the first connection may make the file: were it moved away while others are open, the next one would
        # put an empty one in its place, and nobody would miss what is gone.
        mode = "ro" if read_only else "rw" if opened else "rwc"
        # A reader of a WAL database normally creates its -shm file. On a read-only medium it cannot, and as
        # nobody else can write there either, the file may be taken as it is.
        frozen = read_only and not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
        made = sqlite3.connect(
            f"{location}?mode={mode}{'&immutable=1' if frozen else ''}",
            uri=True,
            timeout=turns.BUSY_SECONDS,
            isolation_level=None,  # the module's own BEGIN comes too late and is never IMMEDIATE; ours is in _begin
            check_same_thread=False,  # the pool hands a connection to one thread at a time
        )
        opened = True
        return made

    return connect


def _configure(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:  # noqa: ARG001
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")  # a commit that was answered survives a power cut
    cursor.close()


def _begin(connection: Connection) -> None:
    begin = connection.get_execution_options().get("begin", READ)
    if begin:
        driver: Any = connection.connection.driver_connection  # these never fail, and are executed at every question
        driver.execute(f"PRAGMA query_only = {'ON' if begin == READ else 'OFF'}")
        if begin == READ:
            driver.execute(begin)
        elif not _locked(connection):
            connection.exec_driver_sql(begin)  # where the lock could not be had, this once more says why


def _locked(connection: Connection) -> bool:
    """Take the write lock, looking every millisecond whether it is free.

    SQLite's own handler sleeps for up to 0.1 s between two tries (sqliteDefaultBusyCallback), and so misses every
    gap that an engine at work leaves.
    """
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        return _polled(driver)
    finally:
        driver.execute(f"PRAGMA busy_timeout = {int(turns.BUSY_SECONDS * 1000)}")


def _polled(driver: sqlite3.Connection) -> bool:
    until = time.monotonic() + turns.BUSY_SECONDS
    while True:
        try:
            driver.execute(WRITE)
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until:
                return False
            time.sleep(POLL_SECONDS)
        else:
            return True
