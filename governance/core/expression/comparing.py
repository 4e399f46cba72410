"""Compare two conditions without evaluating them: does the new one hold more often than the old, or less often?

What a threshold, a bound or one more term decides can be told; everything else is `unknown`. Values of parameters are
filled in first, and what is constant then is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

from governance.core.duration import parse_duration
from governance.core.expression import syntax
from governance.core.expression.problem import ExpressionError
from governance.core.expression.syntax import Node

Trend = Literal["same", "more", "less", "unknown"]
"""How often the new condition holds, next to the old one."""
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ANYWHERE = (0, 0)
_ARITHMETIC = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


def trend(old: str, new: str, before: Mapping[str, object], after: Mapping[str, object]) -> Trend:
    """Compare two conditions; `before` and `after` are the values of the parameters that each of them sees."""
    from governance.core.expression.parsing import parse  # with it comes the grammar, which few who load need

    try:
        return _trend(_folded(parse(old), before), _folded(parse(new), after))
    except ExpressionError:
        return "same" if old == new and before == after else "unknown"


def parameters_of(text: str) -> frozenset[str]:
    """Return the names of the parameters that a condition reads; of one that does not parse none."""
    from governance.core.expression.parsing import parse

    try:
        return frozenset(_fields(parse(text), "parameters"))
    except ExpressionError:
        return frozenset()


def _trend(old: Node, new: Node) -> Trend:
    if _shape(old) == _shape(new):
        return "same"
    match old, new:
        case syntax.Logic(), _:
            return _terms(old.operator, old, new)
        case _, syntax.Logic():
            return _terms(new.operator, old, new)
        case syntax.Unary(operator="!"), syntax.Unary(operator="!"):
            return _inverted(_trend(old.operand, new.operand))
        case syntax.Conditional(), syntax.Conditional() if _shape(old.test) == _shape(new.test):
            return _together([_trend(old.yes, new.yes), _trend(old.no, new.no)])
        case syntax.Comprehension(macro="all" | "exists"), syntax.Comprehension() if _head(old) == _head(new):
            return _trend(old.body, new.body)
        case syntax.Binary(), syntax.Binary():
            return _compared(old, new)
        case _:
            return "unknown"


def _terms(operator: str, old: Node, new: Node) -> Trend:
    """Compare two chains of && or ||: terms that both have count for nothing, and one more term has one meaning."""
    if isinstance(old, syntax.Logic) and isinstance(new, syntax.Logic) and old.operator != new.operator:
        inside = {_shape(each) for each in new.terms}
        operator = new.operator if _shape(old) in inside else old.operator
    olds, news = _chain(operator, old), _chain(operator, new)
    gone = [each for each in olds if _shape(each) not in {_shape(other) for other in news}]
    come = [each for each in news if _shape(each) not in {_shape(other) for other in olds}]
    if len(gone) == len(come):
        return _together([_trend(one, other) for one, other in zip(gone, come, strict=True)])
    if (gone and come) or _metrics(olds) != _metrics(news):  # another metric may bring labels, and other instances
        return "unknown"
    return "more" if bool(come) == (operator == "||") else "less"


def _chain(operator: str, node: Node) -> tuple[Node, ...]:
    return node.terms if isinstance(node, syntax.Logic) and node.operator == operator else (node,)


def _compared(old: syntax.Binary, new: syntax.Binary) -> Trend:
    old, new = _constant_right(old), _constant_right(new)
    if _shape(old.left) != _shape(new.left):
        return "unknown"
    if old.operator == new.operator == "in":
        return _members(old.right, new.right)
    upper = old.operator[0] == ">"
    if old.operator not in _MIRRORED or new.operator not in _MIRRORED or old.operator[0] != new.operator[0]:
        return "unknown"
    bounds: list[Any] = [each.right.value for each in (old, new) if isinstance(each.right, syntax.Literal)]
    if len(bounds) < 2 or not _comparable(*bounds):
        return "unknown"
    if bounds[0] != bounds[1]:
        return "more" if (bounds[1] < bounds[0]) == upper else "less"
    return "more" if new.operator.endswith("=") else "less"


def _members(old: Node, new: Node) -> Trend:
    if not isinstance(old, syntax.ListOf) or not isinstance(new, syntax.ListOf):
        return "unknown"
    before, after = ({_shape(each) for each in items.items} for items in (old, new))
    if before == after:
        return "same"
    return "more" if before < after else "less" if after < before else "unknown"


def _constant_right(node: syntax.Binary) -> syntax.Binary:
    if isinstance(node.left, syntax.Literal) and node.operator in _MIRRORED:
        return syntax.Binary(_MIRRORED[node.operator], node.right, node.left, node.span)
    return node


def _comparable(one: object, other: object) -> bool:
    numbers = all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (one, other))
    return numbers or all(isinstance(each, timedelta) for each in (one, other))


def _together(trends: Iterable[Trend]) -> Trend:
    found = {each for each in trends if each != "same"}
    return found.pop() if len(found) == 1 else "unknown" if found else "same"


def _inverted(trend: Trend) -> Trend:
    return "less" if trend == "more" else "more" if trend == "less" else trend


def _head(node: Node) -> object:
    """Return what two macros must share before their bodies can be compared."""
    match node:
        case syntax.Comprehension():
            return (node.macro, _shape(node.operand), node.variable, node.condition and _shape(node.condition))
        case _:
            return None


def _metrics(terms: Iterable[Node]) -> set[str]:
    return {name for term in terms for name in _fields(term, "metrics")}


def _fields(node: Node, of: str) -> set[str]:
    paths = (syntax.path(each) for each in syntax.walk(node))
    return {each[1] for each in paths if each and len(each) > 1 and each[0] == of}


def _shape(node: Node) -> tuple[object, ...]:
    """Return a node without its positions: equal for two texts that say the same."""
    match node:
        case syntax.Literal(value=value):
            return ("literal", "number" if _comparable(value, 0) else type(value).__name__, value)
        case syntax.Name(name=name):
            return ("name", name)
        case syntax.Select(field=own):
            said: tuple[object, ...] = ("select", own)
        case syntax.Call(function=function, target=target):
            said = ("call", function, target is not None)
        case syntax.Comprehension(macro=macro, variable=variable, condition=condition):
            said = ("macro", macro, variable, condition is not None)
        case syntax.Unary(operator=operator) | syntax.Binary(operator=operator) | syntax.Logic(operator=operator):
            said = (type(node).__name__, operator)
        case _:
            said = (type(node).__name__,)
    return (*said, *(_shape(each) for each in syntax.parts(node)))


def _folded(node: Node, values: Mapping[str, object]) -> Node:
    """Fill in the parameters, and compute what is constant then."""
    where = syntax.path(node)
    if where and len(where) == 2 and where[0] == "parameters" and where[1] in values:
        return syntax.Literal(values[where[1]], _ANYWHERE)
    match node:
        case syntax.Binary(operator=operator, left=left, right=right):
            return _computed(operator, _folded(left, values), _folded(right, values))
        case syntax.Logic(operator=operator, terms=terms):
            return syntax.Logic(operator, tuple(_folded(each, values) for each in terms), node.span)
        case syntax.Unary(operator=operator, operand=operand):
            return _signed(operator, _folded(operand, values))
        case syntax.Conditional(test=test, yes=yes, no=no):
            return syntax.Conditional(_folded(test, values), _folded(yes, values), _folded(no, values), node.span)
        case syntax.ListOf(items=items):
            return syntax.ListOf(tuple(_folded(each, values) for each in items), node.span)
        case syntax.Comprehension(macro=macro, operand=operand, variable=variable, condition=condition, body=body):
            given = condition and _folded(condition, values)
            return syntax.Comprehension(
                macro, _folded(operand, values), variable, given, _folded(body, values), node.span
            )
        case syntax.Call(function=function, target=target, arguments=arguments):
            below = tuple(_folded(each, values) for each in arguments)
            return _called(syntax.Call(function, target and _folded(target, values), below, node.span, node.name_span))
        case _:
            return node


def _computed(operator: str, left: Node, right: Node) -> Node:
    work = _ARITHMETIC.get(operator)
    if work is not None and isinstance(left, syntax.Literal) and isinstance(right, syntax.Literal):
        try:
            return syntax.Literal(work(left.value, right.value), _ANYWHERE)
        except (TypeError, ArithmeticError):
            pass
    return syntax.Binary(operator, left, right, _ANYWHERE)


def _signed(operator: str, operand: Node) -> Node:
    if operator == "-" and isinstance(operand, syntax.Literal) and _comparable(operand.value, 0):
        value: Any = operand.value
        return syntax.Literal(-value, _ANYWHERE)
    return syntax.Unary(operator, operand, _ANYWHERE)


def _called(call: syntax.Call) -> Node:
    """Compute a duration that is written out, or its seconds."""
    given = call.arguments[0] if call.target is None and len(call.arguments) == 1 else call.target
    value = given.value if isinstance(given, syntax.Literal) else None
    try:
        if call.function in ("duration", "seconds") and call.target is None and isinstance(value, str):
            value = parse_duration(value)
            return syntax.Literal(value if call.function == "duration" else value.total_seconds(), _ANYWHERE)
    except ValueError:
        return call
    seconds = call.function == "getSeconds" if call.target is not None else call.function == "seconds"
    if seconds and isinstance(value, timedelta):
        return syntax.Literal(value.total_seconds(), _ANYWHERE)
    return call
