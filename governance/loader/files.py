"""From paths to texts: which files are meant, and what keeps one from being read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from governance.core.problem import Position, Problem
from governance.loader import limits

_ENDINGS = (".yaml", ".yml")
TESTS = (".test.yaml", ".test.yml")
"""How the names of files end that hold policy tests."""


def yaml_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that are meant, each once and in sorted order below each directory.

    A directory means every YAML file below it but hidden ones and tests. A path that is missing is returned as it is.
    """
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_below(path) if path.is_dir() else [path]))
    return list(found)


def test_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that hold policy tests: those that are named, and those called *.test.yaml below directories."""
    found: dict[Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(_below(path, tests=True) if path.is_dir() else [path]))
    return list(found)


def is_test(path: Path) -> bool:
    """Tell whether a file holds policy tests, by its name."""
    return path.name.endswith(TESTS)


def shown(path: Path) -> str:
    """Return the name of a file as people see it: relative to the current directory where possible."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def read(path: Path) -> tuple[str, list[Problem]]:
    """Return the text of a file, or "" and why it cannot be read."""
    start = Position(shown(path), 1, 1)
    try:
        if path.exists() and not path.is_file():
            what = "a directory; only files are called so" if path.is_dir() else "not a regular file"
            return "", [Problem(start, "unreadable-file", f"this is {what}")]
        with path.open("rb") as file:
            content = file.read(limits.LARGEST + 1)
    except FileNotFoundError:
        return "", [Problem(start, "missing-file", "no such file or directory")]
    except OSError as error:
        return "", [Problem(start, "unreadable-file", f"cannot be read: {error.strerror or error}")]
    if len(content) > limits.LARGEST:
        return "", [limits.too_large(shown(path))]
    return _decoded(content, start)


def _decoded(content: bytes, start: Position) -> tuple[str, list[Problem]]:
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        what = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else f"the byte 0x{content[error.start]:02X} here"
        message = f"not UTF-8: {what}; save the file as UTF-8"
        rest = content[error.start - len(before.rpartition("\n")[2].encode()) :].split(b"\n", 1)[0]
        text = rest[:1000].decode("utf-8", "replace")
        return "", [Problem(Position(start.file, line, column), "not-utf-8", message, source=text)]


def _below(directory: Path, *, tests: bool = False) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(directory).parts)
        wanted = path.suffix in _ENDINGS and is_test(path) == tests
        if wanted and not hidden:
            yield path  # whatever it is: what cannot be read must not be passed over without a word
