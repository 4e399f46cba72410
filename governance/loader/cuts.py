"""Expressions that a flow collection cut: `{when: change(a, '7d') < 1}` ends at the comma for YAML.

A cut is found as an entry that cannot be meant or as a syntax error. It is repaired in a copy of the text, character
for character so that positions stay, and the copy is parsed again: the rest of the file is still checked.
"""

from __future__ import annotations

import re

from governance.loader.tree import Listing, Mapping, Node, Scalar

_NAME = re.compile(r"[A-Za-z_][\w./-]*")
_OPENERS, _CLOSERS = "([{", ")]}"
_LONGEST = 2000  # characters of an expression that we look through
_FILLER = "_"


class CutError(Exception):
    """A flow collection cut the text from `start` to `end`; replacing `places` in a copy mends it."""

    def __init__(self, start: int, end: int, places: list[int], *, listing: bool) -> None:
        """Take offsets in the text, and whether a list rather than a map made the cut."""
        super().__init__(start)
        self.start = start
        self.end = end
        self.places = places
        self.listing = listing

    def message(self, text: str) -> str:
        """Return what the author reads."""
        characters = [text[at] for at in self.places]
        what = "a comma" if "," in characters else f"'{characters[0]}'"
        return f"the flow {'list' if self.listing else 'map'} cut this text at {what}: quote it or use a block"

    def repaired(self, text: str) -> str:
        """Return the text with the characters that cut replaced."""
        characters = list(text)
        for at in self.places:
            characters[at] = _FILLER
        return "".join(characters)


def cut_in_entry(text: str, parent: Mapping, key: Scalar, node: Node) -> None:
    """Look at a new entry of a map.

    :raises CutError: it is the rest of the value before it
    """
    if not parent.flow or not parent.entries:
        return
    before = next(reversed(parent.entries.values()))
    if not isinstance(before, Scalar) or before.style or before.broken:
        return
    bare = isinstance(node, Scalar) and node.start == node.end and not node.style
    if _unclosed(before.text) or (bare and not key.style and not _NAME.fullmatch(key.text)):
        _raise(text, before, key.start if bare else None, listing=False)


def cut_in_item(text: str, parent: Listing, node: Node) -> None:
    """Look at a new item of a list.

    :raises CutError: it is the rest of the item before it
    """
    before = parent.items[-1] if parent.flow and parent.items else None
    if isinstance(before, Scalar) and not before.style and not before.broken and _unclosed(before.text):
        _raise(text, before, node.start, listing=True)


def cut_at_error(text: str, parent: Mapping | Listing, last: Scalar | None) -> None:
    """Look at the last plain value before a syntax error in a flow collection.

    :raises CutError: the error is the rest of it
    """
    if last is not None and parent.flow:
        _raise(text, last, None, listing=isinstance(parent, Listing))


def _unclosed(text: str) -> bool:
    return "(" in text and text.count("(") > text.count(")")


def _raise(text: str, value: Scalar, following: int | None, *, listing: bool) -> None:
    """Raise the cut of a value, if there is one; `following` is where the rest of it starts."""
    end, places = _expression(text, value.start)
    if following is not None and end <= following:
        comma = text.find(",", value.end, following)
        places = [*places, comma] if comma >= 0 else places
        end = _expression(text, following)[0]
    if places:
        raise CutError(value.start, end, sorted(places), listing=listing)


def _expression(text: str, start: int) -> tuple[int, list[int]]:
    """Return where the expression from `start` ends, and the characters within that YAML takes for its own."""
    places: list[int] = []
    depth, quote = 0, ""
    for at in range(start, min(len(text), start + _LONGEST)):
        each = text[at]
        if not depth and not quote and each in ",]}\r\n":
            return at, places
        if each in ",[]{}" or (each in ":#" and _separates(text, at)):
            places.append(at)
        if quote:
            quote = "" if each == quote else quote
        elif each in "'\"":
            quote = each
        else:
            depth += (each in _OPENERS) - (each in _CLOSERS)
    return start, []  # never closed: no expression


def _separates(text: str, at: int) -> bool:
    """Say whether YAML takes this colon or hash for its own."""
    if text[at] == ":":
        return text[at + 1 : at + 2] in ("", " ", ",", "]", "}")
    return text[at - 1] in " \t"
