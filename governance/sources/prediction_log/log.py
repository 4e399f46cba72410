"""The counts of one prediction log, kept up to date with its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from governance.core.metric import LogTable
from governance.core.statistics.bins import Bins
from governance.core.statistics.quality import Outcomes
from governance.sources.prediction_log import counting

if TYPE_CHECKING:
    import duckdb

_OFFLINE = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""DuckDB fetches nothing from the network; without its time-zone extension a TIMESTAMPTZ is read as UTC."""

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
    """Reads each file once; a file that changed has all counted anew, one that vanished keeps its counts.

    For one thread at a time.
    """

    def __init__(self, log: LogTable, directory: Path) -> None:
        import duckdb  # heavy, and only needed where a log is read

        self._log, self._directory = log, directory
        self._counting = counting.Counting(log)
        self._connection: duckdb.DuckDBPyConnection = duckdb.connect(":memory:", config=_OFFLINE)
        self._seen: dict[str, File] = {}
        self._reset()

    def refresh(self) -> None:
        """Count what is new in the log's files, its labels and its reference.

        :raises OSError: when the directory cannot be read.
        :raises duckdb.Error: when a file or an expression of the card is wrong; nothing of that file is counted.
        """
        tables = [name for name in (self._log.table, self._log.labels, self._log.reference) if name]
        found = {name: files(self._directory, name) for name in tables}
        if any(self._seen.get(path, file) != file for each in found.values() for file in each for path in [file[0]]):
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

    def traffic(self, start: datetime, end: datetime) -> dict[str, Traffic]:
        """Return the sums of the window (start, end] by version."""
        columns = ["n", "errors", "fallbacks", "overrides", "decided", "positive", "cost", "costed", "score", "scored", "old_features"]
        sums = ", ".join(f"sum({each})" for each in columns)
        rows = self._rows(f"select version, {sums} from traffic where hour > ? and hour <= ? group by 1", start, end)
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
        return _features(
            self._rows("select feature, bin, category, sum(n), sum(outside) from reference group by 1, 2, 3")
        )

    def outcomes(self, start: datetime, end: datetime, known: datetime) -> dict[tuple[str, str], list[Outcomes]]:
        """Return the outcomes of the window by slice and value, as far as their truth came until `known`."""
        rows = self._rows(
            "select slice, value, bin, decision, label, sum(n), sum(score), sum(loss), sum(absolute), sum(squared) "
            "from outcomes where hour > ? and hour <= ? and known <= ? group by 1, 2, 3, 4, 5",
            start,
            end,
            known,
        )
        found: dict[tuple[str, str], list[Outcomes]] = defaultdict(list)
        for row in rows:
            found[(row[0], row[1])].append(Outcomes(row[2], row[3], row[4], int(row[5]), *row[6:]))
        return found

    def newest(self, end: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the times of the newest and the oldest prediction up to `end`."""
        row = self._rows("select max(newest), min(oldest) from traffic where hour <= ?", end)[0]
        return _utc(row[0]), _utc(row[1])

    def newest_label(self, known: datetime) -> datetime | None:
        """Return the time of the newest prediction whose truth came until `known`."""
        return _utc(self._rows("select max(newest) from outcomes where known <= ?", known)[0][0])

    def _rows(self, statement: str, *values: datetime) -> list[Any]:
        naive = [each.astimezone(UTC).replace(tzinfo=None) for each in values]
        return self._connection.execute(statement, naive).fetchall()

    def _reset(self) -> None:
        self._seen = {}
        features = "(hour timestamp, feature varchar, bin integer, category varchar, n bigint, outside bigint)"
        for statement in counting.tables():
            self._connection.execute(statement)
        self._connection.execute(f"create or replace table reference {features}")
        self._connection.execute("create or replace table truth (request varchar, known timestamp, label double)")
        self._connection.execute(self._counting.awaiting())

    def _count(self, fresh: dict[str, list[File]]) -> None:
        predictions = [each[0] for each in fresh[self._log.table]]
        if predictions:
            self._count_predictions(predictions)
        truth = [each[0] for each in fresh.get(self._log.labels or "", [])]
        if truth:
            self._connection.execute(counting.known_labels(self._log), [truth])
        if self._log.labels and (truth or predictions):
            self._all(self._counting.outcomes())
        training = [each[0] for each in fresh.get(self._log.reference or "", [])]
        if training:
            read, *count = counting.reference(self._log) or [""]
            if read:
                self._connection.execute(read, [training])
                self._all(count)

    def _count_predictions(self, paths: list[str]) -> None:
        self._connection.execute(self._counting.fresh(), [paths])
        statements = [self._counting.traffic(), self._counting.latency(), self._counting.features()]
        self._all(each for each in statements if each)
        if self._log.labels:
            self._connection.execute(self._counting.predictions())
        elif self._log.column("label"):
            self._all(self._counting.labelled_rows())

    def _all(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._connection.execute(statement)


def files(directory: Path, table: str) -> list[File]:
    """Return the Parquet files of a table: <table>.parquet, and everything below <table>/."""
    found = [*sorted((directory / table).rglob("*.parquet")), directory / f"{table}.parquet"]
    stats = [(each, each.stat()) for each in found if each.is_file()]
    return [(str(each), stat.st_size, stat.st_mtime_ns) for each, stat in stats]


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
