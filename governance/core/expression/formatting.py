"""'text %s and %.2f'.format([…]), as CEL's extension "strings" has it.

Source: https://pkg.go.dev/github.com/google/cel-go/ext#Strings
"""

from __future__ import annotations

import math
import re
from typing import Any

from governance.core.expression.functions import string
from governance.core.expression.meter import Meter
from governance.core.expression.values import NUMBERS, OperationError, Type, Uint, a_kind, kind

_CLAUSE = re.compile(r"%(?:(%)|(?:\.([0-9]{1,9}))?([a-zA-Z])|(.?))", re.DOTALL)
_MOST_DIGITS = 100


def formatted(meter: Meter, text: str, values: list[Any]) -> str:
    """Return the text with one value in place of each clause: %s %d %f %e %b %o %x %X, %% for a per cent sign."""
    pieces: list[str] = []
    end = used = 0
    for found in _CLAUSE.finditer(text):
        pieces.append(text[end : found.start()])
        end = found.end()
        if found[1]:
            pieces.append("%")
            continue
        if found[3] is None or found[3] not in _CLAUSES:
            raise OperationError(f"format() knows no '{found[0]}', write %s")
        if used >= len(values):
            raise OperationError(f"format() has fewer values than the text has clauses ({len(values)})")
        pieces.append(_clause(meter, found[3], values[used], found[2]))
        meter.build(len(pieces[-1]))
        used += 1
    return "".join([*pieces, text[end:]])


def _clause(meter: Meter, letter: str, value: Any, precision: str | None) -> str:
    digits = 6 if precision is None else int(precision)
    if digits > _MOST_DIGITS:
        raise OperationError(f"format() writes at most {_MOST_DIGITS} digits")
    if letter == "s":
        return _shown(meter, value)
    if kind(value) == "double" and not math.isfinite(value) and letter in "def":
        return _unbounded(value)
    if kind(value) not in _CLAUSES[letter]:
        raise OperationError(f"format() cannot write {a_kind(kind(value))} as %{letter}")
    if letter in "fe":
        return f"{value:.{digits}{letter}}"
    if letter in "xX" and isinstance(value, (str, bytes)):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if letter == "X" else text
    return f"{int(value):{letter}}"


def _unbounded(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


_WHOLE = frozenset({"int", "uint"})
_CLAUSES: dict[str, frozenset[str]] = {
    "s": frozenset(),
    "d": _WHOLE,
    "b": _WHOLE | {"bool"},
    "o": _WHOLE,
    "x": _WHOLE | {"string", "bytes"},
    "X": _WHOLE | {"string", "bytes"},
    "f": frozenset(NUMBERS),
    "e": frozenset(NUMBERS),
}


def _shown(meter: Meter, value: Any) -> str:
    meter.visit(1)  # a list within lists may be the same one many times over
    if value is None:
        return "null"
    if isinstance(value, Type):
        return value.name
    if kind(value) == "double" and not math.isfinite(value):
        return _unbounded(value)
    if isinstance(value, list):
        return f"[{', '.join(_shown(meter, each) for each in value)}]"
    if isinstance(value, dict):
        entries = sorted((_shown(meter, key), _shown(meter, each)) for key, each in value.items())
        return "{" + ", ".join(f"{key}: {each}" for key, each in entries) + "}"
    return string(int(value) if isinstance(value, Uint) else value)
