"""The text of one file and where each value of it stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from governance.core.problem import Position, Problem
from governance.loader.decoding import offsets
from governance.loader.tree import Listing, Mapping, Node, Path, Scalar, child

_LONGEST = 400  # characters of a message; names in a hostile file are as long as the file
_BREAK = re.compile(r"\r\n|\r|\n")


class Source:
    """One file: its name as shown, its text, and the positions of its values."""

    def __init__(self, file: str, text: str) -> None:
        """Take the name to show and the text; the tree follows once the text is parsed."""
        self.file = file
        self.text = text
        self.root: Node | None = None

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the lines without their ends."""
        return tuple(_BREAK.split(self.text))

    @cached_property
    def _starts(self) -> list[int]:
        """Return the offset of each line; not asked for where a file has no problem."""
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    def at(self, path: Path) -> Position:
        """Return where the value at a data path stands; the nearest ancestor's key where the path does not exist."""
        node, trail = self._nearest(path)
        if node is None or len(trail) < len(path) or _unwritten(node):
            return self._key_position(trail)
        return self._node_position(node)

    def key_at(self, path: Path) -> Position:
        """Return where the key at a data path stands; an item of a list stands for itself."""
        return self._key_position(self._nearest(path)[1])

    def first_key(self, path: Path) -> Position:
        """Return the first key of the map at a data path, where what the map lacks is reported."""
        node, trail = self._nearest(path)
        if isinstance(node, Mapping) and node.keys:
            return self._node_position(next(iter(node.keys.values())))
        return self.at(trail)

    def inside(self, path: Path, line: int, column: int, length: int = 1) -> Position:
        """Map a line and column (from 1) within the text of the scalar at a path to the file.

        Follows quotes, escapes, folding and indentation. A place past the end is the place after the last character;
        a stretch over several lines of the file ends with the first.
        """
        node = self._nearest(path)[0]
        if not isinstance(node, Scalar) or _unwritten(node):
            return self.at(path)
        places = offsets(self.text, node)
        first = min(_offset(node.text, line, column), len(node.text.rstrip("\n")))  # not below a block
        last = min(first + max(1, length), len(node.text))
        return self.span(places[first], self._end(places, first, last))

    def span(self, start: int, end: int) -> Position:
        """Return the position of the characters from start (from 0) to end (exclusive), cut where the line ends."""
        start = min(max(start, 0), len(self.text))
        line = bisect_right(self._starts, start)
        first = self._starts[line - 1]
        last = min(end, first + len(self._line(line)))
        return Position(self.file, line, start - first + 1, max(1, last - start))

    def problem(self, position: Position, code: str, message: str, suggestion: str = "") -> Problem:
        """Return a problem of this file with the line it stands in."""
        message = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
        return Problem(position, code, message, suggestion, self._line(position.line))

    def node(self, path: Path) -> Node | None:
        """Return the node at a data path, or None."""
        node, trail = self._nearest(path)
        return node if len(trail) == len(path) else None

    def broken(self, path: Path) -> bool:
        """Say whether the value at a path was reported already, so that what a validator says of it is an echo."""
        node = self._nearest(path)[0]
        return node is not None and node.broken

    def _nearest(self, path: Path) -> tuple[Node | None, Path]:
        """Walk a path as far as it exists; return the last node and the way to it."""
        node = self.root
        for depth, part in enumerate(path):
            below = child(node, part) if node is not None else None
            if below is None:
                return node, path[:depth]
            node = below
        return node, path

    def _key_position(self, trail: Path) -> Position:
        if self.root is None or not trail:
            return self.first_key(()) if isinstance(self.root, Mapping) and self.root.keys else self.span(0, 1)
        parent = self._nearest(trail[:-1])[0]
        if isinstance(parent, Mapping):
            return self._node_position(parent.keys[str(trail[-1])])
        node = self._nearest(trail)[0]
        return self._node_position(node) if node is not None else self.span(0, 1)

    def _node_position(self, node: Node) -> Position:
        if isinstance(node, Mapping) and not node.flow and node.keys:
            return self._node_position(next(iter(node.keys.values())))
        if (isinstance(node, Scalar) and node.style in ("|", ">")) or (isinstance(node, Listing) and not node.flow):
            return self.span(node.start, node.start + 1)
        return self.span(node.start, node.end)

    def _line(self, line: int) -> str:
        end = self._starts[line] if line < len(self._starts) else len(self.text)
        return self.text[self._starts[line - 1] : end].rstrip("\r\n")

    def _end(self, places: list[int], first: int, last: int) -> int:
        """Return where a stretch of a value ends in the file: before the first line break that it holds."""
        last = next((at for at in range(first + 1, last) if self.text[places[at]] in "\r\n"), last)
        if last <= first:
            return places[first] + 1
        end = places[last]
        while end > places[last - 1] + 1 and self.text[end - 1].isspace():
            end -= 1  # the next character may stand on a later line, after trailing and leading space
        return end


def _unwritten(node: Node) -> bool:
    return node.start == node.end


def _offset(text: str, line: int, column: int) -> int:
    """Return the offset in a value of a line and column, clamped to what exists."""
    lines = text.split("\n")
    row = min(max(line, 1), len(lines)) - 1
    before = sum(len(each) + 1 for each in lines[:row])
    return before + min(max(column, 1) - 1, len(lines[row]))
