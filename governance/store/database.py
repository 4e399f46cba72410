"""The database: its tables and version, short write transactions, and read snapshots.

Every statement runs on the connection that `transaction()` or `read()` gives. Bulk statements are plain SQLAlchemy:
`connection.execute(insert(AlertRow), [{…}, {…}])`; for objects, wrap it: `Session(connection)`.
"""

from __future__ import annotations

import importlib
import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, delete, insert, inspect, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Field, SQLModel

from governance.errors import InvalidDocument, Unavailable
from governance.store import append_only, lease, sqlite, turns
from governance.store.lease import Lease
from governance.store.turns import Turns
from governance.store.watch import Watching

SCHEMA_VERSION = 2
"""1: cycles, incidents, the decision log. 2: kill switches, approvals and tokens beside them; only tables are added."""


_WRITE = "write sqlite:///path/to/file.db or postgresql://host/name"
_EMPTY: dict[int, bytes] = {}
"""What a fresh database in memory holds, by the number of tables known."""


class SchemaVersionRow(SQLModel, table=True):
    """The one row that says which version of the program laid out this database."""

    __tablename__ = "schema_version"

    version: int = Field(primary_key=True)


class Backend(Protocol):
    """What one kind of database does in its own way; `place` is where it lies, without any password."""

    place: str
    path: Path | None
    engine: Engine
    read: str
    write: str

    def exists(self) -> bool:
        """Tell whether it was ever made."""

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written."""

    def settle(self, connection: Connection) -> None:
        """Set what stays set."""

    def sentence(self, error: DBAPIError, name: str) -> str | None:
        """Return what a user can do about an error; None for a mistake in a statement."""

    def watch(self) -> Watching:
        """Return what tells whether others have committed."""


class Database:
    """A database of SQLite, in a file or in memory (for tests), or of PostgreSQL; many may read, one writes."""

    def __init__(self, url: str, *, read_only: bool = False, home: Path | None = None) -> None:
        """Open `sqlite:///path`, in memory `sqlite://`, or `postgresql://…`; nothing is read or created yet.

        `home` is where files lie that belong to it, by default the folder of the file.

        :raises Unavailable: for any other kind of URL, or when the driver is missing.
        """
        self._backend = _backend(url, read_only=read_only)
        self.path, self.place = self._backend.path, self._backend.place
        self.home = home if home is not None or self.path is None else self.path.parent
        self.name = f"the database {self.place}"
        self._engine = self._backend.engine
        weakref.finalize(self, self._engine.dispose)  # a server is told that nobody asks any more
        self._turns = Turns()
        self._manners = _Manners()
        self._lead: Lease | None = None
        self._in_memory = self.place == sqlite.IN_MEMORY
        # In memory all threads share one connection, so they take turns.
        self._turn: AbstractContextManager[object] = threading.RLock() if self._in_memory else nullcontext()

    @property
    def heads(self) -> Path | None:
        """The file in which the heads of the decision log are published; None where there is no place for it."""
        if self.path is not None:
            return self.path.with_name(self.path.name + ".heads")
        return None if self.home is None else self.home / "governance.heads"

    @property
    def lease(self) -> Lease | None:
        """The lease that this thread's transactions need to hold; None where they need none."""
        return self._manners.lease or self._lead

    def exists(self) -> bool:
        """Tell whether it was ever made.

        :raises Unavailable: when the server does not answer.
        """
        with self._explained():
            return self._backend.exists()

    def is_empty(self) -> bool:
        """Tell whether nothing was ever written.

        :raises Unavailable: when the server does not answer.
        """
        with self._explained():
            return self._backend.is_empty()

    def watch(self) -> Watching:
        """Return what tells whether others have committed, for one thread."""
        return self._backend.watch()

    def create_tables(self) -> None:
        """Create what is missing of every table, and the append-only triggers.

        :raises Unavailable: when the database cannot be written, or a newer version of the program laid it out.
        """
        importlib.import_module("governance.store.schema")  # a table is known once its module is imported
        if self._in_memory and self._laid_out_before():
            return
        for folder in filter(None, (self.path and self.path.parent, self.home)):
            self._make_folder(folder)
        with self._turn, self._explained(), self._engine.connect() as connection:
            self._backend.settle(connection)
        with self.transaction() as connection:
            SQLModel.metadata.create_all(connection, [SQLModel.metadata.tables["schema_version"]])
            if self._check_version(connection) < SCHEMA_VERSION:
                connection.execute(delete(SchemaVersionRow))
                connection.execute(insert(SchemaVersionRow), [{"version": SCHEMA_VERSION}])
            SQLModel.metadata.create_all(connection)
            append_only.protect(connection, SQLModel.metadata)
        if self._in_memory:
            with self._turn, self._engine.connect() as connection:
                _EMPTY[len(SQLModel.metadata.tables)] = sqlite.content(connection)

    def _laid_out_before(self) -> bool:
        """Copy the empty tables of an earlier database in memory, which takes a tenth of the time of making them."""
        empty = _EMPTY.get(len(SQLModel.metadata.tables))
        with self._turn, self._engine.connect() as connection:
            return empty is not None and sqlite.filled(connection, empty)

    def check_layout(self) -> None:
        """Refuse a database that this program cannot read; one without any layout is left to who asks for its tables.

        :raises Unavailable: when a newer version of the program laid it out.
        """
        with self.read() as connection:
            if inspect(connection).has_table("schema_version"):
                self._check_version(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock; commit at the end, roll back on any exception.

        The lock is taken at once, after waiting up to 5 s for other writers: keep it short.

        :raises Unavailable: when the database is locked, full, read-only, damaged or does not answer.
        :raises Fenced: when this is done under a lease that somebody else took over; nothing is written then.
        """
        with self._turn_taken(), self._begun(self._backend.write) as connection:
            if self.lease is not None:
                lease.check(connection, self.lease)
            yield connection

    @contextmanager
    def led_by(self, held: Lease) -> Iterator[None]:
        """Let this thread write only while it holds a lease: each transaction that it begins meanwhile checks that."""
        before, self._manners.lease = self._manners.lease, held
        try:
            yield
        finally:
            self._manners.lease = before

    @contextmanager
    def lead(self, held: Lease) -> Iterator[None]:
        """Let every thread that uses this object write only while the process holds a lease."""
        self._lead = held
        try:
            yield
        finally:
            self._lead = None

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Let everybody else pass first at each transaction that this thread begins meanwhile: the engine's manners."""
        # One in memory is nobody else's, and its threads take turns anyway.
        before, self._manners.patient = self._manners.patient, not self._in_memory
        try:
            yield
        finally:
            self._manners.patient = before

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging snapshot and refuses to write; it never waits for writers.

        :raises Unavailable: when the database cannot be opened or is damaged.
        """
        with self._begun(self._backend.read) as connection:
            yield connection

    def close(self) -> None:
        """Close every idle connection; the database can be used again afterwards."""
        self._engine.dispose()

    @contextmanager
    def _turn_taken(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self._turns.taken(turns.BUSY_SECONDS, patient=self._manners.patient))
            except TimeoutError as error:
                waited = f"for {turns.BUSY_SECONDS} s"
                raise Unavailable(f"other tasks of this program kept {self.name} busy {waited}; try again") from error
            yield

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        with self._turn, self._explained(), self._engine.connect() as connection:
            if connection.in_transaction() or getattr(connection.connection.dbapi_connection, "in_transaction", False):
                raise RuntimeError("a database in memory has one connection: pass on the one that is open")
            with connection.execution_options(begin=begin).begin():
                yield connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except PoolTimeout as error:
            raise Unavailable(f"too many tasks use {self.name} at once; try again") from error
        except DataError as error:
            why = str(error.orig).strip().splitlines()[0]
            raise InvalidDocument(f"{self.name} cannot hold such a text or number: {why}") from error
        except DBAPIError as error:
            said = self._backend.sentence(error, self.name)
            if said is None:
                raise
            raise Unavailable(said) from error

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"the folder {folder} of {self.name} cannot be created: {error.strerror}") from error

    def _check_version(self, connection: Connection) -> int:
        found = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar()
        if found is not None and found > SCHEMA_VERSION:
            raise Unavailable(
                f"{self.name} has layout {found}, written by a newer version of this program, which knows layouts up "
                f"to {SCHEMA_VERSION}; install that newer version, or point this one to another database"
            )
        return found or 0


class _Manners(threading.local):
    """Whether this thread lets others pass, and the lease that it needs to write."""

    patient = False
    lease: Lease | None = None


def _backend(url: str, *, read_only: bool) -> Backend:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # whose texts would show a password
        shown = repr(url) if "@" not in url else "what is set"
        raise Unavailable(f"{shown} is no database URL; {_WRITE}") from None
    if parsed.get_backend_name() in ("postgresql", "postgres"):
        from governance.store.postgresql import PostgreSQL  # only where there is one

        return PostgreSQL(parsed, read_only=read_only)
    if parsed.get_backend_name() != "sqlite":
        raise Unavailable(f"{parsed.get_backend_name()} is not supported; {_WRITE}")
    path = None if parsed.database in (None, "", ":memory:") else Path(str(parsed.database))
    return sqlite.SQLite(path, read_only=read_only)
