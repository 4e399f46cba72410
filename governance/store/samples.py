"""The history of metrics: what each question was answered, at which instant, and since when it has been asked."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby, repeat
from operator import attrgetter, itemgetter
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlmodel import Field, SQLModel, UniqueConstraint

from governance.core.metric import Labels, Sample
from governance.core.past import Tally
from governance.store.dialects import insert

T = TypeVar("T")


class SeriesRow(SQLModel, table=True):
    """One label set of one question; `key` is the question's digest."""

    __tablename__ = "sample_series"
    __table_args__ = (UniqueConstraint("key", "labels"),)

    id: int | None = Field(default=None, primary_key=True)
    key: str
    labels: str


class SampleRow(SQLModel, table=True):
    """One sample, found by its series and `time` in seconds since 1970, UTC; one without a value has its reason."""

    __tablename__ = "sample"
    __table_args__ = {"sqlite_with_rowid": False}

    series: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    time: float = Field(primary_key=True)
    value: float | None = None
    count: int | None = None
    reason: str | None = None
    detail: str = ""


class SpanRow(SQLModel, table=True):
    """Since when and until when a question has been asked, in seconds since 1970, UTC."""

    __tablename__ = "sample_span"

    key: str = Field(primary_key=True)
    since: float
    until: float


_SERIES = SeriesRow.__table__  # type: ignore[attr-defined]
_SAMPLE = SampleRow.__table__  # type: ignore[attr-defined]
_SPAN = SpanRow.__table__  # type: ignore[attr-defined]
_CHUNK = 10_000  # values in one list; SQLite takes at most 32,766
_NEW_SPAN = insert(_SPAN)
_UPSERT_SPAN = _NEW_SPAN.on_conflict_do_update(
    index_elements=["key"], set_={"since": _NEW_SPAN.excluded.since, "until": _NEW_SPAN.excluded.until}
)
# Hundreds of thousands of rows go to the driver as they are: SQLAlchemy would take longer than the database.
_UPSERT = """
    INSERT INTO sample (series, time, value, count, reason, detail) VALUES ({marks})
    ON CONFLICT (series, time) DO UPDATE
    SET value = excluded.value, count = excluded.count, reason = excluded.reason, detail = excluded.detail
"""
_BETWEEN = """
    SELECT series, time, value, count, reason, detail FROM sample
    WHERE series IN ({marks}) AND time > {mark} AND time <= {mark} ORDER BY series, time
"""
_TALLY = """
    SELECT count(value), sum(CASE WHEN value = 0 THEN 1 ELSE 0 END), max(time) FROM sample
    WHERE series IN ({marks}) AND value IS NOT NULL AND time > {mark} AND time < {mark}
"""


def record(connection: Connection, answers: Mapping[str, Sequence[Sample]]) -> None:
    """Write the samples of each question; a later answer for the same time replaces the earlier, as labels come late.

    100,000 samples take about half a second: give it a part at a time where others wait for the transaction.
    """
    wanted = {(key, labels): None for key, samples in answers.items() for labels in {each.labels for each in samples}}
    known = _numbers(connection, answers)
    new = [{"key": key, "labels": _written(labels)} for key, labels in wanted if (key, labels) not in known]
    if new:
        connection.execute(insert(_SERIES), new)
        known = _numbers(connection, answers)
    rows = [_row(known[key, each.labels], each) for key, samples in answers.items() for each in samples]
    if rows:
        connection.exec_driver_sql(_marked(connection, _UPSERT, 6), rows)


def between(connection: Connection, keys: Collection[str], start: datetime, end: datetime) -> dict[str, list[Sample]]:
    """Return the samples with start < time ≤ end of each question that has any, ordered by time, then by labels."""
    series = {number: pair for pair, number in _numbers(connection, keys).items()}
    found: dict[str, list[list[Sample]]] = defaultdict(list)
    instants = _Instants()
    for chunk in _chunks(series):
        statement = _marked(connection, _BETWEEN, len(chunk))
        with closing(connection.exec_driver_sql(statement, (*chunk, start.timestamp(), end.timestamp()))) as result:
            cursor: Any = result.cursor
            for number, rows in groupby(cursor, itemgetter(0)):
                key, labels = series[number]
                found[key].append(_samples(rows, labels, instants))
    return {key: _merged(runs) for key, runs in found.items()}


