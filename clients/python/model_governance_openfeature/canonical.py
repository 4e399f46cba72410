"""Canonical JSON, source: RFC 8785. What is signed must have one spelling."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal

PLAIN_FROM, PLAIN_BELOW = 1e-6, 1e21
LARGEST = 2**53 - 1


def canonical(value: object) -> bytes:
    """Return a value as canonical JSON.

    :raises ValueError: for what has no canonical form: NaN, an integer beyond 2^53, a half of a surrogate pair.
    """
    return _written(value).encode("utf-8")


def _written(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        members = sorted(value.items(), key=lambda member: str(member[0]).encode("utf-16-be"))
        return "{" + ",".join(f"{_written(str(name))}:{_written(each)}" for name, each in members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_written(each) for each in value) + "]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        raise ValueError(f"{value} is beyond the integers of JSON")
    if value is None or isinstance(value, (bool, int)):
        return json.dumps(value)
    raise ValueError(f"{type(value).__name__} is no value of JSON")


def _number(value: float) -> str:
    """Return a number as ECMAScript prints it, source: ECMA-262, Number::toString."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    if PLAIN_FROM <= abs(value) < PLAIN_BELOW:
        plain = format(Decimal(repr(value)), "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    digits, _, exponent = repr(value).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent):+d}"
