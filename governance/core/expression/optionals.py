"""Values that may not be there: optional.of(…), orValue(…) and their like; and base64.

Source: https://pkg.go.dev/github.com/google/cel-go/cel#OptionalTypes
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from governance.core.expression.values import NOTHING, OperationError, Optional, a_kind, kind

_EMPTY: tuple[object, ...] = ("", b"", [], {}, timedelta(0))


def _of(value: Any) -> Optional:
    return Optional(present=True, value=value)


def _of_non_zero(value: Any) -> Optional:
    zero = value is None or (isinstance(value, (bool, int, float)) and not value) or value in _EMPTY
    return NOTHING if zero else _of(value)


def _need(name: str, value: Any) -> Optional:
    if not isinstance(value, Optional):
        raise OperationError(f"{name}() needs an optional value, not {a_kind(kind(value))}")
    return value


def _has_value(value: Any) -> bool:
    return _need("hasValue", value).present


def _value(value: Any) -> object:
    if not _need("value", value).present:
        raise OperationError("the optional value is not there; ask hasValue() first, or write orValue(…)")
    return value.value


def _or_value(value: Any, other: Any) -> object:
    return value.value if _need("orValue", value).present else other


def _or(value: Any, other: Any) -> Optional:
    return value if _need("or", value).present else _need("or", other)


def _encoded(value: Any) -> str:
    if not isinstance(value, bytes):
        raise OperationError(f"base64.encode() needs bytes, not {a_kind(kind(value))}")
    return base64.b64encode(value).decode()


def _decoded(value: Any) -> bytes:
    if not isinstance(value, str):
        raise OperationError(f"base64.decode() needs a string, not {a_kind(kind(value))}")
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise OperationError("this text is no base64") from None


OPTIONALS: dict[str, Callable[..., object]] = {
    "base64.decode": _decoded,
    "base64.encode": _encoded,
    "hasValue": _has_value,
    "optional.none": lambda: NOTHING,
    "optional.of": _of,
    "optional.ofNonZeroValue": _of_non_zero,
    "or": _or,
    "orValue": _or_value,
    "value": _value,
}
