"""From the rows of a query to samples: `value`, perhaps `time` and `count`, and labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from governance.core.metric import Labels, Sample
from governance.errors import Unavailable
from governance.sources.sql.line import Table

_OWN = ("value", "time", "count")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The index of each column of ours, and those of the labels by name."""

    own: Mapping[str, int]
    labels: Mapping[str, int]


def samples(table: Table, *, end: datetime, most: int) -> tuple[Sample, ...]:
    """Return a sample per row; without a `time` it speaks for the `end` of the window.

    :raises Unavailable: there are more than `most` rows, no value column, or a cell that is not what it must be
    """
    if len(table.rows) > most:
        raise Unavailable(f"more than {most} rows, at most {most} are taken: aggregate, or raise `max_series`")
    columns = _columns(table.columns)
    return tuple(_sample(row, columns, end) for row in table.rows)


def _columns(names: tuple[str, ...]) -> _Columns:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unavailable(f"two columns are named '{twice[0]}': name them apart")
    if len(names) == 1:
        return _Columns({"value": 0}, {})
    own = {name.lower(): index for index, name in enumerate(names) if name.lower() in _OWN}
    if "value" not in own:
        raise Unavailable(f"no column is named 'value', there are {', '.join(names)}: write `… as value`")
    return _Columns(own, {name: index for index, name in enumerate(names) if name.lower() not in _OWN})


def _sample(row: tuple[Any, ...], columns: _Columns, end: datetime) -> Sample:
    labels: Labels = tuple(sorted((name, _label(row[index])) for name, index in columns.labels.items()))
    cells = {name: row[index] for name, index in columns.own.items()}
    unknown = next((name for name in _OWN if name in cells and cells[name] is None), None)
    time = _instant(cells.get("time"), end)
    count = _count(cells.get("count"))
    if unknown is not None:
        detail = "no rows in the window" if unknown == "value" else f"its {unknown} is NULL"
        return Sample(None, time, labels, count, "no_data", detail)
    value = _number(cells["value"])
    if not math.isfinite(value):
        return Sample(None, time, labels, count, "no_data", "NaN" if math.isnan(value) else f"{value:+}")
    return Sample(value, time, labels, count)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unavailable(f"the value {_short(value)} is no number{_remedy(value)}")
    try:
        return float(value)
    except (OverflowError, ValueError):  # beyond a double; a signalling NaN
        return math.nan if isinstance(value, Decimal) and value.is_nan() else math.copysign(math.inf, value)


def _remedy(value: Any) -> str:
    if isinstance(value, bool):
        return ": write avg(case when … then 1.0 else 0.0 end)"
    if isinstance(value, str):
        return ": write cast(… as double precision)"
    return ""


def _instant(value: Any, end: datetime) -> datetime:
    if value is None:
        return end
    try:
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        instant = None
    if isinstance(instant, date) and not isinstance(instant, datetime):
        instant = datetime.combine(instant, time())
    if not isinstance(instant, datetime):
        raise Unavailable(f"the time {_short(value)} is no timestamp such as 2024-03-10 12:00:00, in UTC")
    instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    if instant > end:
        raise Unavailable(f"a row speaks for {instant:%Y-%m-%d %H:%M:%S}, later than {end:%Y-%m-%d %H:%M:%S} UTC")
    return instant


def _count(value: Any) -> int | None:
    if value is None:
        return None
    whole = isinstance(value, int | float | Decimal) and not isinstance(value, bool) and value == value // 1
    if not whole or value < 0:
        raise Unavailable(f"the count {_short(value)} is no number of rows")
    return int(value)


def _label(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _short(value: Any) -> str:
    return repr(value)[:40]
