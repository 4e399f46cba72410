"""Core values in a row: the whole value as JSON beside the few columns that queries need."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def written(value: object) -> str:
    """Return a core value as JSON."""
    return _adapter(type(value)).dump_json(value).decode()


def read(kind: type[T], text: str) -> T:
    """Return the core value that `written` wrote."""
    value: T = _adapter(kind).validate_json(text)
    return value
