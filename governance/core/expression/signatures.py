"""Which functions there are, with how many arguments, and what they return."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from governance.core.expression import library
from governance.core.expression.reference import Stretch
from governance.core.expression.shape import (
    ANY,
    DOUBLE,
    DURATION,
    INT,
    TYPE,
    Shape,
)
from governance.core.expression.values import a_kind

AGGREGATES = ("avg", "count", "max", "min", "sum")
VIEWS: Mapping[str, Shape] = {"samples": DOUBLE.within(0), "age": DURATION, "series": ANY}
STRETCHES: tuple[Stretch, ...] = get_args(Stretch)
BUDGETS: Mapping[str, Shape] = {
    "burn_rate": DOUBLE.within(0),
    "budget_left": DOUBLE.within(-math.inf, 1),
    "time_to_exhaustion": DURATION.within(0),
}
EXPANDED = (*AGGREGATES, *VIEWS, *STRETCHES, *BUDGETS)
"""Functions that no evaluation calls: a reference takes their place when the expression is loaded."""
_WINDOW = ", '7d'"
MACROS = (
    *("all", "exists", "exists_one", "existsOne", "filter", "map", "has"),
    *("transformList", "transformMap", "transformMapEntry", "optMap", "optFlatMap"),
)


_LEAVES = ("bool", "int", "uint", "double", "string", "bytes", "duration", "timestamp")
_SHAPES = {
    **{name: Shape(name) for name in _LEAVES},
    **{f"list<{name}>": Shape.list(Shape(name)) for name in _LEAVES},
    "size": INT.within(0),
    "list": Shape.list(ANY),
    "map": Shape.map(ANY),
    "any": ANY,
    "optional": Shape("optional"),
    "type": TYPE,
}


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function: the kinds of the value before the dot (None: f(…)) and of each argument."""

    target: frozenset[str] | None
    arguments: tuple[frozenset[str], ...]
    result: Shape
    more: bool = False

    def takes(self, target: Shape | None, arguments: Sequence[Shape]) -> bool:
        """Tell whether values of these shapes can be given; an unknown one can."""
        if (target is None) != (self.target is None) or not self.counts(len(arguments)):
            return False
        given = [(target, self.target), *((shape, self.kinds(at)) for at, shape in enumerate(arguments))]
        return all(shape is None or kinds is None or accepts(kinds, shape) for shape, kinds in given)

    def kinds(self, at: int) -> frozenset[str]:
        """Return which kinds of value the argument of this number may have."""
        return self.arguments[min(at, len(self.arguments) - 1)]

    def counts(self, count: int) -> bool:
        """Tell whether it can be called with so many arguments."""
        return count == len(self.arguments) or (self.more and count > len(self.arguments))


def accepts(kinds: frozenset[str], shape: Shape) -> bool:
    """Tell whether a value of a shape is of one of these kinds."""
    kind = "map" if shape.kind == "record" else shape.kind
    return kind == "any" or "any" in kinds or kind in kinds


