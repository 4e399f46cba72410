"""Durations as Prometheus writes them: 30m, 1h30m, 7d, 500ms.

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_MILLISECONDS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_STRICT = re.compile("".join(f"(?:([0-9]+){unit}(?![a-z]))?" for unit in _MILLISECONDS))
_LOOSE = re.compile(r"(?:[0-9]+(?:y|w|d|h|ms|m|s))+")
_LONGEST = 40  # characters; longer text is never an honest duration


def parse_duration(text: str) -> timedelta:
    """Return what a duration such as 30m, 1h30m or 7d stands for; a year has 365 days.

    :raises ValueError: the text is no such duration; the message says how to write one
    """
    if text == "0":
        return timedelta(0)
    found = _STRICT.fullmatch(text) if 0 < len(text) <= _LONGEST else None
    if found is None:
        raise ValueError(_hint(text))
    total = sum(int(count) * size for count, size in zip(found.groups(), _MILLISECONDS.values(), strict=True) if count)
    try:
        return timedelta(milliseconds=total)
    except OverflowError:
        raise ValueError(f"the duration {text!r} is too long") from None


def format_duration(duration: timedelta) -> str:
    """Return the shortest usual text, to the millisecond: 2h, 1h30m, 7d, 2w; a negative one has a leading minus."""
    total = round(duration / timedelta(milliseconds=1))
    if total < 0:
        return "-" + format_duration(-duration)
    parts = []
    for unit, size in _MILLISECONDS.items():
        if _whole(unit, total, size):
            count, total = divmod(total, size)
            parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


_WORDS = (
    ("y", timedelta(days=365)),
    ("months", timedelta(days=365) / 12),
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def in_words(span: timedelta) -> str:
    """Return how long something took or is ago as people say it, in its two largest units: 13 y 9 months, 4 m 29 s.

    It is cut, not rounded, and so never says more than has passed; a year has 365 days, a month a twelfth of them. What
    is exact is written by `format_duration`.
    """
    left = max(span, timedelta(0))
    first = next((index for index, (_, size) in enumerate(_WORDS) if left >= size), len(_WORDS) - 1)
    parts = []
    for unit, size in _WORDS[first : first + 2]:
        count, left = divmod(left, size)
        parts += [f"{count} {'month' if unit == 'months' and count == 1 else unit}"] if count else []
    return " ".join(parts) or "0 s"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago something was, as people say it: 2 h 7 m ago; within the last second it was just now."""
    past = now - then
    return "just now" if past < timedelta(seconds=1) else f"{in_words(past)} ago"


def _whole(unit: str, total: int, size: int) -> bool:
    """Tell whether a unit is used: nobody reads 12w6d, so years and weeks stand alone; 7d is the usual word for 1w."""
    if unit == "y":
        return total % size == 0
    if unit == "w":
        return total % size == 0 and total > size
    return True


def _hint(text: str) -> str:
    shown = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    must = f"must be a duration such as 30m, 1h30m or 7d, not '{shown}'"
    if re.fullmatch(r"[0-9]+", shown):
        return f"{must}: add a unit, for example {shown}s"
    if _LOOSE.fullmatch(shown):
        return f"{must}: each unit once, the largest first"
    if re.fullmatch(r"[0-9]*\.[0-9]+[a-z]+", shown):
        return f"{must}: whole numbers only, 1h30m instead of 1.5h"
    return must