def tallies(connection: Connection, windows: Mapping[str, tuple[datetime, datetime]]) -> dict[str, Tally]:
    """Return, for each question, how many of its samples with start < time < end have a value, and how many are 0."""
    numbers: dict[str, list[int]] = defaultdict(list)
    for (key, _), number in _numbers(connection, windows).items():
        numbers[key].append(number)
    found: dict[str, Tally] = {}
    for key, series in numbers.items():
        start, end = windows[key]
        statement = _marked(connection, _TALLY, len(series))
        row = connection.exec_driver_sql(statement, (*series, start.timestamp(), end.timestamp())).one()
        newest = datetime.fromtimestamp(row[2], UTC) if row[2] is not None else None
        found[key] = Tally(row[0], row[1] or 0, newest)
    return found


def seen(connection: Connection, keys: Collection[str]) -> dict[str, dict[Labels, tuple[datetime, datetime]]]:
    """Return, for each question and label set, the times of the oldest and the newest sample that has a value."""
    found: dict[str, dict[Labels, tuple[datetime, datetime]]] = defaultdict(dict)
    joined = _SERIES.join(_SAMPLE, _SERIES.c.id == _SAMPLE.c.series)
    columns = (_SERIES.c.key, _SERIES.c.labels, func.min(_SAMPLE.c.time), func.max(_SAMPLE.c.time))
    for chunk in _chunks(keys):
        statement = select(*columns).select_from(joined).where(_SERIES.c.key.in_(chunk), _SAMPLE.c.value.is_not(None))
        for key, labels, first, last in connection.execute(statement.group_by(_SERIES.c.key, _SERIES.c.labels)):
            found[key][_read(labels)] = (_instant(first), _instant(last))
    return found


def spans(connection: Connection, keys: Collection[str]) -> dict[str, tuple[datetime, datetime]]:
    """Return since when and until when each question has been asked; one that never was is left out."""
    return {
        key: (_instant(since), _instant(until))
        for chunk in _chunks(keys)
        for key, since, until in connection.execute(select(_SPAN).where(_SPAN.c.key.in_(chunk)))
    }


def set_spans(connection: Connection, spans: Mapping[str, tuple[datetime, datetime]]) -> None:
    """Write since when and until when questions have been asked, in place of what was known of them."""
    if spans:
        rows = [
            {"key": key, "since": since.timestamp(), "until": until.timestamp()}
            for key, (since, until) in spans.items()
        ]
        connection.execute(_UPSERT_SPAN, rows)


def begin_spans(connection: Connection, at: datetime) -> None:
    """Let every question be asked since `at`, as the clock was set: what its past lacks before that was not lost."""
    connection.execute(update(_SPAN).values(since=at.timestamp(), until=at.timestamp()))


def forget(connection: Connection, key_limits: Mapping[str, datetime], default_before: datetime, limit: int) -> int:
    """Delete samples older than their question's instant, `default_before` for those that the mapping does not name.

    Spans begin no earlier afterwards, and series and spans of which nothing is left go. At most `limit` samples and
    spans are touched: return how many were; fewer than `limit` means that all is done.
    """
    before = {key: instant.timestamp() for key, instant in key_limits.items()}
    otherwise = default_before.timestamp()
    count = _forget_samples(connection, before, otherwise, limit)
    return count + _shorten_spans(connection, before, otherwise, limit - count)