_ACCESSORS = ("getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getMonth")
_CLOCK = ("getHours", "getMilliseconds", "getMinutes", "getSeconds")
# value.function(arguments): result; kinds that are taken alike are joined by |, "…" repeats the last argument.
_DECLARED = (
    *("bool(bool|string): bool", "bytes(bytes|string): bytes", "double(int|uint|double|string): double"),
    *("duration(duration|string): duration", "dyn(any): any", "int(int|uint|double|string|timestamp): int"),
    *("seconds(duration|string): double", "type(any): type", "uint(int|uint|double|string): uint"),
    "string(bool|int|uint|double|string|bytes|timestamp|duration): string",
    "timestamp(timestamp|string|int): timestamp",
    *("size(string|bytes|list|map): size", "string|bytes|list|map.size(): size"),
    *("string.contains(string): bool", "string.startsWith(string): bool", "string.endsWith(string): bool"),
    *("matches(string, string): bool", "string.matches(string): bool"),
    *(f"timestamp.{name}(): int" for name in (*_ACCESSORS, *_CLOCK)),
    *(f"timestamp.{name}(string): int" for name in (*_ACCESSORS, *_CLOCK)),
    *(f"duration.{name}(): int" for name in _CLOCK),
    # extensions for texts
    *("string.charAt(int): string", "string.indexOf(string): int", "string.indexOf(string, int): int"),
    *("string.lastIndexOf(string): int", "string.lastIndexOf(string, int): int", "list.join(): string"),
    *("list.join(string): string", "string.lowerAscii(): string", "string.upperAscii(): string"),
    *("string.replace(string, string): string", "string.replace(string, string, int): string"),
    *("string.split(string): list<string>", "string.split(string, int): list<string>", "string.trim(): string"),
    *("string.substring(int): string", "string.substring(int, int): string", "string.reverse(): string"),
    *("string.format(list): string", "strings.quote(string): string"),
    # extensions for numbers
    *(f"math.{name}(int|uint|double|list…): any" for name in ("greatest", "least")),
    *(f"math.{name}(double): double" for name in ("ceil", "floor", "round", "trunc")),
    *(f"math.{name}(double): bool" for name in ("isNaN", "isInf", "isFinite")),
    *("math.sqrt(int|uint|double): double", "math.sign(int|uint|double): any", "math.abs(int|uint|double): any"),
    *(f"math.{name}(int|uint, int|uint): any" for name in ("bitAnd", "bitOr", "bitXor")),
    *(f"math.{name}(int|uint, int): any" for name in ("bitShiftLeft", "bitShiftRight")),
    "math.bitNot(int|uint): any",
    *("base64.encode(bytes): string", "base64.decode(string): bytes"),
    # optional values
    *("optional.none(): optional", "optional.of(any): optional", "optional.ofNonZeroValue(any): optional"),
    *("optional.hasValue(): bool", "optional.value(): any", "optional.orValue(any): any"),
    "optional.or(optional): optional",
)
_THERE_ARE = library.PURE.keys() | library.METERED.keys()
_FORM = re.compile(r"(?:([a-z0-9|]+)\.)?(\w+)\((.*?)(…?)\): (.+)")


def _overload(text: str) -> tuple[str, Overload]:
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(text)
    target, name, arguments, more, result = found.groups()
    if f"{target}.{name}" in _THERE_ARE:  # math.sqrt is a function, not a method
        target, name = None, f"{target}.{name}"
    kinds = tuple(frozenset(each.split("|")) for each in arguments.split(", ") if each)
    return name, Overload(frozenset(target.split("|")) if target else None, kinds, _SHAPES[result], bool(more))


def _signatures() -> Mapping[str, tuple[Overload, ...]]:
    found: dict[str, tuple[Overload, ...]] = {}
    for name, overload in map(_overload, _DECLARED):
        found[name] = (*found.get(name, ()), overload)
    return {name: overloads for name, overloads in found.items() if name in _THERE_ARE}


SIGNATURES: Mapping[str, tuple[Overload, ...]] = _signatures()
"""How each function that there is may be called."""
KNOWN = (*SIGNATURES, *EXPANDED, *MACROS)


def example(function: str) -> str:
    """Return how a function over a metric or an SLO is written."""
    if function in BUDGETS:
        return f"{function}(slos.<name>{_WINDOW if function == 'burn_rate' else ''})"
    quantile = "0.95, " if function == "quantile_over_time" else ""
    return f"{function}({quantile}metrics.<name>{_WINDOW if function in STRETCHES else ''})"


def counted(overloads: Sequence[Overload]) -> str:
    """Return "1 argument", "0 or 1 arguments"."""
    counts = sorted({len(each.arguments) for each in overloads})
    if any(each.more for each in overloads):
        return f"at least {counts[0]} argument" + ("" if counts[0] == 1 else "s")
    return " or ".join(map(str, counts)) + (" argument" if counts == [1] else " arguments")


def either(kinds: frozenset[str]) -> str:
    """Return "an int or a double", in the order in which kinds are listed here."""
    order = [*_LEAVES, "list", "map", "optional", "any", "type"]
    named = [a_kind(each) for each in sorted(kinds, key=order.index)]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} or {named[-1]}"
