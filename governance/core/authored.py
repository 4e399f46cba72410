"""Text that people wrote, with the file and position it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from governance.core.problem import Position, Problem

D_co = TypeVar("D_co", covariant=True)
Path = tuple[str | int, ...]


class SourceText(Protocol):
    """The text of one file that knows where each value stands."""

    @property
    def file(self) -> str:
        """The name shown to people."""
        ...

    @property
    def lines(self) -> Sequence[str]:
        """The lines without their ends."""
        ...

    def at(self, path: Path) -> Position:
        """Return where the value at `path` begins."""
        ...

    def key_at(self, path: Path) -> Position:
        """Return where the key of the value at `path` begins."""
        ...

    def inside(self, path: Path, line: int, column: int, length: int = 1) -> Position:
        """Return where a 1-based line and column within the scalar at `path` stand in the file."""
        ...


class Authored(Protocol, Generic[D_co]):
    """A document with its source."""

    @property
    def document(self) -> D_co:
        """The parsed document."""
        ...

    @property
    def source(self) -> SourceText:
        """The text it was parsed from."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """One scalar of a document, such as an expression, that problems can point into."""

    text: str
    source: SourceText
    path: Path

    def position(self) -> Position:
        """Return where the scalar begins."""
        return self.source.at(self.path)

    def problem(
        self, code: str, message: str, suggestion: str = "", *, at: tuple[int, int, int] | None = None
    ) -> Problem:
        """Return a problem at (line, column, length) within the scalar, or at the whole of its first line."""
        place = at or (1, 1, len(self.text.partition("\n")[0]))
        return problem_at(self.source, self.source.inside(self.path, *place), code, message, suggestion)


def problem_at(source: SourceText, position: Position, code: str, message: str, suggestion: str = "") -> Problem:
    """Return a problem that shows the line it stands on."""
    line = source.lines[position.line - 1] if 0 < position.line <= len(source.lines) else ""
    return Problem(position, code, message, suggestion, line)
