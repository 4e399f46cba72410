"""Between which bounds a number can lie, and which comparisons can therefore never be true."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta

from governance.core.duration import format_duration
from governance.core.expression.reference import Reference
from governance.core.expression.shape import Shape
from governance.core.suggestion import closest

_NEVER: Mapping[str, Callable[[Shape, Shape], bool]] = {
    "<": lambda left, right: left.low >= right.high,
    "<=": lambda left, right: left.low > right.high,
    ">": lambda left, right: left.high <= right.low,
    ">=": lambda left, right: left.high < right.low,
    "==": lambda left, right: left.low > right.high or left.high < right.low,
}
_PERCENT = 100.0
_SHOWN = 8  # values of an enumeration in a message


def never(operator: str, left: Shape, right: Shape, words: tuple[str, str]) -> tuple[str, str]:
    """Return why a comparison can never be true, or with != always is, and what was meant; "" when nothing is wrong.

    `words` are the two sides as written. Two constants are left alone: whoever compares them means it.
    """
    if len(left.values) == len(right.values) == 1:
        return "", ""
    if operator in ("==", "!=") and left.values and right.values:
        return _disjoint(operator, left, right, words)
    test = _NEVER.get(operator)
    if test is None or not test(left, right):
        return "", ""
    about, other, shape, limit = (words[0], words[1], left, right)
    if not _is_bounded(left) or (_is_constant(left) and _is_bounded(right)):
        about, other, shape, limit = words[1], words[0], right, left
    message = f"{about} {_range(shape)}, so that this can never be true"
    if not _is_constant(limit):
        message += f": {other} {_range(limit)}"
    return message, _share(shape, limit)


def membership(left: Shape, right: Shape, words: tuple[str, str]) -> tuple[str, str]:
    """Return why `in` can never be true for values that are all known, and what was meant."""
    item = right.item if right.kind == "list" else right.member
    if item is None or not item.values or not left.values:
        return "", ""
    return _disjoint("==", left, item, words)


def between(operator: str, left: Shape, right: Shape) -> tuple[float, float]:
    """Return the bounds of a sum, difference, product or quotient of doubles; infinite where nothing is known."""
    corners = [_corner(operator, one, other) for one in (left.low, left.high) for other in (right.low, right.high)]
    if operator == "/" and right.low <= 0 <= right.high:
        return -math.inf, math.inf
    if operator not in "+-*/" or any(map(math.isnan, corners)):
        return -math.inf, math.inf
    return min(corners), max(corners)


def of_reference(reference: Reference, low: float, high: float) -> tuple[float, float]:
    """Return the bounds of what a reference asks of a metric that lies between `low` and `high`."""
    for function, _ in reference.aggregates:
        low, high = _combined(function, low, high)
    return (low, high) if reference.over is None else _combined(reference.over.function, low, high)


def _combined(function: str, low: float, high: float) -> tuple[float, float]:
    if function in ("count", "stddev_over_time"):
        return 0, math.inf
    if function in ("sum", "sum_over_time"):
        return (0, math.inf) if low >= 0 else (-math.inf, math.inf)
    if function == "change":
        return (-1, math.inf) if low >= 0 else (-math.inf, math.inf)
    return (-math.inf, math.inf) if function == "slope" else (low, high)


def _corner(operator: str, one: float, other: float) -> float:
    try:
        if operator == "*":
            return 0.0 if 0 in (one, other) else one * other
        if operator == "/":
            return one / other
        return one + other if operator == "+" else one - other
    except (ZeroDivisionError, OverflowError):
        return math.nan


def _disjoint(operator: str, left: Shape, right: Shape, words: tuple[str, str]) -> tuple[str, str]:
    if any(one == other for one in left.values for other in right.values):
        return "", ""
    known, other, about = left, right, words[0]
    if len(known.values) == 1:  # the constant is what is wrong, the enumeration what there can be
        known, other, about = right, left, words[1]
    listed = ", ".join(str(each) for each in known.values[:_SHOWN]) + (", …" if len(known.values) > _SHOWN else "")
    verdict = "this is always true" if operator == "!=" else "this can never be true"
    wanted = str(other.values[0]) if len(other.values) == 1 else ""
    message = f"{about} is {'one of ' if len(known.values) > 1 else ''}{listed}, so that {verdict}"
    return message, closest(wanted, map(str, known.values)) if wanted else ""


def _is_constant(shape: Shape) -> bool:
    return len(shape.values) == 1


def _is_bounded(shape: Shape) -> bool:
    return shape.low > -math.inf or shape.high < math.inf


def _range(shape: Shape) -> str:
    if shape.low == shape.high:
        return f"is {_number(shape, shape.low)}"
    if shape.high == math.inf:
        return f"is never below {_number(shape, shape.low)}"
    if shape.low == -math.inf:
        return f"is never above {_number(shape, shape.high)}"
    return f"lies between {_number(shape, shape.low)} and {_number(shape, shape.high)}"


def _number(shape: Shape, value: float) -> str:
    return format_duration(timedelta(seconds=value)) if shape.kind == "duration" else f"{value:g}"


def _share(shape: Shape, limit: Shape) -> str:
    """Return the hint for per cent written where a share is meant."""
    share = limit.high / _PERCENT
    if (shape.low, shape.high) == (0, 1) and _is_constant(limit) and 0 < share <= 1:
        return f"{limit.high:g}% is written {share:g}"
    return ""
