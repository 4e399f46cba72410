"""Which kinds of value go together: the result of arithmetic and whether a comparison makes sense."""

from __future__ import annotations

from governance.core.expression.operators import mismatch
from governance.core.expression.shape import ANY, BOOL, DOUBLE, DURATION, TIMESTAMP, Shape
from governance.core.expression.values import NUMBERS, a_kind

_ORDERED = NUMBERS | {"string", "bytes", "bool", "timestamp", "duration"}
_RESULTS = {
    ("+", "duration", "duration"): DURATION,
    ("-", "duration", "duration"): DURATION,
    ("+", "timestamp", "duration"): TIMESTAMP,
    ("+", "duration", "timestamp"): TIMESTAMP,
    ("-", "timestamp", "duration"): TIMESTAMP,
    ("-", "timestamp", "timestamp"): DURATION,
}


def arithmetic(operator: str, left: Shape, right: Shape) -> tuple[Shape, str]:
    """Return the shape of the result, and what is wrong in words ("" when nothing is)."""
    one, other = _kind(left), _kind(right)
    if "any" in (one, other):
        # Whatever the other side is, a number of this kind can only give another of it.
        known = other if one == "any" else one
        return (DOUBLE if known == "double" else ANY), ""
    if one == other and one in NUMBERS and not (one == "double" and operator == "%"):
        return Shape(one), ""
    if operator == "+" and one == other and one in ("string", "bytes", "list"):
        return left if left == right else Shape(one), ""
    result = _RESULTS.get((operator, one, other))
    return (result, "") if result else (ANY, mismatch(operator, one, other))


def comparison(operator: str, left: Shape, right: Shape) -> str:
    """Return what is wrong with a comparison, or ""."""
    one, other = _kind(left), _kind(right)
    if "any" in (one, other) or (one in NUMBERS and other in NUMBERS):
        return ""
    if operator in ("==", "!="):
        if one == other or "null" in (one, other):
            return ""
        return f"{a_kind(one)} never equals {a_kind(other)}"
    if one == other and one in _ORDERED:
        return ""
    return f"cannot compare {a_kind(one)} with {a_kind(other)}"


def membership(right: Shape) -> str:
    """Return what is wrong with the container of `in`, or ""."""
    found = _kind(right)
    return "" if found in ("any", "list", "map") else f"'in' needs a list or a map, not {a_kind(found)}"


def truth(shape: Shape) -> str:
    """Return why a value is no condition, or ""."""
    return "" if shape in (ANY, BOOL) else f"this needs true or false, not {a_kind(_kind(shape))}"


def _kind(shape: Shape) -> str:
    return "map" if shape.kind == "record" else shape.kind
