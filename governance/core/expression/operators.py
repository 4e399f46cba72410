"""The operators of CEL over plain Python values.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from governance.core.expression.meter import Meter
from governance.core.expression.values import (
    NOTHING,
    NUMBERS,
    AbsentError,
    IntLiteral,
    OperationError,
    Optional,
    Uint,
    a_kind,
    kind,
    quoted,
)

_LONGEST = timedelta(seconds=315_576_000_000)  # 10,000 years, the range of a CEL duration
_VERBS = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "take the remainder of"}
_TIMES = {
    ("+", "duration", "duration"),
    ("-", "duration", "duration"),
    ("+", "timestamp", "duration"),
    ("+", "duration", "timestamp"),
    ("-", "timestamp", "duration"),
    ("-", "timestamp", "timestamp"),
}
_JOINED = {"string", "bytes", "list"}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub}
_CLASSES: dict[str, type] = {"timestamp": datetime, "duration": timedelta}
_HOLDERS = {"list", "map", "optional"}
_KEYS = {"bool", "string", *NUMBERS}


def _quotient(left: int, right: int) -> int:
    if right == 0:
        raise OperationError("division by zero")
    whole = abs(left) // abs(right)  # towards zero, unlike Python's //
    return whole if (left < 0) == (right < 0) else -whole


def _remainder(left: int, right: int) -> int:
    if right == 0:
        raise OperationError("remainder of a division by zero")
    return left - right * _quotient(left, right)


def _double_quotient(left: float, right: float) -> float:
    if right == 0:  # IEEE 754, where Python raises
        if left == 0 or math.isnan(left):
            return math.nan
        return math.copysign(math.inf, left) * math.copysign(1.0, right)
    return left / right


def _times(function: Callable[[Any, Any], Any], left: Any, right: Any) -> object:
    try:
        result = function(left, right)
    except OverflowError:
        raise OperationError("the result lies outside the range of time") from None
    if isinstance(result, timedelta) and abs(result) > _LONGEST:
        raise OperationError("the duration is longer than 10,000 years")
    return result


def in_range(value: int, name: str) -> int:
    """Return an integer of that kind, "int" or "uint".

    :raises OperationError: it does not fit into 64 bits
    """
    if name == "uint":
        if not 0 <= value < 2**64:
            raise OperationError("the result does not fit into an unsigned 64-bit integer")
        return Uint(value)
    if not -(2**63) <= value < 2**63:
        raise OperationError("the result does not fit into a 64-bit integer")
    return int(value)


def _usual(
    symbol: str, whole: Callable[[int, int], int], double: Callable[[float, float], float] | None
) -> dict[tuple[type, type], Callable[[Any, Any], object]]:
    """Return what to do with values of exactly these types, without asking for their kinds."""
    found: dict[tuple[type, type], Callable[[Any, Any], object]] = {
        (_CLASSES[one], _CLASSES[other]): partial(_times, _SUMS[each]) for each, one, other in _TIMES if each == symbol
    }
    found[int, int] = lambda left, right: in_range(whole(left, right), "int")
    return found if double is None else {**found, (float, float): double}


def _arithmetic(symbol: str, whole: Callable[[int, int], int], double: Callable[[float, float], float] | None) -> Any:
    usual = _usual(symbol, whole, double)

    def apply(left: Any, right: Any) -> object:
        found = usual.get((type(left), type(right)))
        if found is not None:
            return found(left, right)
        left, right = _promoted(left, right)
        one, other = kind(left), kind(right)
        if one == other:
            if one == "double" and double is not None:
                return double(left, right)
            if one in ("int", "uint"):
                return in_range(whole(int(left), int(right)), one)
            if symbol == "+" and one in _JOINED:
                return left + right
        if (symbol, one, other) in _TIMES:
            return _times(_SUMS[symbol], left, right)
        raise OperationError(mismatch(symbol, one, other))

    return apply


def _promoted(left: Any, right: Any) -> tuple[Any, Any]:
    """Make an integer literal beside a double a double."""
    if isinstance(left, IntLiteral) and isinstance(right, float):
        return float(left), right
    if isinstance(right, IntLiteral) and isinstance(left, float):
        return left, float(right)
    return left, right


def mismatch(symbol: str, left: str, right: str) -> str:
    """Return the sentence for arithmetic that these two kinds do not have."""
    hint = "; CEL does not mix numbers, write 100.0 or double(…)" if left != right and {left, right} <= NUMBERS else ""
    return f"cannot {_VERBS[symbol]} {a_kind(left)} and {a_kind(right)}{hint}"


def negative(value: Any) -> object:
    """Return -value."""
    if kind(value) == "double":
        return -value
    if kind(value) == "int":
        return in_range(-value, "int")
    if kind(value) == "duration":
        return -value
    raise OperationError(f"cannot negate {a_kind(kind(value))}")


def equal(left: Any, right: Any, meter: Meter) -> bool:
    """Compare by value: numbers across their kinds, lists and maps by their members; different kinds are not equal."""
    one, other = kind(left), kind(right)
    if one in NUMBERS and other in NUMBERS:
        return bool(left == right)
    if one != other:
        return False
    if one in _HOLDERS:
        return _equal_holders(one, left, right, meter)
    return bool(left == right)


def _equal_holders(kind_of_both: str, left: Any, right: Any, meter: Meter) -> bool:
    if kind_of_both == "optional":
        return left.present is right.present and equal(left.value, right.value, meter)
    if len(left) != len(right):
        return False
    meter.visit(len(left))
    if kind_of_both == "list":
        return all(equal(one, other, meter) for one, other in zip(left, right, strict=True))
    return all(_has_key(right, key) and equal(value, right[key], meter) for key, value in left.items())


def unequal(left: Any, right: Any, meter: Meter) -> bool:
    """Tell whether two values differ."""
    return not equal(left, right, meter)


def _has_key(container: dict[Any, Any], key: Any) -> bool:
    """Tell whether a map has a key; for Python's own dictionaries 1 and True are the same, for CEL they are not."""
    if type(key) is str:
        return key in container
    if kind(key) not in _KEYS or key not in container:
        return False
    return key not in (0, 1) or isinstance(_Probe.stored(container, key), bool) is isinstance(key, bool)


