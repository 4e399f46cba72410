"""CEL's accessors of timestamps and durations: getHours(), getDayOfWeek('Europe/Berlin') and their like."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from governance.core.expression.values import OperationError, a_kind, kind, short

_OFFSET = re.compile(r"([-+]?)([0-9]{1,2}):([0-9]{2})")


def _zone(name: str) -> tzinfo:
    found = _OFFSET.fullmatch(name)
    try:
        if found:
            offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
            return timezone(-offset if found[1] == "-" else offset)
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise OperationError(f"no time zone '{short(name)}'") from None


def _accessor(name: str, of_instant: Callable[[datetime], int], of_length: Callable[[timedelta], int] | None) -> Any:
    def apply(value: Any, zone: Any = "UTC") -> int:
        if isinstance(value, datetime) and isinstance(zone, str):
            return of_instant(value.astimezone(UTC if zone == "UTC" else _zone(zone)))
        if isinstance(value, timedelta) and of_length is not None:
            return of_length(value)
        raise OperationError(f"{name}() does not take {a_kind(kind(value))}")

    return apply


def _truncated(value: timedelta, unit: timedelta) -> int:
    return -(-value // unit) if value < timedelta(0) else value // unit


_MILLISECOND = timedelta(milliseconds=1)
_INSTANT: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDate": lambda at: at.day,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
    "getMilliseconds": lambda at: at.microsecond // 1000,
}
_LENGTH: dict[str, Callable[[timedelta], int]] = {
    "getHours": lambda length: _truncated(length, timedelta(hours=1)),
    "getMinutes": lambda length: _truncated(length, timedelta(minutes=1)),
    "getSeconds": lambda length: _truncated(length, timedelta(seconds=1)),
    "getMilliseconds": lambda length: _truncated(length, _MILLISECOND) % 1000,
}

CLOCK: dict[str, Callable[..., object]] = {
    name: _accessor(name, of_instant, _LENGTH.get(name)) for name, of_instant in _INSTANT.items()
}
"""Accessors by name; days and months count from 0 except for getDate, as CEL has it."""