def _forget_samples(connection: Connection, before: Mapping[str, float], otherwise: float, limit: int) -> int:
    oldest = select(func.min(_SAMPLE.c.time)).where(_SAMPLE.c.series == _SERIES.c.id).scalar_subquery()
    aged: dict[float, list[int]] = defaultdict(list)
    empty: set[int] = set()
    for number, key, time in connection.execute(select(_SERIES.c.id, _SERIES.c.key, oldest)):
        instant = before.get(key, otherwise)
        if time is None:
            empty.add(number)
        elif time < instant:
            aged[instant].append(number)
    old: list[dict[str, float]] = []
    for instant, numbers in aged.items():
        for chunk in _chunks(numbers):
            statement = select(_SAMPLE.c.series, _SAMPLE.c.time).where(_SAMPLE.c.series.in_(chunk))
            rows = connection.execute(statement.where(_SAMPLE.c.time < instant).limit(limit - len(old)))
            old += [{"old_series": series, "old_time": time} for series, time in rows]
    if old:
        one = (_SAMPLE.c.series == bindparam("old_series"), _SAMPLE.c.time == bindparam("old_time"))
        connection.execute(delete(_SAMPLE).where(*one), old)
    left = select(_SAMPLE.c.series).where(_SAMPLE.c.series == _SERIES.c.id).exists()
    for chunk in _chunks(empty.union(int(each["old_series"]) for each in old)):
        connection.execute(delete(_SERIES).where(_SERIES.c.id.in_(chunk), ~left))
    return len(old)


def _shorten_spans(connection: Connection, before: Mapping[str, float], otherwise: float, limit: int) -> int:
    latest = max([otherwise, *before.values()])
    rows = connection.execute(select(_SPAN).where(_SPAN.c.since < latest))
    aged = [
        (key, until, before.get(key, otherwise)) for key, since, until in rows if since < before.get(key, otherwise)
    ]
    aged = aged[: max(limit, 0)]
    gone = [key for key, until, instant in aged if until <= instant]
    for chunk in _chunks(gone):
        connection.execute(delete(_SPAN).where(_SPAN.c.key.in_(chunk)))
    kept = [{"old_key": key, "since": instant} for key, until, instant in aged if until > instant]
    if kept:
        connection.execute(update(_SPAN).where(_SPAN.c.key == bindparam("old_key")), kept)
    return len(aged)


def _numbers(connection: Connection, keys: Iterable[str]) -> dict[tuple[str, Labels], int]:
    """Return the number of every known series of the questions."""
    return {
        (key, _read(labels)): number
        for chunk in _chunks(keys)
        for number, key, labels in connection.execute(select(_SERIES).where(_SERIES.c.key.in_(chunk)))
    }


@lru_cache(100_000)
def _read(text: str) -> Labels:
    return tuple((name, value) for name, value in json.loads(text))


@lru_cache(100_000)
def _written(labels: Labels) -> str:
    return json.dumps(labels)


def _row(series: int, sample: Sample) -> tuple[object, ...]:
    value, reason, detail = sample.value, sample.reason, sample.detail
    if value is not None and math.isnan(value):  # the database would keep it as a missing value without a reason
        value, reason, detail = None, reason or "no_data", detail or "not a number"
    return series, sample.time.timestamp(), value, sample.count, reason, detail


class _Instants(dict[float, datetime]):
    """Each instant made once: many series share their times."""

    def __missing__(self, seconds: float) -> datetime:
        at = self[seconds] = _instant(seconds)
        return at


def _samples(rows: Iterable[tuple[Any, ...]], labels: Labels, instants: _Instants) -> list[Sample]:
    _, times, values, counts, reasons, details = zip(*rows, strict=True)
    ats = map(instants.__getitem__, times)
    return list(map(Sample, values, ats, repeat(labels), counts, reasons, details))


def _merged(runs: list[list[Sample]]) -> list[Sample]:
    """Merge the series of one question, each in the order of its times; sorting is stable and finds such runs fast."""
    runs.sort(key=lambda run: run[0].labels)
    return sorted((sample for run in runs for sample in run), key=attrgetter("time"))


def _marked(connection: Connection, statement: str, count: int) -> str:
    """Return a statement with the places of its values as the driver marks them."""
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    return statement.format(marks=",".join([mark] * count), mark=mark)


def _chunks(values: Iterable[T]) -> Iterator[list[T]]:
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
