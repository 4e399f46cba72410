"""A database that SQLAlchemy speaks to, asked in SQL.

A round of questions opens its connections and closes them at its end: between two cycles there is none that a
database that was restarted, or a firewall, could have cut.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from governance.core.metric import Answer, Query, Sample
from governance.errors import Unavailable
from governance.sources.sql.config import SqlConfig

if TYPE_CHECKING:
    from governance.sources.sql.database import Database
    from governance.sources.sql.line import Table
    from governance.sources.sql.round import Asked

PRESENT = timedelta(minutes=5)
"""How old an instant may be for a query that does not name :at, and so always answers for now."""


class Sql:
    """Answers SQL in transactions that cannot write; `:since` and `:at` are the bounds of the query's window."""

    Config: ClassVar[type[BaseModel]] = SqlConfig

    def __init__(self, config: SqlConfig, directory: Path, now: Callable[[], datetime]) -> None:
        self._config = config
        self._directory = directory
        self._now = now
        self._known: Database | None = None
        self._lock = threading.Lock()

    @classmethod
    def configured(cls, config: SqlConfig, directory: Path) -> Sql:
        """Build the source from its settings; a relative path of a SQLite file starts at `directory`."""
        return cls(config, directory, lambda: datetime.now(UTC))

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at` less its offset."""
        return self._answers(queries, lambda asked: self._samples(asked, at))

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer every query as of start, start + step, … up to `end`: a query is run once for each of them."""
        count = max((end - start) // step + 1, 0)
        instants = [start + index * step for index in range(count)]
        return self._answers(
            queries, lambda asked: tuple(sample for at in instants for sample in self._samples(asked, at))
        )

    def _answers(self, queries: Sequence[Query], ask: Callable[[Asked], tuple[Sample, ...]]) -> Mapping[Query, Answer]:
        from governance.sources.sql.round import Round

        try:
            database = self._database()
        except Unavailable as error:
            return dict.fromkeys(queries, Answer(failure=str(error)))
        return Round(database, self._config.connections).answers(queries, ask)

    def _database(self) -> Database:
        from governance.sources.sql.database import Database

        with self._lock:
            if self._known is None:
                self._known = Database(self._config, self._directory)
            return self._known

    def _samples(self, asked: Asked, at: datetime) -> tuple[Sample, ...]:
        from governance.sources.sql.samples import samples

        if "at" not in asked.statement.parameters and self._now() - at > PRESENT:
            raise Unavailable("a query that does not name :at answers only for the present: write `… and time <= :at`")
        end = at - asked.query.offset
        bounds = {"since": end - asked.query.window, "at": end}
        most = self._config.max_series
        table: Table = asked.table(bounds, most=most)
        return samples(table, end=end, most=most)
