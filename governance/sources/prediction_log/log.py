"""The counts of one prediction log, kept up to date with its files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.core.metric import LogTable
from governance.core.statistics.bins import Bins
from governance.core.statistics.quality import Outcomes
from governance.core.suggestion import closest
from governance.errors import InvalidDocument
from governance.sources.prediction_log import counting
from governance.sources.prediction_log.counting import Counting
from governance.sources.prediction_log.truth import Truths

if TYPE_CHECKING:
    import duckdb

_Setting = str | bool | int | float | list[str]
_SETTINGS: dict[str, _Setting] = {
    "autoinstall_known_extensions": False,  # nothing is fetched from the network
    "autoload_known_extensions": False,
    "threads": 1,  # each log has a database of its own; the engine's pool asks many logs at once
}

_RECENT = timedelta(days=30)
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)

_RANKED = "bin, null::boolean, positive, sum(n)::bigint"
# Where one score is no probability, the likelihood of all is unknown.
_SUMMED = (
    "case when bin is not null then 0 end as scored, decision, positive, sum(n)::bigint, "
    "case when bool_and(bin is null or loss is not null) then sum(loss) end, coalesce(sum(bias), 0), "
    "coalesce(sum(absolute), 0), coalesce(sum(squared), 0), coalesce(sum(magnitude), 0)"
)

File = tuple[str, int, int]
"""A file's path, size and time of its last change in nanoseconds: another of these is another content."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """The sums over the predictions of a window."""

    n: int = 0
    errors: int = 0
    fallbacks: int = 0
    overrides: int = 0
    decided: int = 0
    positive: int = 0
    cost: float = 0.0
    costed: int = 0
    score: float = 0.0
    scored: int = 0
    old_features: int = 0


@dataclass(frozen=True, slots=True)
class FeatureCounts:
    """The bins of one feature in a window, and how many values lie outside the declared range."""

    bins: Bins
    outside: int = 0

    @property
    def count(self) -> int:
        """How many rows, nulls included."""
        return sum(self.bins.values())


