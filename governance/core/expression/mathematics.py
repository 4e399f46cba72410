"""math.greatest(…), math.round(…) and their like, as CEL's extension "math" has them.

Source: https://pkg.go.dev/github.com/google/cel-go/ext#Math
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from governance.core.expression.operators import in_range
from governance.core.expression.values import NUMBERS, OperationError, Uint, a_kind, kind

_BITS = 64
_ALL = 2**_BITS - 1


def _needs(name: str, value: Any, kinds: frozenset[str]) -> str:
    found = kind(value)
    if found not in kinds:
        expected = " or ".join(map(a_kind, sorted(kinds)))
        raise OperationError(f"math.{name}() needs {expected}, not {a_kind(found)}")
    return found


_NUMBER, _DOUBLE, _WHOLE = frozenset(NUMBERS), frozenset({"double"}), frozenset({"int", "uint"})


def _extreme(name: str, beyond: Callable[[Any, Any], bool]) -> Callable[..., object]:
    def apply(*values: Any) -> object:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        if not items:
            raise OperationError(f"math.{name}() needs at least one number")
        for each in items:
            _needs(name, each, _NUMBER)
        found = items[0]
        for each in items[1:]:
            if beyond(each, found):
                found = each
        return found

    return apply


def _double(name: str, function: Callable[[float], object]) -> Callable[[Any], object]:
    def apply(value: Any) -> object:
        _needs(name, value, _DOUBLE)
        return function(value)

    return apply


def _rounded(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: math.copysign(float(function(value)), value) if math.isfinite(value) else value


def _half_away(value: float) -> int:
    whole = math.trunc(value)
    return whole + int(math.copysign(1, value)) if abs(value - whole) >= 0.5 else whole


def _absolute(value: Any) -> object:
    found = _needs("abs", value, _NUMBER)
    return abs(value) if found == "double" else in_range(abs(int(value)), found)


def _sign(value: Any) -> object:
    found = _needs("sign", value, _NUMBER)
    if found == "double":
        return value if value == 0 or math.isnan(value) else math.copysign(1.0, value)
    return in_range((value > 0) - (value < 0), found)


def _root(value: Any) -> float:
    _needs("sqrt", value, _NUMBER)
    return math.sqrt(value) if value >= 0 else math.nan


def _of_bits(name: str, function: Callable[[int, int], int]) -> Callable[[Any, Any], object]:
    def apply(left: Any, right: Any) -> object:
        found = _needs(name, left, _WHOLE)
        if _needs(name, right, _WHOLE) != found:
            raise OperationError(f"math.{name}() needs two of a kind, not {a_kind(found)} and {a_kind(kind(right))}")
        return in_range(function(int(left), int(right)), found)

    return apply


def _inverted(value: Any) -> object:
    return Uint(~int(value) & _ALL) if _needs("bitNot", value, _WHOLE) == "uint" else ~int(value)


def _shift(name: str, function: Callable[[int, int], int]) -> Callable[[Any, Any], object]:
    def apply(value: Any, by: Any) -> object:
        found = _needs(name, value, _WHOLE)
        _needs(name, by, frozenset({"int"}))
        if by < 0:
            raise OperationError(f"math.{name}() cannot shift by {by} bits")
        bits = 0 if by >= _BITS else function(int(value) & _ALL, by) & _ALL
        return Uint(bits) if found == "uint" else bits - 2**_BITS if bits >= 2 ** (_BITS - 1) else bits

    return apply


_BY_NAME: dict[str, Callable[..., object]] = {
    "abs": _absolute,
    "bitAnd": _of_bits("bitAnd", operator.and_),
    "bitNot": _inverted,
    "bitOr": _of_bits("bitOr", operator.or_),
    "bitShiftLeft": _shift("bitShiftLeft", operator.lshift),
    "bitShiftRight": _shift("bitShiftRight", operator.rshift),
    "bitXor": _of_bits("bitXor", operator.xor),
    "ceil": _double("ceil", _rounded(math.ceil)),
    "floor": _double("floor", _rounded(math.floor)),
    "greatest": _extreme("greatest", operator.gt),
    "isFinite": _double("isFinite", math.isfinite),
    "isInf": _double("isInf", math.isinf),
    "isNaN": _double("isNaN", math.isnan),
    "least": _extreme("least", operator.lt),
    "round": _double("round", _rounded(_half_away)),
    "sign": _sign,
    "sqrt": _root,
    "trunc": _double("trunc", _rounded(math.trunc)),
}
MATHEMATICS = {f"math.{name}": function for name, function in _BY_NAME.items()}
