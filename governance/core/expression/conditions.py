"""The elementary conditions of an expression, which && || ! and ?: join, and what became of each in one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from governance.core.expression import syntax
from governance.core.expression.problem import EvaluationFailed, Missing
from governance.core.expression.syntax import Node, Span


@dataclass(frozen=True, slots=True)
class Condition:
    """One elementary condition as its author wrote it, on one line; `span` are offsets into the expression."""

    text: str
    span: Span


class _Sentinel(Enum):
    NOT_JUDGED = "not judged"


NOT_JUDGED: Final = _Sentinel.NOT_JUDGED
"""What became of a condition that the ones before it made needless, as the second of false && …"""
ConditionOutcome: TypeAlias = bool | _Sentinel | None
"""True, false, None where data is missing or there is no outcome, or NOT_JUDGED."""


def conditions(text: str, node: Node) -> tuple[Condition, ...]:
    """Return the conditions in the order of the text; a constant, such as the false of `a ? b : false`, is none."""
    return tuple(Condition(" ".join(text[slice(*each.span)].split()), each.span) for each in elementary(node))


def elementary(node: Node) -> Iterator[Node]:
    """Yield the nodes of the conditions in the order of the text."""
    if isinstance(node, (syntax.Logic, syntax.Conditional)) or _is_negation(node):
        for part in syntax.parts(node):
            yield from elementary(part)
    elif not isinstance(node, syntax.Literal):
        yield node


def outcomes(node: Node, evaluate: Callable[[Node], object]) -> tuple[ConditionOutcome, ...]:
    """Return what became of each condition, in the order of `conditions`; each is evaluated at most once.

    From left to right, as people read: what follows a false of && or a true of || is not judged, nor is the branch of
    ?: that was not taken. What is missing decides nothing, so the conditions after it are judged.
    """
    found: dict[int, ConditionOutcome] = {}
    _judge(node, evaluate, found)
    return tuple(found.get(id(each), NOT_JUDGED) for each in elementary(node))


def _judge(node: Node, evaluate: Callable[[Node], object], found: dict[int, ConditionOutcome]) -> bool | None:
    match node:
        case syntax.Logic(operator=operator, terms=terms):
            return _joined(operator, terms, evaluate, found)
        case syntax.Unary(operator="!", operand=operand):
            value = _judge(operand, evaluate, found)
            return None if value is None else not value
        case syntax.Conditional(test=test, yes=yes, no=no):
            taken = _judge(test, evaluate, found)
            return None if taken is None else _judge(yes if taken else no, evaluate, found)
        case _:
            outcome = truth(node, evaluate)
            found[id(node)] = outcome
            return outcome


def _joined(
    operator: str,
    terms: tuple[Node, ...],
    evaluate: Callable[[Node], object],
    found: dict[int, ConditionOutcome],
) -> bool | None:
    """Judge terms until one decides: a false for &&, a true for ||."""
    decisive = operator == "||"
    unknown = False
    for each in terms:
        value = _judge(each, evaluate, found)
        if value is decisive:
            return decisive
        unknown = unknown or value is None
    return None if unknown else not decisive


def truth(node: Node, evaluate: Callable[[Node], object]) -> bool | None:
    """Return whether a node is true, None where data is missing or it has no truth."""
    try:
        value = evaluate(node)
    except (Missing, EvaluationFailed):
        return None
    return value if isinstance(value, bool) else None


def _is_negation(node: Node) -> bool:
    return isinstance(node, syntax.Unary) and node.operator == "!"
