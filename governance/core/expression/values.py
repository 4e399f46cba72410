"""The values of CEL as plain Python: only the unsigned integer, the type and the optional need classes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from pydantic import BaseModel


class Uint(int):
    """An unsigned 64-bit integer, which CEL never mixes with the signed one in arithmetic."""

    __slots__ = ()


class IntLiteral(int):
    """An integer literal in arithmetic: a double when the other side turns out to be one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Type:
    """What type() returns."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may not be there, as optional.of(…) and .? give it."""

    present: bool
    value: object = None


NOTHING = Optional(present=False)


class OperationError(Exception):
    """An operation has no result for these values; the message is a sentence for people."""


class AbsentError(OperationError):
    """There is no such key or item, which has() takes for an answer."""


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (float, "double"),
    (Uint, "uint"),
    (int, "int"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (datetime, "timestamp"),
    (timedelta, "duration"),
    (type(None), "null"),
    (Type, "type"),
    (Optional, "optional"),
)
_SHOWN = 60  # characters of a text in a message
_EXACT = dict(_KINDS)
NUMBERS = frozenset({"int", "uint", "double"})


def kind(value: object) -> str:
    """Return the name of a value's CEL type, with "null", "timestamp" and "duration" in their short form."""
    exact = _EXACT.get(type(value))
    return exact or next((name for each, name in _KINDS if isinstance(value, each)), "unknown")


def a_kind(name: str) -> str:
    """Return a kind as people say it: "a double", "an int"."""
    return f"an {name}" if name[0] in "aiou" else name if name in ("null", "bytes") else f"a {name}"


def short(text: str) -> str:
    """Return a text as a message shows it, cut when it is long."""
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def quoted(value: object) -> str:
    """Return a value as a message shows it, a text in quotes."""
    return repr(short(value) if isinstance(value, str) else value)


def native(value: object) -> object:
    """Return a value as expressions see it: models and mappings as maps without their None, sequences as lists."""
    if isinstance(value, (str, bool, int, float, bytes, timedelta, Type, Optional)) or value is None:
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    if isinstance(value, Mapping):
        return {key: native(each) for key, each in value.items() if each is not None}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [native(each) for each in value]
    return _instant(value)


def _instant(value: object) -> object:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    return str(value)
