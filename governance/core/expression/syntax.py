"""The syntax tree of an expression; spans are (start, end) offsets into its text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, get_args

from governance.core.expression.reference import Reference

Span: TypeAlias = tuple[int, int]
_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: object
    span: Span


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a variable of a macro, or a type; an absolute one (.x) is never a variable of a macro."""

    name: str
    span: Span
    absolute: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """operand.field; `double` says that its value is declared to be one, though it may be written 5.

    An optional one, operand.?field, gives an optional value.
    """

    operand: Node
    field: str
    span: Span
    field_span: Span
    double: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """has(operand), where the operand selects a field."""

    operand: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Index:
    """operand[key], or operand[?key], which gives an optional value."""

    operand: Node
    key: Node
    span: Span
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """function(arguments) or target.function(arguments)"""

    function: str
    target: Node | None
    arguments: tuple[Node, ...]
    span: Span
    name_span: Span


@dataclass(frozen=True, slots=True)
class Comprehension:
    """operand.macro(variable, body) or operand.map(variable, condition, body)

    With a `second` variable, the first is the index or key and the second the item. The macros "bind" (of cel.bind),
    "optMap" and "optFlatMap" bind their variable once, to the operand or the value in it.
    """

    macro: str
    operand: Node
    variable: str
    condition: Node | None
    body: Node
    span: Span
    second: str = ""


@dataclass(frozen=True, slots=True)
class Unary:
    """A sign or a negation."""

    operator: str
    operand: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, a comparison or `in`."""

    operator: str
    left: Node
    right: Node
    span: Span


@dataclass(frozen=True, slots=True)
class Logic:
    """Two or more terms joined by the same && or ||; a list, so that a long condition is not a deep tree."""

    operator: str
    terms: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Conditional:
    """test ? yes : no"""

    test: Node
    yes: Node
    no: Node
    span: Span


@dataclass(frozen=True, slots=True)
class ListOf:
    """[items]; of those whose index is among the optional ones only the value is an item, if there is one."""

    items: tuple[Node, ...]
    span: Span
    optional: frozenset[int] = _NONE


@dataclass(frozen=True, slots=True)
class MapOf:
    """{key: value, …}; entries whose index is among the optional ones are there if their value is."""

    entries: tuple[tuple[Node, Node], ...]
    span: Span
    optional: frozenset[int] = _NONE


@dataclass(frozen=True, slots=True)
class Bound:
    """A reference to a metric, whose value arrives with each evaluation."""

    reference: Reference
    span: Span


Node: TypeAlias = (
    Literal
    | Name
    | Select
    | Has
    | Index
    | Call
    | Comprehension
    | Unary
    | Binary
    | Logic
    | Conditional
    | ListOf
    | MapOf
    | Bound
)

KINDS = get_args(Node)


def parts(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below a node, in the order of the text."""
    match node:
        case Select(operand=operand) | Has(operand=operand) | Unary(operand=operand):
            return (operand,)
        case Index(operand=operand, key=key):
            return (operand, key)
        case Call(target=target, arguments=arguments):
            return arguments if target is None else (target, *arguments)
        case Comprehension(operand=operand, condition=condition, body=body):
            return (operand, body) if condition is None else (operand, condition, body)
        case Binary(left=left, right=right):
            return (left, right)
        case Logic(terms=terms):
            return terms
        case Conditional(test=test, yes=yes, no=no):
            return (test, yes, no)
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(each for entry in entries for each in entry)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    yield node
    for part in parts(node):
        yield from walk(part)


def path(node: Node) -> tuple[str, ...] | None:
    """Return the names along card.data['retention'] as ("card", "data", "retention"), or None for anything else."""
    match node:
        case Name(name=name):
            return (name,)
        case Select(operand=operand, field=field, optional=False):
            base = path(operand)
            return base and (*base, field)
        case Index(operand=operand, key=Literal(value=str(key)), optional=False):
            base = path(operand)
            return base and (*base, key)
        case _:
            return None
