"""Which kinds of value go together: the result of arithmetic and whether a comparison makes sense."""

from __future__ import annotations

import math

from governance.core.expression.operators import mismatch
from governance.core.expression.shape import ANY, DOUBLE, DURATION, TIMESTAMP, Shape, joined
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
    if operator == "+" and one == other and one == "list":
        return Shape.list(joined([left.element, right.element]), _sum(left.longest, right.longest)), ""
    if operator == "+" and one == other and one in ("string", "bytes"):
        return Shape(one), ""
    result = _RESULTS.get((operator, one, other))
    return (result, "") if result else (ANY, mismatch(operator, one, other))


def comparison(operator: str, left: Shape, right: Shape) -> str:
    """Return what is wrong with a comparison, or ""."""
    one, other = _kind(left), _kind(right)
    if "any" in (one, other) or (one in NUMBERS and other in NUMBERS):
        return ""
    if operator in ("==", "!="):
        if one == other:
            return ""
        return f"{a_kind(one)} never equals {a_kind(other)}"
    if one == other and one in _ORDERED:
        return ""
    return f"cannot compare {a_kind(one)} with {a_kind(other)}"


def membership(left: Shape, right: Shape) -> str:
    """Return what is wrong with `in`, or ""."""
    found = _kind(right)
    if found not in ("any", "list", "map"):
        return f"'in' needs a list or a map, not {a_kind(found)}"
    one, other = _kind(left), _kind(right.member)
    return f"'in' looks for {a_kind(one)} among {other}s" if comparison("==", left, right.member) else ""


def indexing(container: Shape, key: Shape) -> tuple[str, str] | None:
    """Return what is wrong with container[key], and of which of the two ("container" or "key"), or None."""
    found = _kind(container)
    if found not in ("any", "list", "map", "optional"):
        return "container", f"{a_kind(found)} has no [ ]"
    if found == "map" and container.item is not None and key.kind not in ("any", "string"):
        return "key", f"its keys are texts, not {a_kind(_kind(key))}"
    if found == "list" and (key.kind not in ("any", *NUMBERS) or (math.isfinite(key.low) and key.low % 1)):
        return "key", "a list is indexed with a whole number"
    if found == "list" and container.longest is not None and key.low >= container.longest:
        return "key", f"it has {container.longest} items, counted from 0"
    return None


def branches(yes: Shape, no: Shape) -> str:
    """Return what is wrong with the branches of ?:, or ""."""
    one, other = _kind(yes), _kind(no)
    if one == other or {one, other} & {"any", "null"}:
        return ""
    return f"this gives {a_kind(one)} or {a_kind(other)}; both branches must give the same"


def truth(shape: Shape) -> str:
    """Return why a value is no condition, or ""."""
    return "" if shape.kind in ("any", "bool") else f"this needs true or false, not {a_kind(_kind(shape))}"


def _kind(shape: Shape) -> str:
    return "map" if shape.kind == "record" else shape.kind


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
