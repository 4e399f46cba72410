"""The operators of CEL over plain Python values.

Source: https://github.com/google/cel-spec/blob/master/doc/langdef.md#list-of-standard-definitions
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from governance.core.expression.values import NUMBERS, AbsentError, IntLiteral, OperationError, Uint, a_kind, kind

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


def _times(symbol: str, left: Any, right: Any) -> object:
    function = operator.add if symbol == "+" else operator.sub
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


def _arithmetic(symbol: str, whole: Callable[[int, int], int], double: Callable[[float, float], float] | None) -> Any:
    def apply(left: Any, right: Any) -> object:
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
            return _times(symbol, left, right)
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


def equal(left: Any, right: Any) -> bool:
    """Compare by value: numbers across their kinds, lists and maps by their members; different kinds are not equal."""
    one, other = kind(left), kind(right)
    if one in NUMBERS and other in NUMBERS:
        return bool(left == right)
    if one != other:
        return False
    if one == "list":
        return len(left) == len(right) and all(map(equal, left, right))
    if one == "map":
        return len(left) == len(right) and all(
            contained(key, right) and equal(value, right[key]) for key, value in left.items()
        )
    return bool(left == right)


_ORDERED = {"bool", "string", "bytes", "timestamp", "duration"}


def _ordering(symbol: str, compare: Callable[[Any, Any], bool]) -> Any:
    def apply(left: Any, right: Any) -> bool:
        one, other = kind(left), kind(right)
        if (one in NUMBERS and other in NUMBERS) or (one == other and one in _ORDERED):
            return compare(left, right)
        raise OperationError(f"cannot compare {a_kind(one)} with {a_kind(other)} ({symbol})")

    return apply


def contained(item: Any, container: Any) -> bool:
    """Tell whether a list has the item or a map the key."""
    if kind(container) not in ("list", "map"):
        raise OperationError(f"'in' needs a list or a map, not {a_kind(kind(container))}")
    if isinstance(item, str) and isinstance(container, dict):
        return item in container
    return any(equal(each, item) for each in container)


def index(container: Any, key: Any) -> object:
    """Return the item of a list, counted from 0, or the value of a map."""
    if isinstance(container, list):
        return _item(container, key)
    if not isinstance(container, dict):
        raise OperationError(f"{a_kind(kind(container))} has no [ ]")
    for each, value in container.items():
        if equal(each, key):
            return value
    raise AbsentError(f"no key {key!r}" if isinstance(key, (str, int)) else "no such key")


def _item(items: list[Any], key: Any) -> object:
    if kind(key) not in NUMBERS or not math.isfinite(key) or key != int(key):
        raise OperationError("a list is indexed with a whole number")
    if not 0 <= key < len(items):
        raise AbsentError(f"no item [{int(key)}] in a list of {len(items)}")
    return items[int(key)]


OPERATORS: dict[str, Callable[..., object]] = {
    "_+_": _arithmetic("+", operator.add, operator.add),
    "_-_": _arithmetic("-", operator.sub, operator.sub),
    "_*_": _arithmetic("*", operator.mul, operator.mul),
    "_/_": _arithmetic("/", _quotient, _double_quotient),
    "_%_": _arithmetic("%", _remainder, None),
    "-_": negative,
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": _ordering("<", operator.lt),
    "_<=_": _ordering("<=", operator.le),
    "_>_": _ordering(">", operator.gt),
    "_>=_": _ordering(">=", operator.ge),
    "_in_": contained,
    "_[_]": index,
}
