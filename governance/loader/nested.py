"""A document that stands inside others, such as the card of a test: parts of it in one file, changes in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from governance.core.problem import Position, Problem
from governance.loader import Loaded
from governance.loader.source import Source
from governance.loader.tree import Path, child, data_of
from governance.loader.validation import document


@dataclass(frozen=True, slots=True)
class Layer:
    """A map that stands at `path` of a source; () is the whole file."""

    source: Source
    path: Path = ()

    def data(self) -> dict[str, Any]:
        """Return the map as plain data, {} where there is none."""
        node = self.source.root
        for part in self.path:
            node = child(node, part) if node is not None else None
        found = data_of(node) if node is not None else {}
        return found if isinstance(found, dict) else {}


class Layered(Source):
    """The text of a document whose top-level values come from layers; the last that has one counts."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        """Take the layers, the one that changes the others last."""
        last = layers[-1]
        super().__init__(last.source.file, last.source.text)
        self.root = last.source.root
        self._layers = layers

    def at(self, path: Path) -> Position:
        """Return where the value at a path of the document stands, in the file that says it."""
        layer = self._of(path)
        return layer.source.at((*layer.path, *path))

    def key_at(self, path: Path) -> Position:
        """Return where the key at a path of the document stands."""
        layer = self._of(path)
        return layer.source.key_at((*layer.path, *path))

    def first_key(self, path: Path) -> Position:
        """Return the first key of the map at a path of the document."""
        layer = self._of(path)
        return layer.source.first_key((*layer.path, *path))

    def inside(self, path: Path, line: int, column: int, length: int = 1) -> Position:
        """Map a line and column within a scalar of the document to its file."""
        layer = self._of(path)
        return layer.source.inside((*layer.path, *path), line, column, length)

    def broken(self, path: Path) -> bool:
        """Tell whether a value was reported already."""
        layer = self._of(path)
        return layer.source.broken((*layer.path, *path))

    def problem(self, position: Position, code: str, message: str, suggestion: str = "") -> Problem:
        """Return a problem at a position of one of the files, which shows its line."""
        source = next((each.source for each in self._layers if each.source.file == position.file), self)
        return Source.problem(source, position, code, message, suggestion)

    def _of(self, path: Path) -> Layer:
        if not path:
            return self._layers[-1]
        return next((each for each in reversed(self._layers) if path[0] in each.data()), self._layers[-1])


def nested(
    layers: Sequence[Layer], kind: str, kinds: Mapping[str, type[BaseModel]]
) -> tuple[Loaded[BaseModel] | None, list[Problem]]:
    """Read the document that the layers make together; a value of null takes one of an earlier layer away."""
    data: dict[str, Any] = {"kind": kind}
    for layer in layers:
        data |= {key: value for key, value in layer.data().items() if key != "kind"}
    source = Layered(layers)
    found, problems = document(source, {key: value for key, value in data.items() if value is not None}, kinds)
    return (Loaded(found, source) if found is not None and not problems else None), problems
