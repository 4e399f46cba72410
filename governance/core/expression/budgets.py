"""Checks calls that ask an SLO, such as burn_rate(slos.latency, '1h')."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from governance.core.expression import syntax
from governance.core.expression.calls import Resolved
from governance.core.expression.looking_back import length, window_text
from governance.core.expression.reference import Budget, Reference
from governance.core.expression.signatures import BUDGETS
from governance.core.expression.syntax import Node

if TYPE_CHECKING:
    from governance.core.expression.resolution import Resolver

_WINDOWED = "burn_rate"
_PER = " per "


def forms(function: str) -> str:
    """Return both ways of writing a call: of an SLO by its name, and of each SLO of a card."""
    window = ", '1h'" if function == _WINDOWED else ""
    return f"{function}(slos.<name>{window}), or {function}(slo{window}) with for_each: {{slo: card.slos}}"


def budget_call(resolver: Resolver, node: syntax.Call) -> Resolved:
    """Bind burn_rate(…), budget_left(…) and time_to_exhaustion(…)."""
    bound = _budget(resolver, node)
    result = BUDGETS[node.function]
    return (node, result) if bound is None else (resolver.bind(Reference("", budget=bound), node.span), result)


def _budget(resolver: Resolver, node: syntax.Call) -> Budget | None:
    windowed = node.function == _WINDOWED
    fits = len(node.arguments) == (2 if windowed else 1)
    slo = resolver.slo(node.arguments[0]) if fits else None
    if slo is None:
        message = f"{node.function}() takes an SLO{' and a window' if windowed else ''}"
        where = node.arguments[0].span if fits else node.span
        resolver.report(where, "wrong-arguments", message, f"write {forms(node.function)}")
        return None
    if not windowed:
        return Budget(node.function, slo)  # type: ignore[arg-type] # one of BUDGETS
    windows = _windows(resolver, node.arguments[1])
    return windows and Budget("burn_rate", slo, *windows)


def _windows(resolver: Resolver, node: Node) -> tuple[timedelta, timedelta | None] | None:
    """Return the window, and what it is a part of in '1h per 30d'; or report what is wrong."""
    text = window_text(resolver, node)
    if text is None:
        return None
    first, scales, second = text.partition(_PER)
    form = "to scale it with the SLO's own window, write '1h per 30d'" if "per" in text else ""
    window = length(resolver, node, first, form)
    if window is None:
        return None
    per = length(resolver, node, second, form) if scales else None
    if scales and (per is None or window > per):
        if per is not None:
            message = f"'{first}' is longer than '{second}', of which it is to be a part"
            resolver.report(node.span, "bad-duration", message, form)
        return None
    return window, per
