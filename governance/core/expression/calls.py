"""Checks the calls of an expression: aggregates and views of metrics, and functions with their constant arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from governance.core.expression import syntax
from governance.core.expression.cost import SERIES
from governance.core.expression.functions import duration, pattern, seconds, timestamp
from governance.core.expression.nesting import report_nested
from governance.core.expression.reference import Reference
from governance.core.expression.shape import ANY, DOUBLE, STRING, Shape, joined
from governance.core.expression.signatures import (
    AGGREGATES,
    EXPANDED,
    KNOWN,
    MACROS,
    SIGNATURES,
    STRETCHES,
    VIEWS,
    Overload,
    accepts,
    counted,
    either,
    example,
)
from governance.core.expression.syntax import Node
from governance.core.expression.values import OperationError, a_kind
from governance.core.suggestion import closest

if TYPE_CHECKING:
    from governance.core.expression.resolution import Resolver

Labels: TypeAlias = tuple[str, ...]
Resolved: TypeAlias = tuple[Node, Shape]
# Calls with a constant argument are computed once, when the expression is loaded.
_FOLDED: dict[str, tuple[Callable[[object], object], str]] = {
    "duration": (duration, "bad-duration"),
    "seconds": (seconds, "bad-duration"),
    "timestamp": (timestamp, "bad-timestamp"),
}
_MOST = 2  # arguments of an aggregate: what, and the labels to keep


def reference_call(resolver: Resolver, node: syntax.Call) -> Resolved:
    """Bind max(…), samples(…), series(…) and their like."""
    if node.function in AGGREGATES:
        found = _aggregate(resolver, node)
        return (resolver.bind(found[0], node.span), resolver.number(found[0])) if found else (node, DOUBLE)
    if len(node.arguments) != 1:
        resolver.report(node.span, "wrong-arguments", f"{node.function}() takes one metric, such as metrics.<name>")
        return node, ANY
    found = referenced(resolver, node.arguments[0], node)
    if found is None:
        return node, ANY
    reference, labels = found
    bound = resolver.bind(replace(reference, view=node.function), node.span)  # type: ignore[arg-type]
    return bound, _series(labels) if node.function == "series" else VIEWS[node.function]


def _series(labels: Labels | None) -> Shape:
    if labels is None:
        return ANY
    item = Shape.record({"value": DOUBLE, "labels": Shape.record(dict.fromkeys(labels, STRING))})
    return Shape.list(item, SERIES)


def referenced(resolver: Resolver, node: Node, outer: syntax.Call) -> tuple[Reference, Labels | None] | None:
    """Return the reference that an argument is and the labels it carries (None: unknown), or report why it is none."""
    if isinstance(node, syntax.Call) and node.target is None:
        if node.function in AGGREGATES:
            return _aggregate(resolver, node)
        if node.function in STRETCHES:
            report_nested(resolver, outer, node)
            return None
    found = resolver.metric(node)
    if found is None:
        message = f"{outer.function}() takes a metric, such as {example(outer.function)}"
        resolver.report(node.span, "wrong-arguments", message)
    return found


def _aggregate(resolver: Resolver, node: syntax.Call) -> tuple[Reference, Labels | None] | None:
    if not 1 <= len(node.arguments) <= _MOST:
        message = (
            f"{node.function}() takes a metric and, if any, the labels to keep, not {len(node.arguments)} arguments"
        )
        resolver.report(node.span, "wrong-arguments", message)
        return None
    found = referenced(resolver, node.arguments[0], node)
    if found is None:
        return None
    reference, labels = found
    kept = _labels(resolver, node.arguments[1], reference, labels) if len(node.arguments) == _MOST else ()
    step = (node.function, kept)
    return replace(reference, aggregates=(*reference.aggregates, step)), None if labels is None else kept


def _labels(resolver: Resolver, node: Node, reference: Reference, known: Labels | None) -> Labels:
    items = node.items if isinstance(node, syntax.ListOf) else ()
    names = [each.value for each in items if isinstance(each, syntax.Literal) and isinstance(each.value, str)]
    if not isinstance(node, syntax.ListOf) or len(names) != len(items):
        resolver.report(node.span, "wrong-arguments", "the labels to keep are a list of texts, such as ['feature']")
        return ()
    for item, name in zip(items, names, strict=True):
        if known is not None and name not in known:
            hint = closest(name, known) or (f"it has {', '.join(known)}" if known else "it has none")
            where = f"metric '{reference.metric}'" if not reference.aggregates else "what is aggregated here"
            resolver.report(item.span, "unknown-label", f"{where} has no label '{name}'", hint)
    return tuple(names)


def function_call(resolver: Resolver, node: syntax.Call) -> Resolved:
    """Check a call of a function or method and compute it if its argument is constant."""
    node = _spaced(resolver, node)
    overloads = SIGNATURES.get(node.function)
    target = None if node.target is None else resolver.resolve(node.target)
    if overloads is None:
        _report_unknown(resolver, node)
        return node, ANY
    arguments = [resolver.resolve(each) for each in node.arguments]
    given = None if target is None else target[1]
    shapes = [shape for _, shape in arguments]
    fitting = [each for each in overloads if each.takes(given, shapes)]
    result = joined(each.result for each in fitting or overloads)
    if not fitting:
        _report_unfit(resolver, node, overloads, given, shapes)
        return node, result
    _check_pattern(resolver, node)
    called = replace(node, target=target and target[0], arguments=tuple(each for each, _ in arguments))
    folded = _folded(resolver, called)
    return folded, resolver.resolve(folded)[1] if isinstance(folded, syntax.Literal) else result


def _spaced(resolver: Resolver, node: syntax.Call) -> syntax.Call:
    """Return math.sqrt(x) as a call of "math.sqrt", unless a variable is called math."""
    if isinstance(node.target, syntax.Name) and not resolver.names_variable(node.target.name):
        name = f"{node.target.name}.{node.function}"
        if name in SIGNATURES:
            return replace(node, function=name, target=None, name_span=(node.target.span[0], node.name_span[1]))
    return node


def _report_unfit(
    resolver: Resolver, node: syntax.Call, overloads: Sequence[Overload], target: Shape | None, shapes: list[Shape]
) -> None:
    """Report the first of: called in the wrong form, with too many or few arguments, with a value of another kind."""
    name = node.function
    formed = [each for each in overloads if (each.target is None) == (target is None)]
    if not formed:
        form = f"write value.{name}(…)" if target is None else f"write {name}(value)"
        resolver.report(node.name_span, "wrong-arguments", f"{name}() is not called like this", form)
        return
    counted_in = [each for each in formed if each.counts(len(shapes))]
    if not counted_in:
        resolver.report(node.span, "wrong-arguments", f"{name}() takes {counted(formed)}, not {len(shapes)}")
        return
    wanted = [frozenset().union(*(each.target for each in counted_in if each.target))] if target is not None else []
    given = [(node.target, target)] if target is not None else []
    given += zip(node.arguments, shapes, strict=True)
    wanted += [frozenset().union(*(each.kinds(at) for each in counted_in)) for at in range(len(shapes))]
    for (part, shape), kinds in zip(given, wanted, strict=True):
        if part is not None and shape is not None and not accepts(kinds, shape):
            message = f"{name}() takes {either(kinds)}, not {a_kind(shape.kind)}"
            resolver.report(part.span, "wrong-type", message, _instead(name, shape, kinds))
            return
    resolver.report(node.span, "wrong-type", f"{name}() does not take these kinds of value together")


def _instead(name: str, shape: Shape, kinds: frozenset[str]) -> str:
    """Return how to make what a function takes of what it was given."""
    if kinds == {"string"} and shape.kind in ("int", "double", "bool"):
        return "write string(…)"
    if "double" in kinds and shape.kind in ("int", "uint"):
        return "write 1.0 or double(…)"
    return f"a number needs no {name}()" if name == "seconds" and shape.kind in ("int", "double") else ""


def _report_unknown(resolver: Resolver, node: syntax.Call) -> None:
    if node.function == "has":
        message = "has() takes one field, such as has(card.data)"
        resolver.report(node.span, "wrong-arguments", message)
    elif node.function in MACROS and node.target is not None:
        message = f"{node.function}() takes a variable and a condition"
        resolver.report(node.span, "wrong-arguments", message, f"for example list.{node.function}(each, each > 0)")
    elif node.function in EXPANDED:
        message = f"{node.function}() is not called like this"
        resolver.report(node.name_span, "wrong-arguments", message, f"write {example(node.function)}")
    else:
        message = f"no function '{node.function}'"
        resolver.report(node.name_span, "unknown-function", message, closest(node.function, KNOWN))


def _check_pattern(resolver: Resolver, node: syntax.Call) -> None:
    last = node.arguments[-1] if node.arguments else None
    if node.function == "matches" and isinstance(last, syntax.Literal) and isinstance(last.value, str):
        try:
            pattern(last.value)
        except OperationError as error:
            resolver.report(last.span, "bad-pattern", str(error))


def _folded(resolver: Resolver, node: syntax.Call) -> Node:
    argument = node.arguments[0] if node.target is None and node.arguments else None
    if node.function not in _FOLDED or not isinstance(argument, syntax.Literal):
        return node
    compute, code = _FOLDED[node.function]
    try:
        return syntax.Literal(compute(argument.value), node.span)
    except OperationError as error:
        resolver.report(argument.span, code, str(error))
        return node
