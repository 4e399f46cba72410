"""all, exists, filter, map and their like, evaluated to the letter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from governance.core.expression import syntax
from governance.core.expression.fault import Fault, combined
from governance.core.expression.values import NOTHING, Optional, a_kind, kind, quoted

if TYPE_CHECKING:
    from governance.core.expression.exact import Evaluation

_KEYS = ("bool", "int", "uint", "string")
_ONCE = ("bind", "optMap", "optFlatMap")


def evaluated(evaluation: Evaluation, node: syntax.Comprehension) -> object:
    """Return the value of a macro, or the fault why there is none."""
    operand = evaluation.value(node.operand)
    if isinstance(operand, Fault):
        return operand
    if node.macro in _ONCE:
        return _once(evaluation, node, operand)
    if not isinstance(operand, (list, dict)):
        return Fault(f"{node.macro}() needs a list or a map, not {a_kind(kind(operand))}")
    outer = evaluation.local
    try:
        return _MACROS[node.macro](evaluation, node, _steps(evaluation, node, operand))
    finally:
        evaluation.local = outer


def joined(decisive: bool, values: Iterable[object]) -> object:  # noqa: FBT001 (the value that decides)
    """Return what && (false decides) or || (true decides) make of values, which are taken as long as it is open."""
    faults = []
    for each in values:
        found = truth(each)
        if found is decisive:
            return decisive
        if isinstance(found, Fault):
            faults.append(found)
    return combined(faults) or (not decisive)


def truth(value: object) -> bool | Fault:
    """Return a value that must be true or false, or the fault that it is not."""
    if isinstance(value, (bool, Fault)):
        return value
    return Fault(f"needs true or false, not {a_kind(kind(value))}")


def added(result: dict[object, object], key: object, value: object) -> Fault | None:
    """Add an entry to a map, or return what is wrong with its key."""
    if kind(key) not in _KEYS:
        return Fault(f"{a_kind(kind(key))} cannot be a key of a map")
    if key in result:
        return Fault(f"the key {quoted(key)} stands twice in the map")
    result[key] = value
    return None


def _once(evaluation: Evaluation, node: syntax.Comprehension, operand: Any) -> object:
    """Evaluate a macro that binds its variable to one value."""
    if node.macro == "bind":
        return evaluation.bound_to(node.body, {node.variable: operand})
    if not isinstance(operand, Optional):
        return Fault(f"{node.macro}() needs an optional value, not {a_kind(kind(operand))}")
    if not operand.present:
        return NOTHING
    result = evaluation.bound_to(node.body, {node.variable: operand.value})
    if isinstance(result, Fault):
        return result
    if node.macro == "optMap":
        return Optional(present=True, value=result)
    return result if isinstance(result, Optional) else Fault("optFlatMap() must give an optional value")


def _steps(evaluation: Evaluation, node: syntax.Comprehension, items: Any) -> Iterator[Any]:
    """Bind the variables to one item after the other, and yield the item, or its key where there are two variables."""
    evaluation.local = local = dict(evaluation.local)
    if node.second:
        for key, item in items.items() if isinstance(items, dict) else enumerate(items):
            evaluation.meter.visit(1)
            local[node.variable], local[node.second] = key, item
            yield key
        return
    for item in items:
        evaluation.meter.visit(1)
        local[node.variable] = item
        yield item


def _all_or_exists(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
    return joined(node.macro == "exists", (evaluation.value(node.body) for _ in steps))


def _exactly_one(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
    chosen = _filtered(evaluation, node, steps)
    return chosen if isinstance(chosen, Fault) else len(chosen) == 1


def _filtered(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> list[Any] | Fault:
    chosen = []
    for item in steps:
        found = truth(evaluation.value(node.body))
        if isinstance(found, Fault):
            return found
        if found:
            chosen.append(item)
    return chosen


def _mapped(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
    found = _results(evaluation, node, steps)
    return found if isinstance(found, Fault) else [result for _, result in found]


def _transformed(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
    found = _results(evaluation, node, steps)
    return found if isinstance(found, Fault) else dict(found)


def _rewritten(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
    found = _results(evaluation, node, steps)
    if isinstance(found, Fault):
        return found
    result: dict[object, object] = {}
    for _, entries in found:
        if not isinstance(entries, dict):
            return Fault(f"{node.macro}() needs a map of one entry, not {a_kind(kind(entries))}")
        fault = combined(added(result, key, value) for key, value in entries.items())
        if fault:
            return fault
    return result


def _results(evaluation: Evaluation, node: syntax.Comprehension, steps: Iterator[Any]) -> list[tuple[Any, Any]] | Fault:
    """Return (item or key, value of the body) where the condition holds."""
    results = []
    for item in steps:
        found = True if node.condition is None else truth(evaluation.value(node.condition))
        if isinstance(found, Fault):
            return found
        if found:
            results.append((item, evaluation.value(node.body)))
    return combined(result for _, result in results) or results


_MACROS: dict[str, Callable[..., object]] = {
    "all": _all_or_exists,
    "exists": _all_or_exists,
    "exists_one": _exactly_one,
    "existsOne": _exactly_one,
    "filter": _filtered,
    "map": _mapped,
    "transformList": _mapped,
    "transformMap": _transformed,
    "transformMapEntry": _rewritten,
}
