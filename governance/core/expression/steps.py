"""What the generated code calls: exactly CEL where the types are the usual ones, Unclear where they are not.

A loop pays for the items that it visits, and never goes on beyond what is left: so the sum is the same as if each item
had been paid for when it was visited, without the cost of counting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from governance.core.expression.context import Context
from governance.core.expression.fault import Unclear
from governance.core.expression.functions import TYPES
from governance.core.expression.meter import Meter
from governance.core.expression.operators import OPERATORS, negative, optional_field, optional_item
from governance.core.expression.operators import index as exact_index
from governance.core.expression.reference import MISSING, Reference
from governance.core.expression.values import Optional, kind, native

Test = Callable[[Any], Any]


def unclear(_value: object = None) -> Any:
    """Give up."""
    raise Unclear


def never(_values: Mapping[Reference, object], _context: Context) -> object:
    """Give up, whatever the values are."""
    raise Unclear


def as_double(value: Any) -> float:
    """Return a number that is declared to be a double, but may be written 5."""
    if type(value) is int:
        return float(value)
    raise Unclear


def variable(context: Context, name: str) -> Any:
    """Return a variable, or the type of that name."""
    try:
        return context.value(name)
    except KeyError:
        return TYPES[name]


def referenced(values: Mapping[Reference, object], reference: Reference) -> Any:
    """Return the value of a reference that is no number."""
    value = values[reference]
    if type(value) is timedelta:
        return value
    if value is MISSING:
        raise Unclear
    return value if type(value) is list and all(map(_plain, value)) else native(value)


def remembered(memo: dict[str, Any], name: str, values: Mapping[Reference, object], reference: Reference) -> Any:
    """Return the value of a reference that the body of a macro asks for, looked into once."""
    if name not in memo:
        memo[name] = referenced(values, reference)
    return memo[name]


def _plain(member: Any) -> bool:
    """Tell whether a member of a series, whose labels are texts, is as expressions see it."""
    if type(member) is not dict or len(member) != 2:
        return False
    return type(member.get("value")) is float and type(member.get("labels")) is dict


def has(value: Any, *names: str) -> bool:
    """Tell whether there is something at the end of a path."""
    for name in names:
        if type(value) is not dict:
            raise Unclear
        if name not in value:
            return False
        value = value[name]
    return True


def index(container: Any, key: Any) -> Any:
    """Return container[key]."""
    if type(container) is list and type(key) is int and 0 <= key < len(container):
        return container[key]
    if type(container) is dict and type(key) is str:
        return container[key]
    return exact_index(container, key)


def whole(value: int) -> int:
    """Return an integer that fits into 64 bits."""
    if -0x8000_0000_0000_0000 <= value <= 0x7FFF_FFFF_FFFF_FFFF:
        return value
    raise Unclear


def add(meter: Meter, left: Any, right: Any) -> Any:
    """Return the sum of any two values."""
    return meter.built(OPERATORS["+"](left, right))


def map_of(*entries: tuple[Any, Any]) -> dict[Any, Any]:
    """Return a map of entries with different keys."""
    result = {}
    for key, value in entries:
        if kind(key) not in ("bool", "int", "uint", "string") or key in result:
            raise Unclear
        result[key] = value
    return result


def matches(meter: Meter, pattern: Any, text: Any) -> bool:
    """Tell whether a text holds a match of a compiled pattern."""
    if type(text) is not str:
        raise Unclear
    meter.read(text)
    return pattern.search(text) is not None


def pairs(meter: Meter, items: Any) -> Any:
    """Return (index, item) of a list or (key, value) of a map; one more than is left, if there are so many."""
    if type(items) is list:
        return islice(enumerate(items), meter.items + 1)
    if type(items) is dict:
        return islice(items.items(), meter.items + 1)
    raise Unclear


def _within(meter: Meter, items: Any, weight: int) -> Any:
    """Return the items to visit; one more than is left, if there are so many."""
    left = meter.left(weight)
    if type(items) is islice:
        return islice(items, left + 1)
    if type(items) is not list and type(items) is not dict:
        raise Unclear
    return items if len(items) <= left else islice(items, left + 1)


def _all(meter: Meter, items: Any, weight: int) -> Any:
    """Return all items to visit, after paying for them and a body of so many operations with each."""
    found = _within(meter, items, weight)
    if type(found) is islice:
        found = list(found)
    meter.visit(len(found), weight)
    return found


def every(meter: Meter, items: Any, weight: int, test: Test) -> bool:
    """Tell whether all items pass."""
    visited, result = 0, True
    for item in _within(meter, items, weight):
        visited += 1
        if not test(item):
            result = False
            break
    meter.visit(visited, weight)
    return result


def some(meter: Meter, items: Any, weight: int, test: Test) -> bool:
    """Tell whether an item passes."""
    visited, result = 0, False
    for item in _within(meter, items, weight):
        visited += 1
        if test(item):
            result = True
            break
    meter.visit(visited, weight)
    return result


def chosen(meter: Meter, items: Any, weight: int, test: Test) -> list[Any]:
    """Return the items that pass."""
    return [item for item in _all(meter, items, weight) if test(item)]


def one(meter: Meter, items: Any, weight: int, test: Test) -> bool:
    """Tell whether exactly one item passes."""
    return len(chosen(meter, items, weight, test)) == 1


def mapped(meter: Meter, items: Any, weight: int, body: Test, test: Test | None = None) -> list[Any]:
    """Return what becomes of each item that passes."""
    return [body(item) for item in _all(meter, items, weight) if test is None or test(item)]


def present(value: Any) -> bool:
    """Tell whether an optional value is there."""
    return bool(an_optional(value).present)


def an_optional(value: Any) -> Any:
    """Return an optional value."""
    if type(value) is not Optional:
        raise Unclear
    return value


def in_optional(value: Any, body: Test) -> Optional:
    """Return what becomes of the value in an optional one."""
    value = an_optional(value)
    return Optional(present=True, value=body(value.value)) if value.present else value


NAMES: dict[str, Any] = {
    "__builtins__": {"type": type, "float": float, "str": str, "int": int, "dict": dict},
    "MISSING": MISSING,
    "Meter": Meter,
    "add": add,
    "an_optional": an_optional,
    "as_double": as_double,
    "chosen": chosen,
    "every": every,
    "has": has,
    "in_optional": in_optional,
    "index": index,
    "map_of": map_of,
    "mapped": mapped,
    "matches": matches,
    "negative": negative,
    "numbers": frozenset({int, float}),
    "one": one,
    "optional_field": optional_field,
    "optional_item": optional_item,
    "pairs": pairs,
    "present": present,
    "referenced": referenced,
    "remembered": remembered,
    "some": some,
    "unclear": unclear,
    "variable": variable,
    "whole": whole,
}
"""The names that generated code may use, besides its own constants."""
