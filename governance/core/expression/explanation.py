"""Why an expression is true or false: its conditions with their outcomes and the values they rest on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias, get_args

from governance.core.expression import syntax
from governance.core.expression.conditions import truth
from governance.core.expression.display import displayed
from governance.core.expression.problem import EvaluationFailed, Missing
from governance.core.expression.syntax import Node

Evaluate: TypeAlias = Callable[[Node], object]
_NODES = get_args(Node)
_SHOWN = (str, bool, int, float, datetime, timedelta)  # lists and maps would drown the line
_DECIDES = {"all": False, "exists": True, "exists_one": True, "existsOne": True, "filter": True}
_MOST_ITEMS = 3  # that are shown of those that decided
_MOST_JUDGED = 500  # items in search of them
_CONSTANTS = ("true", "false", "null")
_LONGEST = 60  # characters of an item or a text


@dataclass(frozen=True, slots=True)
class Item:
    """An item that decided a macro: the first for which `all` is false or `exists` true, or one that `filter` kept."""

    name: str
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """One condition as its author wrote it; `outcome` is None where data is missing or it has none.

    `values` are the references and fields in it with their values, None for those that are missing, and `computed` what
    is made of them, as arithmetic or size(…). `line` is the text with the values: "metrics.recall 0.54 < 0.60". `items`
    are those that decided its macros.
    """

    text: str
    outcome: bool | None
    values: tuple[tuple[str, object], ...]
    computed: tuple[tuple[str, object], ...] = ()
    line: str = ""
    items: tuple[Item, ...] = ()


def terms(text: str, node: Node, evaluate: Evaluate, *, negated: bool = False) -> Iterator[Term]:
    """Yield the conditions that && || ! and ?: join; of a ?: the branch that was taken, both if that is unknown.

    A ! belongs to the condition behind it, and before a bracket to each in it: so what is true speaks for the whole.
    """
    match node:
        case syntax.Logic(terms=parts):
            for part in parts:
                yield from terms(text, part, evaluate, negated=negated)
        case syntax.Unary(operator="!", operand=operand) if negated or _joins(operand):
            yield from terms(text, operand, evaluate, negated=not negated)
        case syntax.Conditional(test=test, yes=yes, no=no):
            yield from terms(text, test, evaluate)
            taken = {True: (yes,), False: (no,)}.get(truth(test, evaluate), (yes, no))  # type: ignore[arg-type]
            for part in taken:
                yield from terms(text, part, evaluate, negated=negated)
        case _:
            yield _term(text, node, evaluate, negated=negated)


def _joins(node: Node) -> bool:
    """Tell whether a node is made of conditions, and so none itself."""
    return isinstance(node, (syntax.Logic, syntax.Conditional)) or (
        isinstance(node, syntax.Unary) and node.operator == "!"
    )


def _term(text: str, node: Node, evaluate: Evaluate, *, negated: bool) -> Term:
    values = dict(_values(text, node, evaluate, frozenset()))
    computed = dict(_computed(text, node, evaluate))
    items = tuple(each for macro in _macros(node) for each in _deciding(text, macro, evaluate))
    source, line, outcome = _source(text, node), _line(text, node, evaluate), truth(node, evaluate)
    if negated:
        source, line, outcome = f"!({source})", f"!({line})", None if outcome is None else not outcome
    return Term(source, outcome, tuple(values.items()), tuple(computed.items()), line, items)


def _value(node: Node, evaluate: Evaluate) -> object:
    try:
        return evaluate(node)
    except (Missing, EvaluationFailed):
        return None


def _values(text: str, node: Node, evaluate: Evaluate, hidden: frozenset[str]) -> Iterator[tuple[str, object]]:
    """Yield references and paths with their values; variables of macros are hidden, they have many."""
    names = _names(text, node)
    if names is not None:
        value = None if names & hidden else _value(node, evaluate)
        if not names & hidden and (value is None or isinstance(value, _SHOWN)):
            yield _source(text, node), value
        return
    within = hidden | {node.variable, node.second} if isinstance(node, syntax.Comprehension) else hidden
    for part in syntax.parts(node):
        outside = isinstance(node, syntax.Comprehension) and part is node.operand
        yield from _values(text, part, evaluate, hidden if outside else within)


def _computed(text: str, node: Node, evaluate: Evaluate) -> Iterator[tuple[str, object]]:
    """Yield what is computed of values, innermost first; what macros compute for each item is left out."""
    inner = (node.operand,) if isinstance(node, syntax.Comprehension) else syntax.parts(node)
    if _names(text, node) is None:
        for part in inner:
            yield from _computed(text, part, evaluate)
    arithmetic = isinstance(node, (syntax.Binary, syntax.Call, syntax.Conditional, syntax.Unary))
    if arithmetic and any(_names(text, each) is not None for each in syntax.walk(node)):
        value = _value(node, evaluate)
        if isinstance(value, _SHOWN) and not isinstance(value, bool):
            yield _source(text, node), value


def _names(text: str, node: Node) -> frozenset[str] | None:
    """Return the variables in a reference or a path of fields, None of anything else.

    An item that took the place of a macro's variable is still called by the variable's name.
    """
    found: frozenset[str] = frozenset()
    while isinstance(node, (syntax.Select, syntax.Index)):
        if isinstance(node, syntax.Index) and not isinstance(node.key, syntax.Literal):
            keys = _names(text, node.key)
            if keys is None:
                return None
            found |= keys
        node = node.operand
    source = _source(text, node)
    stands_in = isinstance(node, syntax.Literal) and source.isidentifier() and source not in _CONSTANTS
    return found | {source} if stands_in or isinstance(node, (syntax.Bound, syntax.Name)) else None


def _line(text: str, node: Node, evaluate: Evaluate) -> str:
    """Return a node's text on one line with the values of its references and paths behind them."""
    pieces, at = [], node.span[0]
    for end, value in sorted(_insertions(text, node, evaluate)):
        pieces.append(f"{text[at:end]} {value}")
        at = end
    return " ".join("".join([*pieces, text[at : node.span[1]]]).split())


