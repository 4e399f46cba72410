"""Functions over time inside other functions over a metric: in which order they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from governance.core.expression import syntax
from governance.core.expression.signatures import AGGREGATES, VIEWS, example
from governance.core.expression.syntax import Node

if TYPE_CHECKING:
    from governance.core.expression.resolution import Resolver


def report_nested(resolver: Resolver, outer: syntax.Call, inner: syntax.Call) -> None:
    """Report that `inner`, a function over time, is what `outer` is taken of, and suggest what can be had instead."""
    if outer.function in AGGREGATES:
        message = f"{outer.function}() over labels is taken at each instant, before {inner.function}()"
    elif outer.function in VIEWS:
        message = f"{outer.function}() is that of a metric now, not of {inner.function}()"
    else:
        message = f"{outer.function}() cannot look back over {inner.function}()"
    resolver.report(inner.span, "wrong-arguments", message, f"write {_instead(resolver.text, outer, inner)}")


def _instead(text: str, outer: syntax.Call, inner: syntax.Call) -> str:
    """Return the outer function of what the inner one looks back over, inside the inner one if they change places."""
    changes = outer.function in AGGREGATES
    if len(inner.arguments) < 2:
        return example(inner.function if changes else outer.function)
    subject = inner.arguments[-2]  # (metric, window), or (quantile, metric, window)
    taken = _with(text, outer, inner, _source(text, subject))
    return _with(text, inner, subject, taken) if changes else taken


def _with(text: str, call: Node, part: Node, instead: str) -> str:
    """Return the text of a call on one line with something else in place of a part of it."""
    (start, end), (before, after) = call.span, part.span
    return " ".join(f"{text[start:before]}{instead}{text[after:end]}".split())


def _source(text: str, node: Node) -> str:
    return text[slice(*node.span)]
