"""Samples that were posted to us, each as often as it was: what was known at an instant can always be told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select
from sqlmodel import Field, SQLModel

from governance.core.metric import Labels, Sample
from governance.store.dialects import insert


@dataclass(frozen=True, slots=True)
class PushedSample:
    """One sample as it was posted; a `value` of None says that there was nothing to measure."""

    model: str
    metric: str
    time: datetime
    value: float | None
    labels: Labels = ()
    count: int | None = None


class PushedRow(SQLModel, table=True):
    """One pushed sample; a correction is a row of its own. Times are in seconds since 1970, UTC."""

    __tablename__ = "pushed_sample"
    __table_args__ = {"sqlite_with_rowid": False}

    source: str = Field(primary_key=True)
    model: str = Field(primary_key=True)
    metric: str = Field(primary_key=True)
    time: float = Field(primary_key=True, index=True)
    labels: str = Field(primary_key=True)
    received_at: float = Field(primary_key=True)
    value: float | None = None
    count: int | None = None
    actor: str


class PushedKeyRow(SQLModel, table=True):
    """An idempotency key, the digest of what was pushed under it, and how many samples that stored."""

    __tablename__ = "pushed_key"

    key: str = Field(primary_key=True)
    digest: str
    stored: int
    received_at: float = Field(index=True)


_TABLE = PushedRow.__table__  # type: ignore[attr-defined]
_KEYS = PushedKeyRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_NEW = insert(_TABLE)
_UPSERT = _NEW.on_conflict_do_update(  # two pushes of the same instant: the later one counts
    index_elements=[column.name for column in _TABLE.primary_key],
    set_={name: getattr(_NEW.excluded, name) for name in ("value", "count", "actor")},
)


def add(connection: Connection, source: str, samples: Sequence[PushedSample], *, actor: str, at: datetime) -> None:
    """Write what was pushed to a source at an instant in one bulk statement."""
    if samples:
        known = {"source": source, "received_at": at.timestamp(), "actor": actor}
        connection.execute(_UPSERT, [{**known, **_row(each)} for each in samples])


def between(
    connection: Connection, source: str, model: str, metric: str, *, start: datetime, end: datetime, known_by: datetime
) -> list[Sample]:
    """Return the samples with start < time ≤ end that had arrived by `known_by`, as last corrected, ordered by time."""
    statement = (
        select(_C.labels, _C.time, _C.value, _C.count.label("rows"))
        .where(_C.source == source, _C.model == model, _C.metric == metric)
        .where(_C.time > start.timestamp(), _C.time <= end.timestamp(), _C.received_at <= known_by.timestamp())
        .order_by(_C.time, _C.labels, _C.received_at)
    )
    last = {(row.time, row.labels): row for row in connection.execute(statement)}
    return [_sample(row) for row in last.values()]


def seen(
    connection: Connection, source: str, model: str, metrics: Sequence[str]
) -> dict[Labels, tuple[datetime, datetime]]:
    """Return, for each label set of these metrics of a model, the times of its oldest and newest value."""
    statement = (
        select(_C.labels, func.min(_C.time), func.max(_C.time))
        .where(_C.source == source, _C.model == model, _C.metric.in_(metrics), _C.value.is_not(None))
        .group_by(_C.labels)
    )
    return {
        tuple((name, value) for name, value in json.loads(labels)): (
            datetime.fromtimestamp(first, UTC),
            datetime.fromtimestamp(last, UTC),
        )
        for labels, first, last in connection.execute(statement)
    }


def first_use(connection: Connection, key: str, since: datetime) -> tuple[str, int] | None:
    """Return the digest of what was pushed under a key since an instant, and how many samples; None if unused."""
    statement = select(_KEYS.c.digest, _KEYS.c.stored).where(_KEYS.c.key == key)
    row = connection.execute(statement.where(_KEYS.c.received_at >= since.timestamp())).first()
    return None if row is None else (row.digest, row.stored)


def keep_key(connection: Connection, key: str, digest: str, stored: int, at: datetime) -> None:
    """Write what was pushed under an idempotency key."""
    row = {"key": key, "digest": digest, "stored": stored, "received_at": at.timestamp()}
    connection.execute(insert(_KEYS), [row])


def forget_keys(connection: Connection, before: datetime) -> None:
    """Delete the idempotency keys that were used before an instant."""
    connection.execute(delete(_KEYS).where(_KEYS.c.received_at < before.timestamp()))


def forget(connection: Connection, source: str, before: datetime, limit: int) -> int:
    """Delete at most `limit` samples of a source that speak for a time before an instant; return how many."""
    statement = select(*_TABLE.primary_key).where(_C.source == source, _C.time < before.timestamp()).limit(limit)
    rows = [{f"old_{name}": value for name, value in row.items()} for row in connection.execute(statement).mappings()]
    if rows:
        same = (column == bindparam(f"old_{column.name}") for column in _TABLE.primary_key)
        connection.execute(delete(_TABLE).where(*same), rows)
    return len(rows)


def _row(sample: PushedSample) -> dict[str, object]:
    return {
        "model": sample.model,
        "metric": sample.metric,
        "time": sample.time.timestamp(),
        "labels": json.dumps(sample.labels),
        "value": sample.value,
        "count": sample.count,
    }


def _sample(row: Row[Any]) -> Sample:
    labels = tuple((name, value) for name, value in json.loads(row.labels))
    at = datetime.fromtimestamp(row.time, UTC)
    if row.value is None:
        return Sample(None, at, labels, row.rows, "no_data", "pushed without a value")
    return Sample(row.value, at, labels, row.rows)
