"""Which optional fields are known to be there at each place of an expression, because has() was true on the way."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import TypeAlias

from governance.core.expression import syntax
from governance.core.expression.parsing import parse
from governance.core.expression.problem import ExpressionError
from governance.core.expression.syntax import Node

Place: TypeAlias = tuple[str, ...]
Places: TypeAlias = frozenset[Place]
NOWHERE: Places = frozenset()


def place(node: Node, text: str) -> Place:
    """Return the names that lead to a value, such as ("features", "[labels.feature]", "range"); else its text."""
    match node:
        case syntax.Name(name=name):
            return (name,)
        case syntax.Select(operand=operand, field=field):
            return (*place(operand, text), field)
        case syntax.Index(operand=operand, key=syntax.Literal(value=str(key))):
            return (*place(operand, text), key)
        case syntax.Index(operand=operand, key=key):
            return (*place(operand, text), f"[{'.'.join(place(key, text))}]")
        case _:
            return ("".join(text[slice(*node.span)].split()),)


def covers(known: Places, wanted: Place) -> bool:
    """Tell whether a place is there: it, or something in it, is known to be."""
    return any(each[: len(wanted)] == wanted for each in known)


def shown(node: Node, text: str) -> tuple[Places, Places]:
    """Return the places that are there when a condition is true, and those that are when it is false."""
    match node:
        case syntax.Has(operand=operand):
            return frozenset({place(operand, text)}), NOWHERE
        case syntax.Binary(operator="in", left=syntax.Literal(value=str(key)), right=right):
            return frozenset({(*place(right, text), key)}), NOWHERE
        case syntax.Unary(operator="!", operand=operand):
            true, false = shown(operand, text)
            return false, true
        case syntax.Logic(operator=operator, terms=terms):
            found = [shown(each, text) for each in terms]
            trues, falses = [true for true, _ in found], [false for _, false in found]
            return (_any(trues), _all(falses)) if operator == "&&" else (_all(trues), _any(falses))
        case syntax.Conditional(test=test, yes=yes, no=no):
            true, false = shown(test, text)
            return _branches([(true, yes), (false, no)], text)
        case _:
            return NOWHERE, NOWHERE


def beside(node: syntax.Logic, text: str) -> list[Places]:
    """Return, for each term, what the others show when they do not decide: all true of &&, all false of ||."""
    polarity = 0 if node.operator == "&&" else 1
    found = [shown(each, text)[polarity] for each in node.terms]
    return [_any(found[:at] + found[at + 1 :]) for at in range(len(found))]


@lru_cache(maxsize=256)
def given(text: str) -> Places:
    """Return the places that a condition given elsewhere shows; what is wrong with it is reported there."""
    try:
        return shown(parse(text), text)[0]
    except ExpressionError:
        return NOWHERE


def _branches(ways: list[tuple[Places, Node]], text: str) -> tuple[Places, Places]:
    """Return what ?: shows; a branch that is the constant false says nothing of when the whole is true."""
    trues, falses = [], []
    for taken, branch in ways:
        true, false = shown(branch, text)
        constant = branch.value if isinstance(branch, syntax.Literal) else None
        if constant is not False:
            trues.append(taken | true)
        if constant is not True:
            falses.append(taken | false)
    return _all(trues), _all(falses)


def _any(found: Iterable[Places]) -> Places:
    return reduce(frozenset.union, found, NOWHERE)


def _all(found: list[Places]) -> Places:
    return reduce(frozenset.intersection, found) if found else NOWHERE