class CountedLog:
    """Reads each file once; a file that changed has all counted anew from the files there are.

    A file that vanished keeps its counts, but for the age of the oldest row. For one thread at a time.
    """

    def __init__(self, log: LogTable, directory: Path, where: str = "") -> None:
        """Make the empty counts of one log, or of its rows for which the SQL `where` is true.

        :raises InvalidDocument: when the card lacks a column that its labels need.
        """
        _check(log)
        self._log, self._directory, self._where = log, directory.resolve(), where
        self._counting, self._truths = Counting(log, where), Truths(log)
        self._connection = _connected(self._directory)
        self._seen: dict[str, File] = {}
        self._columns: frozenset[str] = frozenset()
        self._tables: frozenset[str] = frozenset()
        self._present: frozenset[str] = frozenset()
        self._reference: dict[str, FeatureCounts] | None = None
        self._spans: list[datetime] | None = None
        self._reset()

    def refresh(self) -> None:
        """Count what is new in the log's files, its labels and its reference.

        :raises OSError: when the directory cannot be read, or the log never had a file: its name may be wrong.
        :raises duckdb.Error: when a file or an expression of the card is wrong; nothing new is counted then.
        """
        tables = [name for name in (self._log.table, self._log.labels, self._log.reference) if name]
        found = {name: files(self._directory, name) for name in tables}
        if not self._seen and not found[self._log.table]:
            raise FileNotFoundError(_absent(self._directory, self._log.table))
        self._tables |= {name for name, listed in found.items() if listed}
        self._present, self._spans = frozenset(each[0] for each in found[self._log.table]), None
        if any(self._seen.get(file[0], file) != file for listed in found.values() for file in listed):
            self._reset()
        fresh = {name: [each for each in listed if each[0] not in self._seen] for name, listed in found.items()}
        if any(fresh.values()):
            self._connection.execute("begin")
            try:
                self._count(fresh)
                self._connection.execute("commit")
            except Exception:
                self._connection.execute("rollback")
                raise
            self._seen.update((each[0], each) for listed in fresh.values() for each in listed)

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns that the log's files have had."""
        return self._columns

    @property
    def unlogged(self) -> frozenset[str]:
        """The features whose column no file ever had: their names in the card may be wrong."""
        there = {each.lower() for each in self._columns}
        return frozenset(each.name for each in self._log.features if each.name.lower() not in there)

    def absent(self, table: str) -> str:
        """Return that a table never had a file, and which tables there are, or "" when it had one."""
        return "" if table in self._tables else f"{table}: {_absent(self._directory, table)}"

    def traffic(self, start: datetime, end: datetime) -> dict[str, Traffic]:
        """Return the sums of the window (start, end] by version."""
        columns = [
            "n",
            "errors",
            "fallbacks",
            "overrides",
            "decided",
            "positive",
            "cost",
            "costed",
            "score",
            "scored",
            "old_features",
        ]
        sums = ", ".join(f"sum({each})" for each in columns)
        rows = self._rows(f"select version, {sums} from traffic where hour > ? and hour <= ? group by 1", start, end)  # noqa: S608
        return {str(row[0]): Traffic(*row[1:]) for row in rows}

    def latency(self, start: datetime, end: datetime) -> Bins:
        """Return the latencies of the window by sketch bin."""
        rows = self._rows("select bin, sum(n) from latency where hour > ? and hour <= ? group by 1", start, end)
        return {row[0]: int(row[1]) for row in rows if row[0] is not None}

    def features(self, start: datetime, end: datetime) -> dict[str, FeatureCounts]:
        """Return the bins of every feature, and of the score, in the window."""
        where = "from features where hour > ? and hour <= ? group by 1, 2, 3"
        return _features(self._rows(f"select feature, bin, category, sum(n), sum(outside) {where}", start, end))

    def reference(self) -> dict[str, FeatureCounts]:
        """Return the bins of every feature, and of the score, in the training-time rows."""
        if self._reference is None:
            statement = "select feature, bin, category, sum(n), sum(outside) from reference group by 1, 2, 3"
            self._reference = _features(self._rows(statement))
        return self._reference

    def outcomes(
        self, start: datetime, end: datetime, known: datetime, *, ranked: bool
    ) -> dict[tuple[str, str], list[Outcomes]]:
        """Return the outcomes of the window by slice and value, as far as their truth came until `known`.

        By score bin when they are ranked; else without, which makes few rows of many, and with their sums.
        """
        columns = _RANKED if ranked else _SUMMED
        where = "from outcomes where hour > ? and hour <= ? and known <= ? group by all"
        found: dict[tuple[str, str], list[Outcomes]] = defaultdict(list)
        for slice_, value, *row in self._rows(f"select slice, value, {columns} {where}", start, end, known):
            found[(slice_, value)].append(Outcomes(*row))
        return found

    def newest(self, end: datetime) -> datetime | None:
        """Return the time of the newest prediction up to `end`."""
        return _utc(self._rows("select max(newest) from traffic where hour <= ?", end)[0][0])

    def oldest(self, end: datetime) -> datetime | None:
        """Return the time of the oldest prediction in the files that are still there, None when it is after `end`."""
        if self._spans is None:
            rows = self._rows("select path, oldest from spans")
            self._spans = [moment.replace(tzinfo=UTC) for path, moment in rows if path in self._present]
        oldest = min(self._spans, default=None)
        return oldest if oldest is not None and oldest <= end else None

    def newest_label(self, known: datetime) -> datetime | None:
        """Return the time of the newest prediction whose truth came until `known`."""
        statement = "select max(newest) from outcomes where slice = '' and known <= ? and hour > ?"
        for reach in (_RECENT, known - _EPOCH):  # a few weeks are read faster than all, and nearly always enough
            if found := self._rows(statement, known, known - reach)[0][0]:
                return _utc(found)
        return None

    def _rows(self, statement: str, *values: datetime) -> list[Any]:
        naive = [each.astimezone(UTC).replace(tzinfo=None) for each in values]
        return self._connection.execute(statement, naive).fetchall()

    def _reset(self) -> None:
        self._seen, self._reference, self._columns = {}, None, frozenset()
        self._all([*counting.tables(), *self._truths.tables()])

    def _count(self, fresh: dict[str, list[File]]) -> None:
        predictions = [each[0] for each in fresh[self._log.table]]
        truth = [each[0] for each in fresh.get(self._log.labels or "", [])]
        if predictions:
            self._count_predictions(predictions)
        if truth:
            self._connection.execute(self._truths.learned(), [truth])
        if self._log.labels and (truth or predictions):
            self._all([*([self._truths.awaited()] if predictions else []), *self._truths.matched()])
        elif predictions and self._log.column("label"):
            self._all(self._truths.labelled())
        training = [each[0] for each in fresh.get(self._log.reference or "", [])]
        if training:
            self._count_reference(training)

    def _count_predictions(self, paths: list[str]) -> None:
        if not self._seen.keys() & self._present:
            self._connection.execute(self._counting.template(), [paths])
            self._all(self._counting.declared())
        if self.unlogged:
            listed = self._connection.execute(counting.columns(), [paths]).fetchall()
            self._columns |= {str(row[0]) for row in listed}
        self._connection.execute(self._counting.fresh(), [paths])
        self._all(each for each in (self._counting.traffic(), self._counting.spans(), self._counting.latency()) if each)
        statement = self._counting.features()
        if statement and self._connection.execute(statement).fetchall()[0][0] > counting.MOST_CATEGORIES:
            self._all(counting.trimmed())

    def _count_reference(self, paths: list[str]) -> None:
        listed = self._connection.execute(counting.columns(), [paths]).fetchall()
        read, *count = [
            *counting.reference(self._log, frozenset(str(row[0]).lower() for row in listed), self._where),
            "",
        ]
        if read:
            self._connection.execute(read, [paths])
            self._all(each for each in count if each)
        self._reference = None

    def _all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)


