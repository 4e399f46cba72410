"""Guess when predictions are due and how long the truth takes, from the hours of a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LADDER = (_HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 7 * _DAY, 14 * _DAY, 30 * _DAY)
_DELAYS = (
    _HOUR, 2 * _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 3 * _DAY, 5 * _DAY, 7 * _DAY, 8 * _DAY,
    10 * _DAY, 14 * _DAY, 21 * _DAY, 30 * _DAY, 45 * _DAY, 60 * _DAY, 90 * _DAY, 120 * _DAY, 180 * _DAY, 365 * _DAY,
)  # fmt: skip
"""No further apart than by a half or so: quality is judged only once the delay has passed."""
_SEEN_DAYS = 3
_QUIET = 3


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often predictions come and at which hours of UTC; `why` says what it was guessed from."""

    every: timedelta
    hours: str | None
    why: str


def rhythm(hours: Sequence[tuple[datetime, int]]) -> Rhythm:
    """Return the rhythm of the full hours that hold rows, in order."""
    starts = [at for at, _ in hours]
    gaps = sorted(later - before for before, later in pairwise(starts))
    if not gaps:
        return Rhythm(_DAY, None, "all rows are of one hour")
    days = (starts[-1] - starts[0]) / _DAY
    if days >= _SEEN_DAYS and (night := _night(starts)):
        opening, closing = night
        inside = [gap for gap in gaps if gap < timedelta(hours=24 - _open(opening, closing) + 1)]
        every = _next(_LADDER, _most(inside)) if inside else _DAY
        return Rhythm(min(every, _DAY), f"{opening:02}:00-{closing:02}:00", "no rows at other hours of UTC")
    every = _next(_LADDER, _most(gaps))
    return Rhythm(every, None, "nearly no longer gap between rows")


def truth(ninety: timedelta, nearly_all: timedelta) -> tuple[timedelta, timedelta]:
    """Return after how long most of the truth is there, and after how long all of it, in round durations."""
    delay = _next(_DELAYS, ninety)
    return delay, max(_next(_DELAYS, nearly_all), _next(_DELAYS, delay + _HOUR))


def _night(starts: Sequence[datetime]) -> tuple[int, int] | None:
    """Return when the hours of a day open and close, where at least three in a row never hold a row."""
    seen = Counter(at.hour for at in starts)
    best, length = 0, 0
    for begin in range(24):
        run = 0
        while run < 24 and not seen[(begin + run) % 24]:
            run += 1
        if run > length:
            best, length = begin, run
    if not _QUIET <= length < 20:
        return None
    closing, opening = best, (best + length) % 24
    return opening, closing or 24


def _open(opening: int, closing: int) -> int:
    return (closing - opening) % 24 or 24


def _most(gaps: Sequence[timedelta]) -> timedelta:
    """Return a gap than which one in a hundred is longer."""
    return gaps[max(-(-len(gaps) * 99 // 100) - 1, 0)]


def _next(ladder: Sequence[timedelta], least: timedelta) -> timedelta:
    return next((each for each in ladder if each >= least), ladder[-1])
