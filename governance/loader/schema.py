"""What a document's classes allow at a place: the names of fields, the choices of a value.

pydantic's errors do not say it; we follow the error's location through the annotations.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

Location = tuple[str | int, ...]
"""An error's `loc`: names, indexes, and labels of union members."""


def fields_at(root: type[BaseModel], location: Location) -> list[str]:
    """Return the names that authors may write in the map at a location, in the order of the class."""
    names: dict[str, None] = {}
    for annotation in _at(root, location):
        if _is_document(annotation):
            names.update(dict.fromkeys(name for name, _ in _fields(annotation)))
    return list(names)


def choices_at(root: type[BaseModel], location: Location) -> list[str]:
    """Return the values of the literals and enumerations that may stand at a location."""
    found: dict[str, None] = {}
    for annotation in _at(root, location):
        if get_origin(annotation) is Literal:
            found.update(dict.fromkeys(str(_plain(each)) for each in get_args(annotation)))
        elif isinstance(annotation, type) and issubclass(annotation, Enum):
            found.update(dict.fromkeys(str(each.value) for each in annotation))
    return list(found)


def _at(root: type[BaseModel], location: Location) -> list[Any]:
    """Return the annotations that may hold at a location."""
    current: list[Any] = [root]
    for part in location:
        below = [found for each in current for found in _below(each, part)]
        current = below or _labelled(current, part)
    return current


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    """Yield what may stand one step below an annotation."""
    arguments = get_args(annotation)
    if _is_document(annotation):
        for name, field in _fields(annotation):
            if name == part:
                yield from _members(field.annotation)
    elif isinstance(part, int):
        for each in arguments[:1]:
            yield from _members(each)
    elif len(arguments) == 2 and get_origin(annotation) is not Literal:  # a map from names to values
        yield from _members(arguments[1])


def _labelled(members: list[Any], label: str | int) -> list[Any]:
    """Keep the members of a union that a label names; all where it names none."""
    named = [each for each in members if getattr(each, "__name__", None) == label or label in _tags(each)]
    return named or members


def _tags(annotation: Any) -> set[Any]:
    if not _is_document(annotation):
        return set()
    literals = [each.annotation for _, each in _fields(annotation) if get_origin(each.annotation) is Literal]
    return {_plain(tag) for each in literals for tag in get_args(each)}


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of an annotation without Annotated, aliases and unions around them."""
    if isinstance(annotation, TypeVar):
        annotation = annotation.__bound__
    if hasattr(annotation, "__value__"):  # a named alias
        yield from _members(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for each in get_args(annotation):
            yield from _members(each)
    else:
        yield annotation


def _fields(document: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields under the names that authors write."""
    by_name = bool(document.model_config.get("populate_by_name") or document.model_config.get("validate_by_name"))
    for name, field in document.model_fields.items():
        alias = field.validation_alias or field.alias
        aliases = alias.choices if isinstance(alias, AliasChoices) else [alias]
        written = [each for each in aliases if isinstance(each, str)]
        for each in dict.fromkeys([*written, *([name] if by_name or not written else [])]):
            yield each, field


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _is_document(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
