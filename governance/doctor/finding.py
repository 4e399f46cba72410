"""What a check saw."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was seen, and what to do about it.

    `ok` is True when it is well, False when it is not, None when nothing is wrong yet or it cannot be told.
    """

    check: str
    name: str
    ok: bool | None
    seen: str
    do: str = ""


def well(check: str, name: str, seen: str) -> Finding:
    """Return that all is well."""
    return Finding(check, name, ok=True, seen=seen)


def wrong(check: str, name: str, seen: str, do: str) -> Finding:
    """Return that something is wrong, and what to do."""
    return Finding(check, name, ok=False, seen=seen, do=do)


def open_(check: str, name: str, seen: str, do: str = "") -> Finding:
    """Return that it cannot be told, or what may become wrong."""
    return Finding(check, name, ok=None, seen=seen, do=do)
