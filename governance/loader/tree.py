"""A parsed YAML file as a tree in which every value knows where it stands.

Offsets count characters of the file's text from 0; `end` is exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Path = tuple[str | int, ...]
"""The way from the document to a value: names and list indexes."""


@dataclass(slots=True)
class Scalar:
    """One scalar: its text as YAML reads it, its style ("" plain, ' " | >) and what it stands for."""

    start: int
    end: int
    text: str = ""
    style: str = ""
    data: Any = None
    broken: bool = False  # reported already; what a validator says about it is an echo


@dataclass(slots=True)
class Mapping:
    """A map; `keys` holds where each key stands, under the same names as `entries`."""

    start: int
    end: int
    flow: bool = False
    keys: dict[str, Scalar] = field(default_factory=dict)
    entries: dict[str, Node] = field(default_factory=dict)
    broken: bool = False


@dataclass(slots=True)
class Listing:
    """A list."""

    start: int
    end: int
    flow: bool = False
    items: list[Node] = field(default_factory=list)
    broken: bool = False


Node = Scalar | Mapping | Listing


def data_of(node: Node) -> Any:
    """Return the plain Python value of a node."""
    if isinstance(node, Scalar):
        return node.data
    if isinstance(node, Listing):
        return [data_of(each) for each in node.items]
    return {key: data_of(value) for key, value in node.entries.items()}


def child(node: Node, part: str | int) -> Node | None:
    """Return the value one step below a node, or None."""
    if isinstance(node, Mapping) and isinstance(part, str):
        return node.entries.get(part)
    if isinstance(node, Listing) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part]
    return None
