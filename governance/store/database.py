"""The database: its tables and version, short write transactions, and read snapshots.

Every statement runs on the connection that `transaction()` or `read()` gives. Bulk statements are plain SQLAlchemy:
`connection.execute(insert(AlertRow), [{…}, {…}])`; for objects, wrap it: `Session(connection)`.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, delete, insert, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlmodel import Field, SQLModel

from governance.errors import Unavailable
from governance.store import append_only, sqlite
from governance.store.turns import Turns

SCHEMA_VERSION = 2
"""1: cycles, incidents, the decision log. 2: kill switches, approvals and tokens beside them; only tables are added."""


_EMPTY: dict[int, bytes] = {}
"""What a fresh database in memory holds, by the number of tables known."""


class SchemaVersionRow(SQLModel, table=True):
    """The one row that says which version of the program laid out this database."""

    __tablename__ = "schema_version"

    version: int = Field(primary_key=True)


class Database:
    """A SQLite database, in a file or (for tests) in memory; any number of readers, one writer at a time."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        """Open `sqlite:///path` or, in memory, `sqlite://`; nothing is read or created yet.

        :raises Unavailable: for any other kind of URL.
        """
        self.path = _path(url)
        self.name = "the database in memory" if self.path is None else f"the database {self.path}"
        self._engine = sqlite.sqlite_engine(self.path, read_only=read_only)
        self._turns = Turns()
        self._manners = _Manners()
        # In memory all threads share one connection, so they take turns.
        self._turn: AbstractContextManager[object] = threading.RLock() if self.path is None else nullcontext()

    def create_tables(self) -> None:
        """Create what is missing of every table, and the append-only triggers.

        :raises Unavailable: when the database cannot be written, or a newer version of the program laid it out.
        """
        importlib.import_module("governance.store.schema")  # a table is known once its module is imported
        if self.path is not None:
            self._make_folder(self.path.parent)
        elif self._laid_out_before():
            return
        self._use_wal()
        with self.transaction() as connection:
            SQLModel.metadata.create_all(connection, [SQLModel.metadata.tables["schema_version"]])
            if self._check_version(connection) < SCHEMA_VERSION:
                connection.execute(delete(SchemaVersionRow))
                connection.execute(insert(SchemaVersionRow), [{"version": SCHEMA_VERSION}])
            SQLModel.metadata.create_all(connection)
            append_only.protect(connection, SQLModel.metadata)
        if self.path is None:
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
            if connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").scalar():
                self._check_version(connection)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock; commit at the end, roll back on any exception.

        The lock is taken at once (BEGIN IMMEDIATE), after waiting up to 5 s for other writers: keep it short.

        :raises Unavailable: when the database is locked, full, read-only or damaged.
        """
        with self._turn_taken(), self._begun(sqlite.WRITE) as connection:
            yield connection

    @contextmanager
    def giving_way(self) -> Iterator[None]:
        """Let everybody else pass first at each transaction that this thread begins meanwhile: the engine's manners."""
        # One in memory is nobody else's, and its threads take turns anyway.
        before, self._manners.patient = self._manners.patient, self.path is not None
        try:
            yield
        finally:
            self._manners.patient = before

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging snapshot and refuses to write; it never waits for writers.

        :raises Unavailable: when the database cannot be opened or is damaged.
        """
        with self._begun(sqlite.READ) as connection:
            yield connection

    def close(self) -> None:
        """Close every idle connection; the database can be used again afterwards."""
        self._engine.dispose()

    @contextmanager
    def _turn_taken(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self._turns.taken(sqlite.BUSY_SECONDS, patient=self._manners.patient))
            except TimeoutError as error:
                waited = f"for {sqlite.BUSY_SECONDS} s"
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
        except DBAPIError as error:
            said = sqlite.sentence(error, self.name)
            if said is None:
                raise
            raise Unavailable(said) from error

    def _make_folder(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"the folder of {self.name} cannot be created: {error.strerror}") from error

    def _use_wal(self) -> None:
        with self._turn, self._explained(), self._engine.connect() as connection:
            sqlite.use_wal(connection)

    def _check_version(self, connection: Connection) -> int:
        found = connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar()
        if found is not None and found > SCHEMA_VERSION:
            raise Unavailable(
                f"{self.name} has layout {found}, written by a newer version of this program, which knows layouts up "
                f"to {SCHEMA_VERSION}; install that newer version, or point this one to another database"
            )
        return found or 0


class _Manners(threading.local):
    """Whether this thread lets others pass."""

    patient = False


def _path(url: str) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise Unavailable(f"{url!r} is no database URL; write sqlite:///path/to/file.db") from error
    if parsed.get_backend_name() != "sqlite":
        raise Unavailable(f"{parsed.render_as_string()} is not supported; write sqlite:///path/to/file.db")
    return None if parsed.database in (None, "", ":memory:") else Path(str(parsed.database))