def _connected(directory: Path) -> duckdb.DuckDBPyConnection:
    import duckdb  # heavy, and only needed where a log is read

    connection = duckdb.connect(":memory:", config=_SETTINGS)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")  # it would be drawn over the terminal app of the demo
    # An expression of a card reads the log's directory and nothing else.
    connection.execute(f"set allowed_directories = [{counting.text(str(directory))}]")
    connection.execute("set enable_external_access = false")
    return connection


def _check(log: LogTable) -> None:
    needed = ["time", *(["request", "label", "label_time"] if log.labels else [])]
    for role in needed:
        if not log.column(role):
            why = f", which the labels in '{log.labels}' need" if role != "time" else ""
            raise InvalidDocument(f"the card maps no '{role}' column{why}")


def _absent(directory: Path, table: str) -> str:
    """Say that a table has no files, and which tables there are."""
    found = [each for each in directory.iterdir() if each.is_dir() or each.suffix == ".parquet"]
    there = {each.stem for each in found}
    known = f"; tables there: {', '.join(sorted(there)[:8])}" if there else ""
    return f"no Parquet files for this table in {directory}{known}; {closest(table, there)}".rstrip("; ")


def files(directory: Path, table: str) -> list[File]:
    """Return the Parquet files of a table: <table>.parquet, and everything below <table>/.

    Names that begin with a dot or an underscore are half-written by convention (Spark, Hive) and are left alone.
    """
    single = directory / f"{table}.parquet"
    return [*sorted(_below(directory / table)), *([_file(str(single), single.stat())] if single.is_file() else [])]


def _below(folder: Path | str) -> Iterator[File]:
    """List the files of a folder and of those in it; a log of years has thousands, and is listed in every cycle."""
    with suppress(FileNotFoundError, NotADirectoryError, PermissionError), os.scandir(folder) as entries:
        for each in entries:
            if each.name[0] in "._":
                continue
            if each.is_dir(follow_symlinks=False):
                yield from _below(each.path)
            elif each.name.endswith(".parquet") and each.is_file():
                yield _file(each.path, each.stat())


def _file(path: str, stat: os.stat_result) -> File:
    return path, stat.st_size, stat.st_mtime_ns


def hour_of(at: datetime) -> datetime:
    """Return the full hour at or before an instant: up to it, counts are complete."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _features(rows: Iterable[Any]) -> dict[str, FeatureCounts]:
    bins: dict[str, Counter[int | str | None]] = defaultdict(Counter)
    outside: Counter[str] = Counter()
    for feature, number, category, count, out in rows:
        bins[feature][number if number is not None else category] += int(count)
        outside[feature] += int(out)
    return {name: FeatureCounts(dict(counts), outside[name]) for name, counts in bins.items()}


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None else None
