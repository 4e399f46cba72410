"""The prediction log of a test: rows that its author wrote, or files beside it, as the Parquet source reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from governance.core.card import Card
from governance.core.duration import parse_duration
from governance.core.story import Story
from governance.errors import InvalidDocument
from governance.sources.prediction_log import PredictionLog

_TIMES = ("time", "label_time", "feature_time")


def prediction_log(test: Story, card: Card, start: datetime, beside: Path, folder: Path) -> PredictionLog:
    """Write the tables of a test as Parquet into a folder and return the source that reads them.

    :raises InvalidDocument: when the card has no log, or a file cannot be read
    """
    if card.log is None:
        raise InvalidDocument(f"{card.model} has no prediction log; its card declares none under `log`")
    if isinstance(test.log, tuple):
        roles = {column: role for role, column in card.log.columns.model_dump(exclude_none=True).items()}
        tables: dict[str, list[dict[str, Any]]] = {}
        for block in test.log:
            rows = tables.setdefault(block.table or card.log.table, [])
            for number in range(block.rows):
                at = block.at + number * block.every
                rows.append(_row(block.values, roles, start, at, number))
        for table, rows in tables.items():
            _write(folder / f"{table}.parquet", rows)
    else:
        for table, name in (test.log or {}).items():
            _copy(beside / name, folder / f"{table}.parquet")
    return PredictionLog(folder)


def _row(
    values: Mapping[str, Any], roles: Mapping[str, str], start: datetime, at: timedelta, number: int
) -> dict[str, Any]:
    """Return one row; its time is that of the row, and times may be written as durations since the row's."""
    row: dict[str, Any] = {}
    for column, role in roles.items():
        if role == "time":
            row[column] = (start + at).replace(tzinfo=None)
        elif role == "request":
            row[column] = f"r{at.total_seconds():.0f}-{number}"
    for column, value in values.items():
        row[column] = _value(value, roles.get(column, ""), start + at)
    return row


def _value(value: Any, role: str, at: datetime) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 (a log's times are in UTC)
    if role in _TIMES and isinstance(value, str):
        return (at + parse_duration(value)).replace(tzinfo=None)
    return value


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    import duckdb

    columns = {
        name: _type([row.get(name) for row in rows]) for name in dict.fromkeys(key for row in rows for key in row)
    }
    declared = ", ".join(f"{_quoted(name)} {kind}" for name, kind in columns.items())
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({declared})")
        places = ", ".join("?" for _ in columns)
        values = [[row.get(each) for each in columns] for row in rows]
        connection.executemany(f"insert into t values ({places})", values)  # noqa: S608 (places are question marks)
        connection.execute(f"copy t to {_literal(path)} (format parquet)")


def _copy(source: Path, to: Path) -> None:
    """Copy a Parquet or CSV file.

    :raises InvalidDocument: when it is none
    """
    import duckdb

    reader = "read_csv" if source.suffix == ".csv" else "read_parquet"
    try:
        with duckdb.connect() as connection:
            connection.execute(f"copy (select * from {reader}({_literal(source)})) to {_literal(to)} (format parquet)")  # noqa: S608
    except duckdb.Error as error:
        raise InvalidDocument(f"{source} cannot be read: {str(error).splitlines()[0]}") from error


def _type(values: list[Any]) -> str:
    known = [each for each in values if each is not None]
    for kind, name in ((bool, "boolean"), ((int, float), "double"), (datetime, "timestamp")):
        if known and all(isinstance(each, kind) for each in known):
            return name
    return "varchar"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
