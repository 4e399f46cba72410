"""Which functions there are, with how many arguments, and what they return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from governance.core.expression.shape import (
    ANY,
    BOOL,
    DOUBLE,
    DURATION,
    INT,
    STRING,
    TIMESTAMP,
    TYPE,
    Shape,
)

AGGREGATES = ("avg", "count", "max", "min", "sum")
VIEWS: Mapping[str, Shape] = {"samples": DOUBLE, "age": DURATION, "series": ANY}
MACROS = ("all", "exists", "exists_one", "filter", "map", "has")


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called: `plain` counts the arguments of f(…), `method` those of x.f(…); None: not so."""

    result: Shape
    plain: tuple[int, ...] | None = None
    method: tuple[int, ...] | None = None


_ONE, _ACCESSOR = (1,), (0, 1)
_ACCESSORS = (
    *("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear"),
    *("getHours", "getMilliseconds", "getMinutes", "getMonth", "getSeconds"),
)
SIGNATURES: Mapping[str, Signature] = {
    "bool": Signature(BOOL, _ONE),
    "bytes": Signature(Shape("bytes"), _ONE),
    "contains": Signature(BOOL, None, _ONE),
    "double": Signature(DOUBLE, _ONE),
    "duration": Signature(DURATION, _ONE),
    "dyn": Signature(ANY, _ONE),
    "endsWith": Signature(BOOL, None, _ONE),
    "int": Signature(INT, _ONE),
    "matches": Signature(BOOL, (2,), _ONE),
    "seconds": Signature(DOUBLE, _ONE),
    "size": Signature(INT, _ONE, (0,)),
    "startsWith": Signature(BOOL, None, _ONE),
    "string": Signature(STRING, _ONE),
    "timestamp": Signature(TIMESTAMP, _ONE),
    "type": Signature(TYPE, _ONE),
    "uint": Signature(Shape("uint"), _ONE),
    **{name: Signature(INT, None, _ACCESSOR) for name in _ACCESSORS},
}
KNOWN = (*SIGNATURES, *AGGREGATES, *VIEWS, *MACROS)


def counted(counts: tuple[int, ...]) -> str:
    """Return "1 argument", "0 or 1 arguments"."""
    return " or ".join(map(str, counts)) + (" argument" if counts == (1,) else " arguments")
