"""What a checker knows about a value: its kind, and which fields may follow it."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    """A closed record of fields, a map of any key to `item`, a list of `item`, a leaf, or "any".

    `values` are all that there can be, where that is known; numbers lie from `low` to `high`, durations so in seconds;
    a list or map has at most `longest` items, None where nothing says so.
    """

    kind: str
    fields: tuple[Field, ...] = ()
    item: Shape | None = None
    values: tuple[object, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    longest: int | None = None

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
    def list(item: Shape, longest: int | None = None) -> Shape:
        """Return a list of values of one shape, at most `longest` of them."""
        return Shape("list", item=item, longest=longest)

    @staticmethod
    def leaf(kind: LeafKind) -> Shape:
        """Return a value without fields."""
        return Shape(kind)

    @staticmethod
    def one_of(values: Sequence[object]) -> Shape:
        """Return what is one of these values, all of one kind; of numbers the bounds are known too."""
        kind = _leaf(type(values[0])).kind
        if kind not in ("int", "double", "duration"):
            return Shape(kind, values=tuple(values))
        sizes = [each.total_seconds() if isinstance(each, timedelta) else each for each in values]
        return Shape(kind, values=tuple(values), low=min(sizes), high=max(sizes))  # type: ignore[type-var, arg-type]

    def within(self, low: float, high: float = math.inf) -> Shape:
        """Return the same with bounds."""
        return replace(self, low=low, high=high)

    @property
    def plain(self) -> Shape:
        """The same without what is known of its values."""
        return replace(self, values=(), low=-math.inf, high=math.inf)

    def field(self, name: str) -> Field | None:
        """Return a field of a record, or None when it has none of that name."""
        return next((field for field in self.fields if field.name == name), None)

    @property
    def member(self) -> Shape:
        """What the macros bind their variable to: an item of a list, a key of a map."""
        if self.kind == "list":
            return self.item or ANY
        if self.kind == "record":
            return Shape.one_of([each.name for each in self.fields]) if self.fields else STRING
        return STRING if self.kind == "map" else ANY

    @property
    def element(self) -> Shape:
        """What is judged one by one: an item of a list, a value of a map or record."""
        return joined([each.shape for each in self.fields]) if self.kind == "record" else self.item or ANY


def joined(shapes: Iterable[Shape]) -> Shape:
    """Return what is true of all shapes: their one kind, the values and bounds of any of them; ANY of many kinds."""
    found = list(shapes)
    if not found or any(each.kind != found[0].kind or each.fields != found[0].fields for each in found):
        return ANY
    if all(each == found[0] for each in found):
        return found[0]
    closed = all(each.values for each in found)
    values = tuple(dict.fromkeys(value for each in found for value in each.values)) if closed else ()
    lengths = [each.longest for each in found]
    return replace(
        found[0],
        item=joined(each.item or ANY for each in found) if found[0].item else None,
        values=values,
        low=min(each.low for each in found),
        high=max(each.high for each in found),
        longest=None if None in lengths else max(lengths),  # type: ignore[type-var] # none of them is None
    )


ANY = Shape("any")
BOOL, DOUBLE, INT, STRING = Shape("bool"), Shape("double"), Shape("int"), Shape("string")
TIMESTAMP, DURATION, TYPE = Shape("timestamp"), Shape("duration"), Shape("type")
OPTIONAL = Shape("optional")

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
        known = [each for each in arguments if each is not None]
        same = len({type(each) for each in known}) == 1
        return (Shape.one_of(known) if same else ANY), None in arguments
    if isinstance(origin, type):
        return _collection(origin, arguments, above), False
    return (_class(annotation, above) if isinstance(annotation, type) else ANY), False


def _union(arguments: tuple[Any, ...], above: tuple[type, ...]) -> tuple[Shape, bool]:
    optional = type(None) in arguments
    found = [_shape(each, above) for each in arguments if each is not type(None)]
    return joined([shape for shape, _ in found]), optional or any(maybe for _, maybe in found)


def _collection(origin: type, arguments: tuple[Any, ...], above: tuple[type, ...]) -> Shape:
    if issubclass(origin, Mapping):
        item, _ = _shape(arguments[1], above)
        if get_origin(arguments[0]) is Literal:  # the only keys there can be
            names = [str(name) for name in get_args(arguments[0])]
            return Shape.record(dict.fromkeys(names, item), optional=names)
        return Shape.map(item)
    if issubclass(origin, (list, tuple, set, frozenset)):
        items = [_shape(each, above)[0] for each in arguments if each is not Ellipsis]
        fixed = issubclass(origin, tuple) and Ellipsis not in arguments
        return Shape.list(joined(items), len(items) if fixed else None)
    return ANY


def _class(annotation: type, above: tuple[type, ...]) -> Shape:
    return _model(annotation, above) if issubclass(annotation, BaseModel) else _leaf(annotation)


def _leaf(annotation: type) -> Shape:
    return next((shape for base, shape in _LEAVES if issubclass(annotation, base)), ANY)