class _Probe:
    """Finds the very key that a dictionary holds for an equal one, without going through it."""

    __slots__ = ("found", "key")

    def __init__(self, key: object) -> None:
        self.key = self.found = key

    @staticmethod
    def stored(container: dict[Any, Any], key: object) -> object:
        probe = _Probe(key)
        return probe.found if probe in container else key

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        self.found = other
        return self.key == other


_ORDERED = {"bool", "string", "bytes", "timestamp", "duration"}
_ORDERED_CLASSES = frozenset({float, int, str, datetime, timedelta})


def _ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Any:
    def apply(left: Any, right: Any) -> bool:
        if type(left) is type(right) and type(left) in _ORDERED_CLASSES:
            return compare(left, right)
        one, other = kind(left), kind(right)
        if (one in NUMBERS and other in NUMBERS) or (one == other and one in _ORDERED):
            return compare(left, right)
        raise OperationError(f"cannot compare {a_kind(one)} with {a_kind(other)} ({symbol})")

    return apply


def contained(item: Any, container: Any, meter: Meter) -> bool:
    """Tell whether a list has the item or a map the key."""
    if isinstance(container, dict):
        return _has_key(container, item)
    if not isinstance(container, list):
        raise OperationError(f"'in' needs a list or a map, not {a_kind(kind(container))}")
    meter.visit(len(container))
    return any(equal(each, item, meter) for each in container)


def index(container: Any, key: Any) -> object:
    """Return the item of a list, counted from 0, or the value of a map."""
    if isinstance(container, list):
        return _item(container, key)
    if not isinstance(container, dict):
        raise OperationError(f"{a_kind(kind(container))} has no [ ]")
    if _has_key(container, key):
        return container[key]
    raise AbsentError(f"no key {quoted(key)}" if isinstance(key, (str, int)) else "no such key")


def selected(operand: Any, field: str) -> object:
    """Return the value of a field of a map, or of the map in an optional value."""
    if isinstance(operand, dict):
        if field in operand:
            return operand[field]
        raise AbsentError(f"no field '{field}'")
    if isinstance(operand, Optional):
        return optional_field(operand, field)
    raise OperationError(f"{a_kind(kind(operand))} has no field '{field}'")


def optional_field(operand: Any, field: str) -> Optional:
    """Return operand.?field."""
    return _perhaps(operand, field, selected)


def indexed(operand: Any, key: Any) -> object:
    """Return operand[key], of what is in it if the operand is optional."""
    return optional_item(operand, key) if isinstance(operand, Optional) else index(operand, key)


def optional_item(operand: Any, key: Any) -> Optional:
    """Return operand[?key]."""
    return _perhaps(operand, key, indexed)


def _perhaps(operand: Any, key: Any, found: Callable[[Any, Any], object]) -> Optional:
    if isinstance(operand, Optional):
        if not operand.present:
            return NOTHING
        operand = operand.value
    try:
        value = found(operand, key)
    except AbsentError:
        return NOTHING
    return value if isinstance(value, Optional) else Optional(present=True, value=value)


def _item(items: list[Any], key: Any) -> object:
    if kind(key) not in NUMBERS or not math.isfinite(key) or key != int(key):
        raise OperationError("a list is indexed with a whole number")
    if not 0 <= key < len(items):
        raise AbsentError(f"no item [{int(key)}] in a list of {len(items)}")
    return items[int(key)]


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": _arithmetic("+", operator.add, operator.add),
    "-": _arithmetic("-", operator.sub, operator.sub),
    "*": _arithmetic("*", operator.mul, operator.mul),
    "/": _arithmetic("/", _quotient, _double_quotient),
    "%": _arithmetic("%", _remainder, None),
    "<": _ordering("<", operator.lt),
    "<=": _ordering("<=", operator.le),
    ">": _ordering(">", operator.gt),
    ">=": _ordering(">=", operator.ge),
}
METERED: dict[str, Callable[[Any, Any, Meter], bool]] = {"==": equal, "!=": unequal, "in": contained}
"""Operators that may visit many items, and pay for them."""
