"""A round of questions: each has its own limit, all share a few connections and the time that the engine waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue

from governance.core.metric import Answer, Query, Sample
from governance.errors import Unavailable
from governance.sources.sql.database import Database
from governance.sources.sql.line import Line, Table, TooLate
from governance.sources.sql.statement import Statement, statement

SECONDS = 25.0
"""How long all questions of a round may take; the engine waits a little longer, so what was answered is not lost."""


class Round:
    """Asks many questions over a few connections; each fails alone."""

    def __init__(self, database: Database, connections: int) -> None:
        self._database = database
        self._connections = connections
        self._silent = 0  # in a row; two threads at once may count one only, then one question more is asked
        self._ends = time.monotonic() + SECONDS
        self._lines: SimpleQueue[Line] = SimpleQueue()

    def answers(self, queries: Sequence[Query], ask: Callable[[Asked], tuple[Sample, ...]]) -> Mapping[Query, Answer]:
        """Return what `ask` gives for every query; what it raises is the failure of that query alone."""
        count = min(self._connections, len(queries))
        for _ in range(count):
            self._lines.put(Line(self._database))
        try:
            with ThreadPoolExecutor(max(count, 1), thread_name_prefix="sql") as pool:
                found = pool.map(lambda query: self._answer(query, ask), queries)
                return dict(zip(queries, found, strict=True))
        finally:
            while not self._lines.empty():
                self._lines.get().close()

    def _answer(self, query: Query, ask: Callable[[Asked], tuple[Sample, ...]]) -> Answer:
        line = self._lines.get()
        try:
            answer = Answer(ask(Asked(query, statement(query.text), line, self._database, self._seconds)))
        except TooLate as error:
            line.close()
            line = Line(self._database)
            self._silent = self._silent + 1 if error.is_silent else 0
            return Answer(failure=self._database.shown(str(error)))
        except Unavailable as error:
            return Answer(failure=self._database.shown(str(error)))
        except Exception as error:  # noqa: BLE001 (a driver may raise anything; it is the failure of this question)
            answer = Answer(failure=self._database.sentence(error))
        finally:
            self._lines.put(line)
        self._silent = 0
        return answer

    def _seconds(self) -> float:
        """Return how long the next query may take.

        :raises Unavailable: the time of the round is over, or the database answers nothing
        """
        if self._silent >= self._connections:
            raise Unavailable("not asked, as the database does not answer")
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Unavailable(f"not asked to its end, as the questions to this database took {SECONDS:g}s")
        return min(self._database.timeout, left)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that can be put, for one window or many."""

    query: Query
    statement: Statement
    line: Line
    database: Database
    seconds: Callable[[], float]

    def table(self, bounds: Mapping[str, datetime], *, most: int) -> Table:
        """Return up to `most` + 1 rows of the query, its window bound to `bounds`.

        :raises Unavailable: it names what is not known, or there is no time left
        """
        instants = {name: self.database.instant(at) for name, at in bounds.items()}
        values = self.statement.values({**dict(self.query.parameters), **instants})
        return self.line.ask(self.statement, values, most=most, seconds=self.seconds())
