"""Which functions there are, with how many arguments, and what they return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from governance.core.expression.reference import Stretch
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
STRETCHES: tuple[Stretch, ...] = get_args(Stretch)
BUDGETS: Mapping[str, Shape] = {"burn_rate": DOUBLE, "budget_left": DOUBLE, "time_to_exhaustion": DURATION}
EXPANDED = (*AGGREGATES, *VIEWS, *STRETCHES, *BUDGETS)
"""Functions that no evaluation calls: a reference takes their place when the expression is loaded."""
_WINDOW = ", '7d'"
MACROS = (
    *("all", "exists", "exists_one", "existsOne", "filter", "map", "has"),
    *("transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap"),
)


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
    "charAt": Signature(STRING, None, _ONE),
    "format": Signature(STRING, None, _ONE),
    "indexOf": Signature(INT, None, (1, 2)),
    "join": Signature(STRING, None, (0, 1)),
    "lastIndexOf": Signature(INT, None, (1, 2)),
    **dict.fromkeys(("lowerAscii", "reverse", "trim", "upperAscii"), Signature(STRING, None, (0,))),
    "replace": Signature(STRING, None, (2, 3)),
    "split": Signature(Shape.list(STRING), None, (1, 2)),
    "strings.quote": Signature(STRING, _ONE),
    "substring": Signature(STRING, None, (1, 2)),
    **{f"math.{name}": Signature(DOUBLE, _ONE) for name in ("ceil", "floor", "round", "sqrt", "trunc")},
    **{f"math.{name}": Signature(BOOL, _ONE) for name in ("isFinite", "isInf", "isNaN")},
    **{f"math.{name}": Signature(ANY, _ONE) for name in ("abs", "bitNot", "sign")},
    **{f"math.{name}": Signature(ANY, (2,)) for name in ("bitAnd", "bitOr", "bitXor", "bitShiftLeft", "bitShiftRight")},
    **{f"math.{name}": Signature(ANY, tuple(range(1, 21))) for name in ("greatest", "least")},
    "base64.decode": Signature(Shape("bytes"), _ONE),
    "base64.encode": Signature(STRING, _ONE),
    "optional.none": Signature(ANY, (0,)),
    "optional.of": Signature(ANY, _ONE),
    "optional.ofNonZeroValue": Signature(ANY, _ONE),
    "hasValue": Signature(BOOL, None, (0,)),
    "or": Signature(ANY, None, _ONE),
    "orValue": Signature(ANY, None, _ONE),
    "value": Signature(ANY, None, (0,)),
}
KNOWN = (*SIGNATURES, *EXPANDED, *MACROS)


def example(function: str) -> str:
    """Return how a function over a metric or an SLO is written."""
    if function in BUDGETS:
        return f"{function}(slos.<name>{_WINDOW if function == 'burn_rate' else ''})"
    quantile = "0.95, " if function == "quantile_over_time" else ""
    return f"{function}({quantile}metrics.<name>{_WINDOW if function in STRETCHES else ''})"


def counted(counts: tuple[int, ...]) -> str:
    """Return "1 argument", "0 or 1 arguments"."""
    return " or ".join(map(str, counts)) + (" argument" if counts == (1,) else " arguments")
