"""What checking a file finds: a message, where it stands, and what the author may have meant."""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import combining, east_asian_width

_WIDEST = 160  # columns of a source line that are shown; longer lines are shown around the position
_BEFORE = 60  # of these, how many before the position


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A stretch of one line; line and column count from 1, in characters."""

    file: str
    line: int
    column: int
    length: int = 1

    def __str__(self) -> str:
        """Return file:line:column, which editors and terminals make clickable."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a file; `code` is kebab-case, `source` the text of the line."""

    position: Position
    code: str
    message: str
    suggestion: str = ""
    source: str = ""

    def render(self) -> str:
        """Return the problem as people read it: the message, the line, and carets below the place."""
        hint = f" {self.suggestion}" if self.suggestion and not self.source.strip() else ""
        head = f"{self.position}: error[{self.code}]: {self.message}{hint}"
        return printable(head) + (f"\n{self._excerpt()}" if self.source.strip() else "")

    def _excerpt(self) -> str:
        at = self.position
        text, column = _window(self.source.rstrip(), at.column - 1)
        text = printable(text)
        length = max(1, min(at.length, len(text) - column))
        gutter = max(5, len(str(at.line)) + 1)
        carets = "^" * _width(text[column : column + length] or " ")
        line = f"{' ' * _width(text[:column])}{' ' * max(0, column - len(text))}{carets} {self.suggestion}".rstrip()
        return f"{at.line:>{gutter}} | {text}\n{' ' * gutter} | {line}"


def printable(text: str) -> str:
    """Return the text with what a terminal would obey, such as escape sequences, made harmless."""
    return "".join(each if each.isprintable() else " " if each == "\t" else "�" for each in text)


def _window(text: str, column: int) -> tuple[str, int]:
    """Cut a long line around a column (from 0); return the cut and the column within it."""
    if len(text) <= _WIDEST:
        return text, column
    first = max(0, column - _BEFORE)
    cut = text[first : first + _WIDEST]
    head, tail = "…" if first else "", "…" if first + _WIDEST < len(text) else ""
    return f"{head}{cut}{tail}", column - first + len(head)


def _width(text: str) -> int:
    """Return how many terminal cells the text fills."""
    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)
