"""Read YAML into documents: every problem of every file in one pass, each with its place and a suggestion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from governance.core.problem import Problem
from governance.loader import files, limits
from governance.loader.parsing import parse
from governance.loader.source import Source
from governance.loader.tree import Scalar, data_of
from governance.loader.validation import document

__all__ = ["Documents", "Loaded", "Source", "load", "load_text"]

D_co = TypeVar("D_co", bound=BaseModel, covariant=True)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[D_co]):
    """A document and where each of its values stands."""

    document: D_co
    source: Source


@dataclass(frozen=True, slots=True)
class Documents:
    """What was read from some paths, in the order of the files, and what is wrong with them, sorted by position.

    `salvaged` are documents without what is wrong in their form: to be checked further, never to be put in force.
    """

    loaded: tuple[Loaded[BaseModel], ...]
    problems: tuple[Problem, ...]
    salvaged: tuple[Loaded[BaseModel], ...] = ()


def load(paths: Sequence[Path], kinds: Mapping[str, type[BaseModel]]) -> Documents:
    """Read every file and every YAML file below every directory; `kinds` maps the value of `kind:` to its class."""
    loaded: list[Loaded[BaseModel]] = []
    salvaged: list[Loaded[BaseModel]] = []
    problems: list[Problem] = []
    for path in files.yaml_files(paths):
        text, unreadable = files.read(path)
        one, found = (None, unreadable) if unreadable else _read(text, files.shown(path), kinds)
        if one is not None:
            (salvaged if found else loaded).append(one)
        problems += found
    ordered = sorted(problems, key=lambda problem: problem.position)
    return Documents(tuple(loaded), tuple(ordered), tuple(salvaged))


def load_text(
    text: str, file: str, kinds: Mapping[str, type[BaseModel]]
) -> tuple[Loaded[BaseModel] | None, list[Problem]]:
    """Read one text; the document is None where there is any problem. `file` is the name to show."""
    one, problems = _read(text, file, kinds)
    return (None if problems else one), problems


def _read(text: str, file: str, kinds: Mapping[str, type[BaseModel]]) -> tuple[Loaded[BaseModel] | None, list[Problem]]:
    """Read one text; with problems, the document is what could be salvaged."""
    text = text.removeprefix("\ufeff")  # the byte order mark that some editors write
    if len(text) > limits.LARGEST:
        return None, [limits.too_large(file)]
    source = Source(file, text)
    try:
        return _loaded(source, kinds)
    except Exception as error:  # noqa: BLE001  one file must not keep the others from being checked
        message = f"checking this file failed: {type(error).__name__}: {error}"
        return None, [source.problem(source.at(()), "internal-error", message)]


def _loaded(source: Source, kinds: Mapping[str, type[BaseModel]]) -> tuple[Loaded[BaseModel] | None, list[Problem]]:
    root, problems = parse(source)
    if root is None or (isinstance(root, Scalar) and root.data is None):
        if not problems:
            message = f"the file is empty; start with kind: and one of {', '.join(sorted(kinds))}"
            problems = [source.problem(source.span(0, 1), "empty-file", message)]
        return None, limits.at_most(problems)
    source.root = root
    one, wrong = document(source, data_of(root), kinds)
    problems = limits.at_most(sorted([*problems, *wrong], key=lambda problem: problem.position))
    return (Loaded(one, source) if one is not None else None), problems
