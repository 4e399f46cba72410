"""Values as plain JSON: what a run freezes, asks for and is given is stored, logged and sent in this form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from governance.core.duration import format_duration


def plain(value: object) -> object:
    """Return a value as JSON can hold it: durations and times as authors write them, anything unknown as its text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return plain_object(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    return str(value)


def plain_object(value: Mapping[str, object]) -> dict[str, object]:
    """Return a mapping with plain values."""
    return {str(name): plain(each) for name, each in value.items()}
