"""Documents of other tools as they were written, with the line of each value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from governance.core.problem import printable
from governance.errors import InvalidDocument, NotFound

LARGEST = 10 * 1024 * 1024
_MOST = 200_000
"""Values of a document; one that repeats itself by aliases soon has more."""
Place = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Foreign:
    """One document: what it says, and the line on which each value begins."""

    file: str
    data: Any
    lines: dict[Place, int]

    def line(self, *place: str | int) -> int:
        """Return the line of a value, of the nearest around it where it is not written."""
        for length in range(len(place), -1, -1):
            if place[:length] in self.lines:
                return self.lines[place[:length]]
        return 1


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be taken over, or that means something else here."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A card drafted from another document: its values, the sources it needs, and what could not be taken over."""

    origin: str
    card: dict[str, object]
    sources: dict[str, dict[str, object]]
    notes: tuple[Note, ...]


def read(path: Path) -> str:
    """Return the text of a file.

    :raises NotFound: when there is none
    :raises InvalidDocument: when it is too large or no text
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InvalidDocument(f"{path} is larger than {LARGEST // 1024 // 1024} MB")
        return content.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise NotFound(f"no file {path}") from error
    except UnicodeDecodeError as error:
        raise InvalidDocument(f"{path} is not UTF-8: byte {error.start}") from error
    except OSError as error:
        raise InvalidDocument(f"{path} cannot be read: {error.strerror}") from error


def documents(file: str, text: str, first_line: int = 1) -> list[Foreign]:
    """Return every document of a YAML stream.

    :raises InvalidDocument: with the position, where it cannot be read
    """
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
        return [_document(file, node, first_line) for node in nodes if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + first_line}:{mark.column + 1}" if mark is not None else file
        raise InvalidDocument(f"{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise InvalidDocument(f"{file}: {str(error).splitlines()[0]}") from error
    except RecursionError as error:
        raise InvalidDocument(f"{file} is nested too deeply") from error


def texts(value: object) -> str:
    """Return a value as one line of text, without what a terminal would obey."""
    return printable(" ".join(str(value).split())) if value is not None else ""


def mapping(value: object) -> dict[str, Any]:
    """Return a map, an empty one of anything else."""
    return value if isinstance(value, dict) else {}


def listing(value: object) -> list[Any]:
    """Return a list, an empty one of anything else."""
    return value if isinstance(value, list) else []


def _document(file: str, node: yaml.Node, first_line: int) -> Foreign:
    lines: dict[Place, int] = {}
    constructor = yaml.SafeLoader("")

    def plain(each: yaml.Node, place: Place) -> Any:
        lines[place] = each.start_mark.line + first_line
        if len(lines) > _MOST:
            raise InvalidDocument(f"{file} holds more than {_MOST:,} values, or repeats them by aliases")
        if isinstance(each, yaml.MappingNode):
            return {key: plain(value, (*place, key)) for key, value in _pairs(each)}
        if isinstance(each, yaml.SequenceNode):
            return [plain(value, (*place, index)) for index, value in enumerate(each.value)]
        try:
            return constructor.construct_object(each)
        except (ValueError, yaml.YAMLError):
            return each.value  # a date that is none, a tag of another program

    return Foreign(file, plain(node, ()), lines)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    for key, value in node.value:
        yield str(key.value), value