def _insertions(text: str, node: Node, evaluate: Evaluate) -> Iterator[tuple[int, str]]:
    """Yield (offset, value) for the outermost references and paths; what has() asks for, and macros, are left out."""
    if isinstance(node, syntax.Has):
        return
    if _names(text, node) is not None:
        value = _value(node, evaluate)
        if value is None:
            yield node.span[1], "(no data)"
        elif isinstance(value, _SHOWN):
            yield node.span[1], _quoted(value)
        return
    for part in (node.operand,) if isinstance(node, syntax.Comprehension) else syntax.parts(node):
        yield from _insertions(text, part, evaluate)


def _quoted(value: object) -> str:
    return f"'{_short(value)}'" if isinstance(value, str) else displayed(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def _macros(node: Node) -> Iterator[syntax.Comprehension]:
    """Yield the outermost macros over lists and maps below a node."""
    if isinstance(node, syntax.Comprehension) and node.macro in _DECIDES:
        yield node
        return
    for part in syntax.parts(node):
        yield from _macros(part)


def _deciding(text: str, node: syntax.Comprehension, evaluate: Evaluate) -> Iterator[Item]:
    """Yield the items that decided a macro, or else those of which it could not be told, with the terms of each."""
    wanted, first = _DECIDES[node.macro], node.macro in ("all", "exists")
    undecided: list[tuple[str, Node]] = []
    shown = 0
    for name, body in _judged(node, evaluate):
        outcome = truth(body, evaluate)
        if outcome is wanted:
            yield Item(name, tuple(terms(text, body, evaluate)))
            shown += 1
            if first or shown == _MOST_ITEMS:
                return
        elif outcome is None and len(undecided) < _MOST_ITEMS:
            undecided.append((name, body))
    for name, body in undecided if not shown else ():
        yield Item(name, tuple(terms(text, body, evaluate)))


def _judged(node: syntax.Comprehension, evaluate: Evaluate) -> Iterator[tuple[str, Node]]:
    """Yield the items of a macro, as text and as its body with the item in it."""
    found = _value(node.operand, evaluate)
    pairs: Iterable[tuple[object, object]]
    if isinstance(found, dict):
        pairs = found.items()
    elif isinstance(found, list):
        pairs = enumerate(found)
    else:
        return
    for number, (key, value) in enumerate(pairs):
        if number == _MOST_JUDGED:
            return
        item = key if isinstance(found, dict) else value
        if node.second:
            body = with_value(with_value(node.body, node.variable, key), node.second, value)
            yield f"{node.variable} = {_short(displayed(key))}", body
        else:
            yield f"{node.variable} = {_short(displayed(item))}", with_value(node.body, node.variable, item)


def with_value(node: Any, name: str, value: object) -> Any:
    """Return a node with a value in the place of a variable of a macro."""
    if isinstance(node, syntax.Name):
        return syntax.Literal(value, node.span) if node.name == name and not node.absolute else node
    if isinstance(node, tuple):
        return tuple(with_value(each, name, value) for each in node)
    if not isinstance(node, _NODES) or isinstance(node, (syntax.Literal, syntax.Bound)):
        return node
    if isinstance(node, syntax.Comprehension) and name in (node.variable, node.second):
        return replace(node, operand=with_value(node.operand, name, value))
    return replace(node, **{each.name: with_value(getattr(node, each.name), name, value) for each in fields(node)})


def _source(text: str, node: Node) -> str:
    """Return a node's text on one line."""
    return " ".join(text[slice(*node.span)].split())
