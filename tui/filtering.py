"""What a person types behind `/`: words that a line must have, and `field:value` for one of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Filter:
    """Words and narrowed fields; a `-` in front of either says that a line must not have it."""

    words: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    without: tuple[str, ...] = ()
    without_fields: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        """Tell whether it narrows anything."""
        return bool(self.words or self.fields or self.without or self.without_fields)

    def fits(self, whole: str, fields: Fields) -> bool:
        """Tell whether a line with this text and these fields is one of them; both are in small letters."""
        return (
            all(each in whole for each in self.words)
            and not any(each in whole for each in self.without)
            and all(value in fields.get(name, "") for name, value in self.fields)
            and not any(value in fields.get(name, "") for name, value in self.without_fields)
        )


def parsed(text: str, fields: Sequence[str]) -> Filter:
    """Return what was typed; a name before a colon that is no field is part of a word."""
    found: dict[tuple[bool, bool], list[Any]] = {}
    for word in text.lower().split():
        plain = word.removeprefix("-")
        name, colon, value = plain.partition(":")
        narrowed = bool(colon) and name in fields
        if plain and (value or not narrowed):
            found.setdefault((word != plain, narrowed), []).append((name, value) if narrowed else plain)
    return Filter(
        tuple(found.get((False, False), ())),
        tuple(found.get((False, True), ())),
        tuple(found.get((True, False), ())),
        tuple(found.get((True, True), ())),
    )


@dataclass(slots=True)
class Sieve(Generic[T]):
    """Filters rows, and remembers of each what it says and whether it fits, as long as the row is the same."""

    _known: dict[str, tuple[T, str, Fields]] = field(default_factory=dict)
    _fits: dict[str, tuple[T, bool]] = field(default_factory=dict)
    _wanted: Filter = field(default_factory=Filter)
    _last: tuple[Sequence[T], Sequence[T]] = ((), ())

    def kept(self, rows: Sequence[T], wanted: Filter, name: Any, fields: Any) -> Sequence[T]:
        """Return the rows that fit, in their order: all of them, and the very list, where nothing is asked for."""
        if not wanted:
            return rows
        if wanted != self._wanted:
            self._wanted, self._last = wanted, ((), ())
            self._fits.clear()
        if rows is not self._last[0]:
            self._last = rows, [row for row in rows if self._fit(row, name(row), fields)]
        return self._last[1]

    def _fit(self, row: T, name: str, fields: Any) -> bool:
        before = self._fits.get(name)
        if before is None or before[0] is not row:
            before = self._fits[name] = row, self._wanted.fits(*self._text(row, name, fields))
        return before[1]

    def _text(self, row: T, name: str, fields: Any) -> tuple[str, Fields]:
        before = self._known.get(name)
        if before is None or before[0] is not row:
            said = {key: str(value).lower() for key, value in fields(row).items()}
            before = self._known[name] = (row, " ".join(said.values()), said)
        return before[1], before[2]
