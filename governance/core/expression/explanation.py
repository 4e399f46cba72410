"""Why an expression is true or false: its conditions with their outcomes and the values they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.expression import syntax
from governance.core.expression.problem import EvaluationFailed, Missing
from governance.core.expression.syntax import Node

_SHOWN = (str, bool, int, float, datetime, timedelta)  # lists and maps would drown the line


@dataclass(frozen=True, slots=True)
class Term:
    """One condition as its author wrote it; `outcome` is None where data is missing or it has none.

    `values` are the references and fields in it with their values, None for those that are missing.
    """

    text: str
    outcome: bool | None
    values: tuple[tuple[str, object], ...]


def terms(text: str, node: Node, evaluate: Callable[[Node], object]) -> Iterator[Term]:
    """Yield the conditions that && || ! and ?: join; of a ?: the branch that was taken, both if that is unknown."""
    match node:
        case syntax.Logic(terms=parts):
            for part in parts:
                yield from terms(text, part, evaluate)
        case syntax.Unary(operator="!", operand=operand):
            yield from terms(text, operand, evaluate)
        case syntax.Conditional(test=test, yes=yes, no=no):
            yield from terms(text, test, evaluate)
            taken = {True: (yes,), False: (no,)}.get(_outcome(test, evaluate), (yes, no))  # type: ignore[arg-type]
            for part in taken:
                yield from terms(text, part, evaluate)
        case _:
            found = dict(_values(text, node, evaluate, frozenset()))
            yield Term(_source(text, node), _outcome(node, evaluate), tuple(found.items()))


def _outcome(node: Node, evaluate: Callable[[Node], object]) -> bool | None:
    value = _value(node, evaluate)
    return value if isinstance(value, bool) else None


def _value(node: Node, evaluate: Callable[[Node], object]) -> object:
    try:
        return evaluate(node)
    except (Missing, EvaluationFailed):
        return None


def _values(
    text: str, node: Node, evaluate: Callable[[Node], object], hidden: frozenset[str]
) -> Iterator[tuple[str, object]]:
    """Yield the references and paths below a node; variables of macros are hidden, they have many values."""
    names = syntax.path(node)
    if isinstance(node, syntax.Bound) or names:
        value = None if names and names[0] in hidden else _value(node, evaluate)
        if not (names and names[0] in hidden) and (value is None or isinstance(value, _SHOWN)):
            yield _source(text, node), value
        return
    if isinstance(node, syntax.Comprehension):
        yield from _values(text, node.operand, evaluate, hidden)
        hidden |= {node.variable, node.second}
        inner = syntax.parts(node)[1:]
    else:
        inner = syntax.parts(node)
    for part in inner:
        yield from _values(text, part, evaluate, hidden)


def _source(text: str, node: Node) -> str:
    """Return a node's text on one line."""
    return " ".join(text[slice(*node.span)].split())
