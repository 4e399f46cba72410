"""What a checker knows about a value: its kind, and which fields may follow it."""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

LeafKind = Literal["double", "int", "uint", "string", "bool", "timestamp", "duration", "bytes", "null", "type"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record; an optional one may be absent, so its use needs has()."""

    name: str
    shape: Shape
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """A closed record of fields, a map of any key to `item`, a list of `item`, a leaf, or "any"."""

    kind: str
    fields: tuple[Field, ...] = ()
    item: Shape | None = None

    @staticmethod
    def record(fields: Mapping[str, Shape], optional: Iterable[str] = ()) -> Shape:
        """Return a record with exactly these fields, some of them optional."""
        maybe = set(optional)
        return Shape("record", tuple(Field(name, shape, name in maybe) for name, shape in fields.items()))

    @staticmethod
    def map(item: Shape) -> Shape:
        """Return a map of any text to values of one shape."""
        return Shape("map", item=item)

    @staticmethod
    def list(item: Shape) -> Shape:
        """Return a list of values of one shape."""
        return Shape("list", item=item)

    @staticmethod
    def leaf(kind: LeafKind) -> Shape:
        """Return a value without fields."""
        return Shape(kind)

    def field(self, name: str) -> Field | None:
        """Return a field of a record, or None when it has none of that name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def member(self) -> Shape:
        """What the macros bind their variable to: an item of a list, a key of a map."""
        if self.kind == "list":
            return self.item or ANY
        return STRING if self.kind in ("map", "record") else ANY


ANY = Shape("any")
BOOL, DOUBLE, INT, STRING = Shape("bool"), Shape("double"), Shape("int"), Shape("string")
TIMESTAMP, DURATION, TYPE = Shape("timestamp"), Shape("duration"), Shape("type")

_LEAVES: tuple[tuple[type, Shape], ...] = (
    (bool, BOOL),
    (int, INT),
    (float, DOUBLE),
    (str, STRING),
    (bytes, Shape("bytes")),
    (datetime, TIMESTAMP),
    (date, TIMESTAMP),
    (timedelta, DURATION),
)


def shape_of(document: type[BaseModel]) -> Shape:
    """Return the shape of what model_dump(exclude_none=True) gives: fields that may be None are optional."""
    return _model(document, ())


def _model(document: type[BaseModel], above: tuple[type, ...]) -> Shape:
    if document in above:
        return ANY  # a model that contains itself has no finite shape
    fields = []
    for name, info in document.model_fields.items():
        shape, optional = _shape(info.annotation, (*above, document))
        fields.append(Field(name, shape, optional))
    return Shape("record", tuple(fields))


def _shape(annotation: Any, above: tuple[type, ...]) -> tuple[Shape, bool]:
    """Return the shape of an annotation, and whether it allows None."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape(arguments[0], above)
    if origin in (Union, types.UnionType):
        return _union(arguments, above)
    if origin is Literal:
        return _common([_leaf(type(each)) for each in arguments if each is not None]), None in arguments
    if isinstance(origin, type):
        return _collection(origin, arguments, above), False
    return (_class(annotation, above) if isinstance(annotation, type) else ANY), False


def _union(arguments: tuple[Any, ...], above: tuple[type, ...]) -> tuple[Shape, bool]:
    optional = type(None) in arguments
    found = [_shape(each, above) for each in arguments if each is not type(None)]
    return _common([shape for shape, _ in found]), optional or any(maybe for _, maybe in found)


def _collection(origin: type, arguments: tuple[Any, ...], above: tuple[type, ...]) -> Shape:
    if issubclass(origin, Mapping):
        item, _ = _shape(arguments[1], above)
        if get_origin(arguments[0]) is Literal:  # the only keys there can be
            names = [str(name) for name in get_args(arguments[0])]
            return Shape.record(dict.fromkeys(names, item), optional=names)
        return Shape.map(item)
    if issubclass(origin, (list, tuple, set, frozenset)):
        items = [_shape(each, above)[0] for each in arguments if each is not Ellipsis]
        return Shape.list(_common(items))
    return ANY


def _class(annotation: type, above: tuple[type, ...]) -> Shape:
    return _model(annotation, above) if issubclass(annotation, BaseModel) else _leaf(annotation)


def _leaf(annotation: type) -> Shape:
    return next((shape for base, shape in _LEAVES if issubclass(annotation, base)), ANY)


def _common(shapes: list[Shape]) -> Shape:
    """Return the one shape that all have, or any."""
    return shapes[0] if shapes and all(each == shapes[0] for each in shapes) else ANY
