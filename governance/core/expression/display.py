"""Values as people read them in a message."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from governance.core.duration import format_duration, in_words

_DIGITS = 3  # significant
_SMALLEST, _LARGEST = 1e-6, 1e15  # beyond these a power of ten reads better
_DAY = timedelta(days=1)
_LONG = timedelta(days=60)
"""From here on what was measured, and so is no whole number of days, is said in years and months."""
_STEPS = (  # a duration is shown to about two units: nobody reads the milliseconds of an hour
    (timedelta(days=2), timedelta(hours=1)),
    (timedelta(hours=1), timedelta(minutes=1)),
    (timedelta(minutes=1), timedelta(seconds=1)),
)


def displayed(value: object) -> str:
    """Return a value as text: numbers to 3 significant digits, 1,234 with its comma, durations as 2h."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, timedelta):
        return in_words(value) if value >= _LONG and value % _DAY else format_duration(_rounded(value))
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if isinstance(value, list):
        return ", ".join(map(displayed, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{displayed(key)}: {displayed(each)}" for key, each in value.items()) or "none"
    return "none" if value is None else str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    size = abs(value)
    if size >= _LARGEST or 0 < size < _SMALLEST:
        return f"{value:.{_DIGITS - 1}e}"
    digits = 0 if size == 0 else _DIGITS - 1 - math.floor(math.log10(size))
    if digits <= 0:
        return f"{value:,.0f}"
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def _rounded(value: timedelta) -> timedelta:
    step = next((step for least, step in _STEPS if abs(value) >= least), timedelta(milliseconds=1))
    return round(value / step) * step
