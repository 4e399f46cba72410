"""Conditions joined by && that exclude each other, such as metrics.auc < 0.5 && metrics.auc > 0.6."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

from governance.core.expression import syntax
from governance.core.expression.guarding import Place, place
from governance.core.expression.syntax import Node, Span

_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_BELOW, _ABOVE = ("<", "<=", "=="), (">", ">=", "==")
_KINDS: tuple[tuple[type, ...], ...] = ((int, float), (str,), (timedelta,), (datetime,))


class _Bound(NamedTuple):
    """A value compared with a constant."""

    place: Place
    operator: str
    limit: Any
    span: Span


def contradiction(terms: tuple[Node, ...], text: str) -> tuple[Span, str] | None:
    """Return the second of two terms that can never be true together, and what to say of it; None when all can."""
    for one, other in combinations(_bounds(terms, text), 2):
        if one.place == other.place and _exclude(one, other):
            first = " ".join(text[slice(*one.span)].split())
            return other.span, f"this excludes '{first}', so that both can never be true"
    return None


def _bounds(terms: tuple[Node, ...], text: str) -> Iterator[_Bound]:
    for each in terms:
        if isinstance(each, syntax.Binary) and each.operator in _FLIPPED:
            left, right = each.left, each.right
            if isinstance(right, syntax.Literal) and not isinstance(left, syntax.Literal):
                yield _Bound(place(left, text), each.operator, right.value, each.span)
            elif isinstance(left, syntax.Literal) and not isinstance(right, syntax.Literal):
                yield _Bound(place(right, text), _FLIPPED[each.operator], left.value, each.span)


def _exclude(one: _Bound, other: _Bound) -> bool:
    if not any(isinstance(one.limit, kinds) and isinstance(other.limit, kinds) for kinds in _KINDS):
        return False
    if "!=" in (one.operator, other.operator):
        return "==" in (one.operator, other.operator) and bool(one.limit == other.limit)
    pairs = [(one, other), (other, one)]
    return any(low.operator in _ABOVE and high.operator in _BELOW and not _meet(low, high) for low, high in pairs)


def _meet(low: _Bound, high: _Bound) -> bool:
    both = low.operator in (">=", "==") and high.operator in ("<=", "==")
    return bool(low.limit < high.limit or (both and low.limit == high.limit))
