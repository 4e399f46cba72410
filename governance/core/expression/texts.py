"""Functions over texts, as CEL's extension "strings" has them; each pays for what it reads and builds.

Positions count characters of Unicode. Source: https://pkg.go.dev/github.com/google/cel-go/ext#Strings
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from governance.core.expression.formatting import formatted
from governance.core.expression.meter import Meter
from governance.core.expression.values import OperationError, a_kind, kind

_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_SPACE += "\u2028\u2029\u202f\u205f\u3000"  # Unicode's White_Space, which is less than what Python strips
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWERED = str.maketrans(_UPPER, _UPPER.lower())
_RAISED = str.maketrans(_UPPER.lower(), _UPPER)
_QUOTED = str.maketrans(
    {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v", "\\": r"\\", '"': r"\""}
)


def _char_at(text: str, at: int) -> str:
    return text[_within(text, at) : at + 1]


def _within(text: str, at: int) -> int:
    if not 0 <= at <= len(text):
        raise OperationError(f"position {at} lies outside a text of {len(text)} characters")
    return at


def _index_of(text: str, part: str, start: int = 0) -> int:
    if start < 0:
        _within(text, start)
    return text.find(part, start) if part else start


def _last_index_of(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    if not part:
        return start
    if start == len(text):
        raise OperationError(f"position {start} lies outside a text of {len(text)} characters")
    return text.rfind(part, 0, _within(text, start) + len(part))


def _replace(meter: Meter, text: str, old: str, new: str, limit: int = -1) -> str:
    found = text.count(old)
    count = min(found, limit) if limit >= 0 else found
    meter.build(max(0, count * (len(new) - len(old))))  # before it is built
    return text.replace(old, new, limit if limit >= 0 else -1)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator:
        return text.split(separator, limit - 1 if limit > 0 else -1)
    pieces = list(text)
    return pieces if limit < 0 or len(pieces) <= limit else [*pieces[: limit - 1], text[limit - 1 :]]


def _substring(text: str, start: int, end: int | None = None) -> str:
    last = len(text) if end is None else _within(text, end)
    if _within(text, start) > last:
        raise OperationError(f"a part of a text cannot begin at {start} and end at {last}")
    return text[start:last]


def _join(meter: Meter, items: list[Any], separator: str = "") -> str:
    for each in items:
        if not isinstance(each, str):
            raise OperationError(f"join() takes a list of texts, not {a_kind(kind(each))}")
    meter.build(sum(map(len, items)) + len(separator) * len(items))
    return separator.join(items)


def _quote(text: str) -> str:
    return f'"{text.translate(_QUOTED)}"'


def _checked(name: str, function: Callable[..., object], *kinds: str, pays: bool = False) -> Callable[..., object]:
    """Return a function that takes a meter and values of these kinds, of which the last may be left out."""

    def apply(meter: Meter, *values: Any) -> object:
        for value, expected in zip(values, kinds, strict=False):
            if kind(value) != expected:
                raise OperationError(f"{name}() needs {a_kind(expected)}, not {a_kind(kind(value))}")
        if len(values) > len(kinds):
            raise OperationError(f"{name}() takes fewer values")
        meter.read(*values)
        return meter.built(function(meter, *values) if pays else function(*values))

    return apply


_TEXT, _NUMBER = "string", "int"
TEXTS: dict[str, Callable[..., object]] = {
    name: _checked(name, function, *kinds, pays=function in (_replace, _join, formatted))
    for name, function, *kinds in (
        ("charAt", _char_at, _TEXT, _NUMBER),
        ("contains", lambda text, part: part in text, _TEXT, _TEXT),
        ("format", formatted, _TEXT, "list"),
        ("indexOf", _index_of, _TEXT, _TEXT, _NUMBER),
        ("join", _join, "list", _TEXT),
        ("lastIndexOf", _last_index_of, _TEXT, _TEXT, _NUMBER),
        ("lowerAscii", lambda text: text.translate(_LOWERED), _TEXT),
        ("replace", _replace, _TEXT, _TEXT, _TEXT, _NUMBER),
        ("reverse", lambda text: text[::-1], _TEXT),
        ("split", _split, _TEXT, _TEXT, _NUMBER),
        ("strings.quote", _quote, _TEXT),
        ("substring", _substring, _TEXT, _NUMBER, _NUMBER),
        ("trim", lambda text: text.strip(_SPACE), _TEXT),
        ("upperAscii", lambda text: text.translate(_RAISED), _TEXT),
    )
}
"""Functions by name; each takes the meter of the evaluation first."""
