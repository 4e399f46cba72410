"""One connection to a database, on which every question ends in its time whatever the other side does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from governance.errors import Unavailable
from governance.sources.sql.database import Database, abort
from governance.sources.sql.statement import Statement

GRACE = 0.25
"""Seconds beyond its time that a query is given, so that the database itself can say that it ended it."""


class TooLate(Unavailable):
    """No answer came in time; `is_silent` when the next question would hardly fare better."""

    def __init__(self, seconds: float, *, is_silent: bool, because: str = "") -> None:
        super().__init__(f"did not answer within {seconds:g}s" + (f": {because}" if because else ""))
        self.is_silent = is_silent


@dataclass(frozen=True, slots=True)
class Table:
    """What a query gave, at most one row more than was wanted."""

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()


class Line:
    """A connection that is made when it is first needed; after TooLate it is of no more use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._raw: Any = None
        self._lock = threading.Lock()
        self._is_left = False

    def ask(self, statement: Statement, values: Mapping[str, object], *, most: int, seconds: float) -> Table:
        """Return up to `most` + 1 rows.

        :raises TooLate: it took longer than `seconds`; the connection is cut, and its thread left to itself
        :raises Exception: the driver's own, when the database cannot be reached or refuses the query
        """
        call = _Call(lambda: self._fetched(statement, values, most, seconds), self._ended)
        call.start()
        call.join(seconds + GRACE)
        if not self._is_over(call):
            raise TooLate(seconds, is_silent=True)
        if call.error is not None:
            raise call.error
        return call.table

    def close(self) -> None:
        """Close the connection; a thread that was left behind closes its own when it ends."""
        with self._lock:
            if not self._is_left:
                self._drop()

    def _is_over(self, call: _Call) -> bool:
        """Tell whether a call has ended; if not, leave it behind for good."""
        with self._lock:
            self._is_left = not call.is_done
            if self._is_left:
                abort(self._raw)
        return call.is_done

    def _ended(self, call: _Call) -> None:
        with self._lock:
            call.is_done = True
            if self._is_left:
                self._drop()

    def _fetched(self, statement: Statement, values: Mapping[str, object], most: int, seconds: float) -> Table:
        deadline = time.monotonic() + seconds
        try:
            return self._read(self._opened(), deadline, statement, values, most)
        except Exception as error:
            with self._lock:
                self._drop()
            self._check(error, seconds, deadline)
            raise

    def _check(self, error: Exception, seconds: float, deadline: float) -> None:
        """Turn the error of a database that was too slow into one that says so."""
        is_locked = self._database.is_locked(error)
        if is_locked or (self._database.is_cut_short(error) and time.monotonic() >= deadline - GRACE):
            raise TooLate(seconds, is_silent=is_locked, because=self._database.sentence(error)) from None

    def _read(
        self, connection: Connection, deadline: float, statement: Statement, values: Mapping[str, object], most: int
    ) -> Table:
        self._database.prepare(connection, deadline)
        found = self._database.rows(connection, statement.text, values, most + 1)
        if not found.returns_rows:
            raise Unavailable("the query gives no rows")
        table = Table(tuple(found.keys()), tuple(tuple(row) for row in found.fetchmany(most + 1)))
        found.close()
        connection.rollback()
        return table

    def _opened(self) -> Connection:
        if self._connection is None:
            made = self._database.connected()
            with self._lock:
                self._connection, self._raw = made, made.connection.driver_connection
                if self._is_left:
                    raise Unavailable("nobody waits for the answer any more")
        return self._connection

    def _drop(self) -> None:
        connection, self._connection, self._raw = self._connection, None, None
        if connection is not None:
            with suppress(Exception):  # the other side may be gone
                connection.invalidate()  # closes without a word that would have to be answered
            with suppress(Exception):
                connection.close()


class _Call(threading.Thread):
    """One query in a thread of its own; a daemon, so that a database that hangs keeps no process alive."""

    def __init__(self, work: Callable[[], Table], ended: Callable[[_Call], None]) -> None:
        super().__init__(name="sql", daemon=True)
        self.table = Table()
        self.error: Exception | None = None
        self.is_done = False
        self._work, self._ended = work, ended

    def run(self) -> None:
        """Ask, whatever happens."""
        try:
            self.table = self._work()
        except Exception as error:  # noqa: BLE001 (a driver may raise anything; it is the failure of this question)
            self.error = error
        finally:
            self._ended(self)
