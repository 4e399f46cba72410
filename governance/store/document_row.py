"""Core values in a row: the whole value as JSON beside the few columns that queries need."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def written(value: object) -> str:
    """Return a core value as JSON."""
    return _adapter(type(value)).dump_json(value).decode()


def read(kind: type[T], text: str) -> T:
    """Return the core value that `written` wrote."""
    value: T = _adapter(kind).validate_json(text)
    return value
