"""Take the rows of one version out of a prediction log, so that they can be judged by themselves."""

# ruff: noqa: S608  (the names are quoted)

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.errors import InvalidDocument
from governance.sources.prediction_log.counting import quoted, text
from governance.sources.prediction_log.log import files

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Taken:
    """How many rows were taken, and the times of the oldest and the newest of them."""

    rows: int
    oldest: datetime | None
    newest: datetime | None


class Rows:
    """The rows of a log's files; `at` is the column with the time of a row, `by` the one with its version."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[Path], at: str, by: str | None) -> None:
        """Look into the files.

        :raises InvalidDocument: when they cannot be read, or lack the column of the time
        """
        self._connection, self._at, self._by = connection, quoted(at), quoted(by) if by else None
        listed = ", ".join(text(str(each)) for each in paths)
        self._connection.execute("set TimeZone = 'UTC'")
        self._asked(f"create or replace temp view rows as select * from read_parquet([{listed}], union_by_name = true)")
        self.columns = [str(row[0]) for row in self._asked("describe select * from rows")]
        names = {each.lower() for each in self.columns}
        if at.lower() not in names:
            there = ", ".join(self.columns)
            raise InvalidDocument(
                f"the rows have no column '{at}', which the card maps as time; columns there: {there}"
            )
        if by is not None and by.lower() not in names:
            self._by = None

    @property
    def told_apart(self) -> bool:
        """Whether the rows say of which version they are."""
        return self._by is not None

    def versions(self) -> list[str]:
        """Return the versions that there are, those with most rows first."""
        if self._by is None:
            return []
        found = self._asked(
            f"select {self._by}::varchar from rows where {self._by} is not null group by 1 order by count(*) desc, 1"
        )
        return [str(row[0]) for row in found]

    def newest(self) -> datetime | None:
        """Return the time of the newest row."""
        return _utc(self._asked(f"select max(({self._at})::timestamp) from rows")[0][0])

    def take(self, version: str, since: datetime | None, until: datetime, target: Path) -> Taken:
        """Write the rows of a version with since < time ≤ until as one Parquet file; of no rows there is no file."""
        moment = f"({self._at})::timestamp"
        where = [f"{self._at} is not null", f"{moment} <= {_instant(until)}"]
        if since is not None:
            where.append(f"{moment} > {_instant(since)}")
        if self._by is not None:
            where.append(f"{self._by}::varchar = {text(version)}")
        chosen = f"select * from rows where {' and '.join(where)}"
        count, oldest, newest = self._asked(f"select count(*), min({moment}), max({moment}) from ({chosen})")[0]
        if count:
            self._asked(f"copy ({chosen}) to {text(str(target))} (format parquet)")
        return Taken(int(count), _utc(oldest), _utc(newest))

    def _asked(self, statement: str) -> list[Any]:
        import duckdb

        try:
            return self._connection.execute(statement).fetchall()
        except duckdb.Error as error:
            raise InvalidDocument(f"the rows cannot be read: {str(error).splitlines()[0]}") from error


def link(directory: Path, name: str, into: Path) -> None:
    """Let a table be read in another directory too; its files are copied only where they cannot be linked."""
    for number, (path, _, _) in enumerate(files(directory, name)):
        place = into / name / f"{number}.parquet"
        place.parent.mkdir(exist_ok=True)
        try:
            os.link(Path(path).resolve(), place)  # a symbolic one would lead out of what the source may read
        except OSError:
            shutil.copyfile(path, place)


def _instant(at: datetime) -> str:
    return f"timestamp '{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
