"""Series in the notation of Prometheus's unit tests: `0.05x3 0.31+0.1x8 _x6 stale`, named `psi{feature="age"}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from governance.core.metric import Labels

Word = Literal["stale", "few", "down", "nan"]
Point = float | Word | None
"""What a series is at one instant: a number, missing (None), too old, of too few rows, unanswered, or no number."""

LONGEST = 100_000
"""Samples of one series; a mistyped factor must not fill the memory."""
_WORDS: dict[str, Word] = {"stale": "stale", "few": "few", "down": "down", "nan": "nan", "NaN": "nan"}
_NUMBER = r"[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[Ii]nf)"
_ITEM = re.compile(rf"({_NUMBER})(?:([+-]{_NUMBER.removeprefix('[+-]?')})?x(\d+))?")
_GAP = re.compile(r"_(?:x(\d+))?")
_NAMED = re.compile(rf"({'|'.join(_WORDS)})(?:x(\d+))?")
_NAME = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_LABEL = re.compile(r'\s*(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')


class NotationError(ValueError):
    """What cannot be read, from `start` on for `length` characters."""

    def __init__(self, message: str, start: int, length: int, suggestion: str = "") -> None:
        """Take the message and where it points."""
        super().__init__(message)
        self.start, self.length, self.suggestion = start, length, suggestion


@dataclass(frozen=True, slots=True)
class Name:
    """The metric that a series is of, and its labels."""

    metric: str
    labels: Labels = ()


def points(text: str) -> tuple[Point, ...]:
    """Expand `a+bxn` and `a-bxn` (n + 1 samples), `axn` (n + 1 times a), `_xn` (n missing), `stale`, `few`, `down`.

    :raises NotationError: at the first item that is none of these
    """
    found: list[Point] = []
    for item in re.finditer(r"\S+", text):
        more = _expanded(item[0], item.start(), LONGEST - len(found))
        found.extend(more)
    return tuple(found)


def _expanded(item: str, start: int, room: int) -> list[Point]:
    if gap := _GAP.fullmatch(item):
        return [None] * _fitting(int(gap[1] or 1), item, start, room)
    if word := _NAMED.fullmatch(item):
        return [_WORDS[word[1]]] * _fitting(int(word[2] or 1), item, start, room)
    if number := _ITEM.fullmatch(item):
        first, step = float(number[1]), float(number[2] or 0)
        count = _fitting(int(number[3] or 0) + 1, item, start, room)
        return [first + step * index if step else first for index in range(count)]
    raise NotationError(f"'{item[:60]}' is no sample", start, len(item), _hint(item))


def _fitting(count: int, item: str, start: int, room: int) -> int:
    if count > room:
        raise NotationError(f"a series has at most {LONGEST:,} samples", start, len(item))
    return count


def _hint(item: str) -> str:
    if item.startswith("{{"):
        return "native histograms are not read; write what your query makes of them"
    return "write a number, 1+2x5, _x3 or stale"


def name(text: str) -> Name:
    """Read `metric{label="value", …}`.

    :raises NotationError: when it is none
    """
    found = _NAME.fullmatch(text)
    if found is None:
        raise NotationError(f"'{text[:60]}' names no series", 0, len(text), 'write metric{label="value"}')
    return Name(found[1], _labels(found[2] or "", found.start(2)))


def _labels(text: str, start: int) -> Labels:
    pairs: dict[str, str] = {}
    at = 0
    while text[at:].strip():
        pair = _LABEL.match(text, at)
        if pair is None:
            raise NotationError('here a label is not written as name="value"', start + at, len(text) - at)
        if pair[1] in pairs:
            raise NotationError(f"the label '{pair[1]}' stands twice", start + pair.start(1), len(pair[1]))
        pairs[pair[1]] = re.sub(r"\\(.)", r"\1", pair[2])
        at = pair.end()
    return tuple(sorted(pairs.items()))


def written(metric: str, labels: Labels) -> str:
    """Return the name of a series as it is written."""
    inner = ", ".join(f'{key}="{value}"' for key, value in labels)
    return f"{metric}{{{inner}}}" if inner else metric
