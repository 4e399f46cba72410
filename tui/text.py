"""Small pieces of markup that several widgets and screens draw with."""

from __future__ import annotations

SEVERITIES = {
    "critical": "b $critical on $critical-ground",
    "warning": "$warning",
    "info": "$secondary",
    "unknown": "$warning",
}
"""The colour of each severity; none is told by colour alone."""


HANG = "\t"
"""Stands in a line where its further lines begin, if there is no room for it in one."""


def safe(text: str) -> str:
    """Return text from outside in one line, so that it is no markup."""
    return "".join(each if each.isprintable() else " " if each.isspace() else "�" for each in text).replace("[", "\\[")


def lines(text: str) -> str:
    """Return text of several lines from outside so that it is no markup."""
    return "\n".join(safe(each) for each in text.splitlines())


def fact(name: str, value: str) -> str:
    """Return a line of a name and its value, which is markup."""
    return f"[$muted]{name:<12}[/] {HANG}{value}"


def head(text: str) -> str:
    """Return the head of a part."""
    return f"[b $secondary]{text}[/]"
