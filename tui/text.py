"""Small pieces of markup that several widgets and screens draw with."""

from __future__ import annotations

import re

SEVERITIES = {
    "critical": "b $critical on $critical-ground",
    "warning": "$warning",
    "info": "$secondary",
    "unknown": "$warning",
}
"""The colour of each severity; none is told by colour alone."""


MORE = "enter opens"
"""How one reads what is not shown."""
_SENTENCE = re.compile(r".+?[.!?](?=\s|$)")
HANG = "\t"
"""Stands in a line where its further lines begin, if there is no room for it in one."""


def safe(text: str) -> str:
    """Return text from outside in one line, so that it is no markup."""
    return "".join(each if each.isprintable() else " " if each.isspace() else "�" for each in text).replace("[", "\\[")


def lines(text: str) -> str:
    """Return text of several lines from outside so that it is no markup."""
    return "\n".join(safe(each) for each in text.splitlines())


def first_sentence(text: str, most: int = 1_000_000) -> str:
    """Return a text in one line of so many cells: of one that has several the first sentence, and how one reads on."""
    told = " ".join(text.split())
    several = "\n" in text.strip()
    first = _SENTENCE.match(told) if several else None
    told, more = first[0] if first is not None else told, f"… {MORE}" if several else ""
    if len(told) + len(more) + several > most:
        return f"{told[: max(most - len(more) - 1, 1)]}{more or '…'}"
    return f"{told} {more}" if several else told


def fact(name: str, value: str) -> str:
    """Return a line of a name and its value, which is markup."""
    return f"[$muted]{name:<12}[/] {HANG}{value}"


def head(text: str) -> str:
    """Return the head of a part."""
    return f"[b $secondary]{text}[/]"
