"""Look at a sample of predictions in Parquet or CSV files with DuckDB, in bounded memory."""

# ruff: noqa: S608  (names and paths are quoted)

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from governance.errors import InvalidDocument, NotFound
from governance.sources.prediction_log.counting import quoted, text

if TYPE_CHECKING:
    import duckdb

Kind = Literal["number", "boolean", "text", "time", "other"]
_CELLS = 4_000_000
"""Values that are looked at one by one; counts, smallest and largest are those of all rows."""
_ABSENT = ("NA", "N/A", "na", "n/a", "NULL", "null", "None", "-", "")
"""What programs write into a column of numbers where there is none."""
_TOGETHER = 60
"""Columns asked for in one statement."""
_TIMES = ("TIMESTAMP", "DATE", "DATETIME")
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "REAL")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of one column.

    Of all rows: `present` values, about how many `distinct` ones, the `low`est and `high`est of a number, and whether
    all are 0 or 1 (`binary`). Of the rows that were looked at: the share of texts that are times, addresses of
    e-mail or of one word, and their mean `length`.
    """

    name: str
    kind: Kind
    rows: int
    present: int
    distinct: int
    low: float | None = None
    high: float | None = None
    binary: bool = False
    whole: bool = False
    times: float = 0.0
    addresses: float = 0.0
    words: float = 0.0
    length: float = 0.0


class Sample:
    """A table of predictions: one Parquet file, a directory of them, or one CSV file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, *, parquet: bool) -> None:
        self._connection, self.path, self.parquet = connection, path, parquet
        self.rows = int(self._one("select count(*) from seen")[0])

    def columns(self) -> list[Column]:
        """Return what is known of every column, in their order."""
        kinds = {str(row[0]): _kind(str(row[1])) for row in self._rows("describe select * from seen")}
        some = max(_CELLS // max(len(kinds), 1), 1000)
        drawn = f"select * from seen using sample reservoir({some} rows) repeatable(7)"
        self._rows(f"create or replace temp table looked as {drawn}")
        names = list(kinds)
        found: list[Column] = []
        for at in range(0, len(names), _TOGETHER):
            found += self._described({name: kinds[name] for name in names[at : at + _TOGETHER]})
        return found

    def hours(self, time: str) -> list[tuple[datetime, int]]:
        """Return each full hour that holds rows, in order, with how many."""
        at = f"date_trunc('hour', ({quoted(time)})::timestamp)"
        rows = self._rows(f"select {at}, count(*) from seen where {_real(time)} group by 1 order by 1")
        return [(row[0].replace(tzinfo=UTC), int(row[1])) for row in rows]

    def span(self, time: str) -> tuple[datetime, datetime] | None:
        """Return the times of the oldest and the newest row, None where no row has one."""
        moment = f"({quoted(time)})::timestamp"
        low, high = self._one(f"select min({moment}), max({moment}) from seen where {_real(time)}")
        return (low.replace(tzinfo=UTC), high.replace(tzinfo=UTC)) if low is not None else None

    def unreadable(self, time: str) -> tuple[int, str]:
        """Return how many values of a column are no times, and one of them."""
        name = quoted(time)
        row = self._one(
            f"select count(*), min({name}::varchar) from seen where {name} is not null "
            f"and try_cast({name}::varchar as timestamp) is null and try_cast({name}::varchar as timestamptz) is null"
        )
        return int(row[0]), str(row[1])

    def delays(self, time: str, label: str, label_time: str) -> tuple[timedelta, timedelta] | None:
        """Return after how long 90 % and 99.9 % of the labels had come."""
        took = f"date_diff('second', ({quoted(time)})::timestamp, ({quoted(label_time)})::timestamp)"
        row = self._one(
            f"select quantile_cont({took}, [0.9, 0.999]) from seen where {quoted(label)} is not null and {_real(time)}"
        )
        return (timedelta(seconds=max(row[0][0], 0)), timedelta(seconds=max(row[0][1], 0))) if row[0] else None

    def labelled_until(self, time: str, label: str) -> datetime | None:
        """Return the time of the newest row that has a label."""
        row = self._one(f"select max(({quoted(time)})::timestamp) from seen where {quoted(label)} is not null")
        return row[0].replace(tzinfo=UTC) if row[0] is not None else None

    def classes(self, label: str) -> int:
        """Return how many different labels there are."""
        return int(self._one(f"select count(distinct {quoted(label)}) from seen")[0])

    def newest(self, column: str, time: str) -> str | None:
        """Return the last value of a column."""
        value = self._one(f"select arg_max({quoted(column)}, ({quoted(time)})::timestamp) from seen")[0]
        return None if value is None else str(value)

    def together(self, label: str, label_time: str, time: str) -> float:
        """Return in which share of the rows a time is there just where the label is, and not before the prediction."""
        there, moment = quoted(label), f"try_cast({quoted(label_time)}::varchar as timestamp)"
        later = f"({moment} is null or {moment} >= try_cast({quoted(time)}::varchar as timestamp))"
        return float(
            self._one(f"select avg(((({there} is null) = ({moment} is null)) and {later})::integer) from looked")[0]
            or 0
        )

    def copy(self, path: Path) -> None:
        """Write the rows as one Parquet file.

        :raises InvalidDocument: when it cannot be written
        """
        import duckdb

        try:
            self._connection.execute(f"copy (select * from seen) to {text(str(path))} (format parquet)")
        except (duckdb.Error, OSError) as error:
            raise InvalidDocument(f"{path} cannot be written: {_first_line(error)}") from error

    def _described(self, kinds: dict[str, Kind]) -> Iterator[Column]:
        whole: list[str] = []
        parts: list[str] = []
        for name, kind in kinds.items():
            whole += _of_all(quoted(name), kind)
            parts += _of_some(quoted(name), kind)
        all_rows, some = (
            self._one(f"select {', '.join(whole)} from seen"),
            self._one(f"select {', '.join(parts)} from looked"),
        )
        for index, (name, kind) in enumerate(kinds.items()):
            present, distinct, low, high, binary, integral = all_rows[6 * index : 6 * index + 6]
            times, addresses, words, length = (float(each or 0) for each in some[4 * index : 4 * index + 4])
            yield Column(
                name, kind, self.rows, int(present), min(int(distinct), int(present)), low, high,
                bool(binary), bool(integral), times, addresses, words, length,
            )  # fmt: skip

    def _one(self, statement: str) -> Any:
        return self._rows(statement)[0]

    def _rows(self, statement: str) -> list[Any]:
        import duckdb

        try:
            return self._connection.execute(statement).fetchall()
        except duckdb.Error as error:
            raise InvalidDocument(f"{self.path} cannot be read: {_first_line(error)}") from error


@contextmanager
def opened(path: Path) -> Iterator[Sample]:
    """Open a sample: a file in Parquet or CSV, or a directory of Parquet files.

    :raises NotFound: when there is no such file
    :raises InvalidDocument: when it cannot be read, or holds no rows
    """
    import duckdb

    reading, parquet = _reading(path)
    with TemporaryDirectory(prefix="gov-init-") as scratch, duckdb.connect(":memory:") as connection:
        for setting in (
            "TimeZone = 'UTC'",
            "threads = 1",
            "memory_limit = '512MB'",
            "preserve_insertion_order = false",
        ):
            connection.execute(f"set {setting}")  # one thread, so that the same rows are looked at each time
        try:
            if not parquet:  # read once: a CSV file is slow, and casts would be pushed into reading it
                rows = Path(scratch) / "rows.parquet"
                connection.execute(f"copy (select * from {reading}) to {text(str(rows))} (format parquet)")
                reading = f"read_parquet({text(str(rows))})"
            connection.execute(f"create temp view seen as select * from {reading}")
            if not parquet:
                _read_missing_as_null(connection)
        except (duckdb.Error, OSError) as error:
            raise InvalidDocument(
                f"{path} cannot be read as {_format(parquet=parquet)}: {_first_line(error)}"
            ) from error
        sample = Sample(connection, path, parquet=parquet)
        if not sample.rows:
            raise InvalidDocument(f"{path} holds no rows: a card is drafted from some predictions, the more the better")
        yield sample


def _read_missing_as_null(connection: duckdb.DuckDBPyConnection) -> None:
    """Read numbers as such also where a CSV file writes NA or the like for a missing one."""
    texts = [str(row[0]) for row in connection.execute("describe select * from seen").fetchall() if row[1] == "VARCHAR"]
    if not texts:
        return
    absent = ", ".join(map(text, _ABSENT))
    number = "bool_and({0} in ({1}) or try_cast({0} as double) is not null) and count(try_cast({0} as double)) > 0"
    asked = ", ".join(number.format(quoted(name), absent) for name in texts)
    found = connection.execute(f"select {asked} from seen").fetchall()[0]
    mended = [
        f"try_cast({quoted(each)} as double) as {quoted(each)}" for each, yes in zip(texts, found, strict=True) if yes
    ]
    if mended:
        connection.execute("alter view seen rename to written")
        connection.execute(f"create temp view seen as select * replace ({', '.join(mended)}) from written")


def _reading(path: Path) -> tuple[str, bool]:
    """Return the SQL that reads a path, and whether it is Parquet."""
    if not path.exists():
        raise NotFound(f"no file or directory {path}")
    if path.is_dir():
        found = sorted(each for each in path.rglob("*.parquet") if each.is_file() and each.name[0] not in "._")
        if not found:
            raise InvalidDocument(f"{path} holds no Parquet files (*.parquet)")
        return f"read_parquet([{', '.join(text(str(each)) for each in found)}], union_by_name = true)", True
    with path.open("rb") as file:
        begin = file.read(4)
    if not begin:
        raise InvalidDocument(f"{path} is empty")
    if begin == b"PAR1" or path.suffix == ".parquet":
        return f"read_parquet({text(str(path))})", True
    return f"read_csv({text(str(path))}, sample_size = 100000, header = true)", False


def _of_all(name: str, kind: Kind) -> Sequence[str]:
    number = f"({name})::double"
    finite = f"case when isfinite({number}) then {number} end"
    is_number = kind == "number"
    return (
        f"count({name})",
        f"approx_count_distinct({name})" if kind != "other" else "0",
        *((f"min({finite})", f"max({finite})") if is_number else ("null", "null")),
        f"bool_and({number} in (0, 1))" if is_number else str(kind == "boolean").lower(),
        f"bool_and({number} = floor({number}))" if is_number else "false",
    )


def _of_some(name: str, kind: Kind) -> Sequence[str]:
    if kind != "text":
        return ("0", "0", "0", "0")
    value = f"({name})::varchar"
    is_time = f"(try_cast({value} as timestamp) is not null or try_cast({value} as timestamptz) is not null)"
    return (
        f"avg({is_time}::integer) filter ({name} is not null)",
        f"avg(regexp_matches({value}, '^[^@\\s]+@[^@\\s]+\\.[a-zA-Z]+$')::integer)",
        f"avg(len(string_split(trim({value}), ' ')))",
        f"avg(length({value}))",
    )


def _kind(type_: str) -> Kind:
    if type_.startswith(_TIMES):
        return "time"
    if type_.startswith("BOOL"):
        return "boolean"
    if type_.endswith("]"):
        return "other"
    if type_.startswith(_NUMBERS):
        return "number"
    return "text" if type_.startswith(("VARCHAR", "UUID", "ENUM", "CHAR", "TEXT")) else "other"


def _real(time: str) -> str:
    return f"{quoted(time)} is not null and isfinite(({quoted(time)})::timestamp)"


def _format(*, parquet: bool) -> str:
    return "Parquet" if parquet else "CSV"


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
