"""Checks calls that look back over a metric's past, such as avg_over_time(metrics.psi, '7d')."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from governance.core.duration import format_duration, parse_duration
from governance.core.expression import calls, syntax
from governance.core.expression.reference import Over
from governance.core.expression.shape import DOUBLE
from governance.core.expression.signatures import example
from governance.core.expression.syntax import Node

if TYPE_CHECKING:
    from governance.core.expression.resolution import Resolver

LONGEST = timedelta(days=400)
"""How far back an expression may look: a year, and what it is compared with."""


def stretch_call(resolver: Resolver, node: syntax.Call) -> calls.Resolved:
    """Bind avg_over_time(…), change(…) and their like; they give a double."""
    quantiles = 1 if node.function == "quantile_over_time" else 0
    if len(node.arguments) != 2 + quantiles:
        what = "a quantile, a metric and a window" if quantiles else "a metric and a window"
        resolver.report(
            node.span, "wrong-arguments", f"{node.function}() takes {what}", f"write {example(node.function)}"
        )
        return node, DOUBLE
    *before, subject, last = node.arguments
    q = _quantile(resolver, before[0]) if before else None
    found = calls.referenced(resolver, subject, node)
    text = window_text(resolver, last)
    window = None if text is None else length(resolver, last, text)
    if found is None or window is None or (before and q is None):
        return node, DOUBLE
    over = Over(node.function, window, q)  # type: ignore[arg-type] # one of STRETCHES
    reference = replace(found[0], over=over)
    return resolver.bind(reference, node.span), resolver.number(reference)


def window_text(resolver: Resolver, node: Node) -> str | None:
    """Return a window as it is written out, or report that it is not."""
    if isinstance(node, syntax.Literal):
        return str(node.value)
    inner = node.arguments[0] if isinstance(node, syntax.Call) and len(node.arguments) == 1 else None
    hint = f"write '{inner.value}'" if isinstance(inner, syntax.Literal) else "for example '7d'"
    message = "the window must be written out, so that its data can be fetched before judging"
    resolver.report(node.span, "wrong-arguments", message, hint)
    return None


def length(resolver: Resolver, node: Node, text: str, suggestion: str = "") -> timedelta | None:
    """Return the duration that a window's text stands for, or report at the node what is wrong with it."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        resolver.report(node.span, "bad-duration", str(error), suggestion)
        return None
    if timedelta(0) < found <= LONGEST:
        return found
    message = f"a window is longer than 0s and at most {format_duration(LONGEST)}, not '{text}'"
    resolver.report(node.span, "bad-duration", message)
    return None


def _quantile(resolver: Resolver, node: Node) -> float | None:
    value = node.value if isinstance(node, syntax.Literal) else None
    if type(value) in (int, float) and 0 <= value <= 1:  # type: ignore[operator] # a number, but no bool
        return float(value)  # type: ignore[arg-type]
    message = "the quantile is a number from 0 to 1, written out"
    resolver.report(node.span, "wrong-arguments", message, f"write {example('quantile_over_time')}")
    return None
