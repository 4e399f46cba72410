"""Evaluation to the letter: every node by the rules of CEL, over plain Python values, whatever they are.

This is the slower of two ways, taken where the fast one gave up and for the parts of an expression when explaining it.
A failure is a value here, so that `fault && false` can still be false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from governance.core.expression import library, syntax
from governance.core.expression.context import Context
from governance.core.expression.fault import Fault, combined
from governance.core.expression.functions import TYPES
from governance.core.expression.meter import Meter, OverBudget
from governance.core.expression.operators import (
    METERED,
    OPERATORS,
    indexed,
    negative,
    optional_field,
    optional_item,
    selected,
)
from governance.core.expression.problem import EvaluationFailed, Missing
from governance.core.expression.reference import MISSING, Reference
from governance.core.expression.syntax import Node
from governance.core.expression.values import NOTHING, AbsentError, OperationError, Optional, a_kind, kind, native

_REFUSED = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
_KEYS = ("bool", "int", "uint", "string")


def evaluated(node: Node, values: Mapping[Reference, object], context: Context) -> object:
    """Return the native value of a node.

    :raises Missing: the outcome rests on missing values
    :raises EvaluationFailed: there is no outcome
    """
    try:
        result = _Evaluation(values, context).value(node)
    except OverBudget as error:
        raise EvaluationFailed(error.reason) from None
    except RecursionError:
        raise EvaluationFailed("the expression is nested too deeply") from None
    if not isinstance(result, Fault):
        return result
    if result.missing:
        raise Missing(sorted(result.missing, key=repr))
    raise EvaluationFailed(result.reason)


class _Evaluation:
    """One evaluation, which no other thread sees."""

    def __init__(self, values: Mapping[Reference, object], context: Context) -> None:
        self._values = values
        self._context = context
        self._locals: dict[str, object] = {}
        self._meter = Meter()

    def value(self, node: Node) -> Any:
        """Return the value of a node, or the fault why there is none."""
        return _CASES[type(node)](self, node)

    def all_of(self, nodes: tuple[Node, ...]) -> list[Any]:
        return [self.value(each) for each in nodes]

    def literal(self, node: syntax.Literal) -> object:
        return node.value

    def name(self, node: syntax.Name) -> object:
        if node.name in self._locals and not node.absolute:
            return self._locals[node.name]
        try:
            return self._context.value(node.name)
        except KeyError:
            return TYPES.get(node.name) or Fault(f"no variable '{node.name}'", absent=True)

    def bound(self, node: syntax.Bound) -> object:
        reference = node.reference
        value = self._values.get(reference, MISSING)
        if value is MISSING:
            return Fault(f"no data for {reference.text}", frozenset({reference}))
        if reference.view in ("value", "samples") and type(value) is int:
            return _double(value)
        return native(value)

    def select(self, node: syntax.Select) -> object:
        operand = self.value(node.operand)
        value = self.apply(optional_field if node.optional else selected, operand, node.field)
        return _double(value) if node.double and type(value) is int else value

    def has(self, node: syntax.Has) -> object:
        """A deliberate extension: false, not an error, where a part of the path before the field is absent."""
        found = self._tested(node.operand)
        if isinstance(found, Fault):
            return False if found.absent or found.missing else found
        return found

    def _tested(self, node: Node) -> object:
        if isinstance(node, syntax.Select):
            operand = self.value(node.operand)
            found = self.apply(selected, operand, node.field)
            if isinstance(operand, Optional) and isinstance(found, Optional):
                return found.present
        else:
            found = self.value(node)
        return found if isinstance(found, Fault) else True

    def index(self, node: syntax.Index) -> object:
        return self.apply(optional_item if node.optional else indexed, self.value(node.operand), self.value(node.key))

    def call(self, node: syntax.Call) -> object:
        values = self.all_of(syntax.parts(node))
        metered = library.METERED.get(node.function)
        if metered is not None:
            return self.apply(metered, self._meter, *values)
        function = library.PURE.get(node.function)
        return self.apply(function, *values) if function else Fault(f"no function '{node.function}'")

    def unary(self, node: syntax.Unary) -> object:
        value = self.value(node.operand)
        if node.operator == "-":
            return self.apply(negative, value)
        value = _truth(value)
        return value if isinstance(value, Fault) else not value

    def binary(self, node: syntax.Binary) -> object:
        left, right = self.value(node.left), self.value(node.right)
        metered = METERED.get(node.operator)
        if metered is not None:
            return self.apply(metered, left, right, self._meter)
        result = self.apply(OPERATORS[node.operator], left, right)
        return self._meter.built(result) if node.operator == "+" else result

    def logic(self, node: syntax.Logic) -> object:
        return self._joined(node.operator == "||", (self.value(each) for each in node.terms))

    def _joined(self, decisive: bool, values: Iterator[object]) -> object:  # noqa: FBT001 (the value that decides)
        faults = []
        for each in values:
            truth = _truth(each)
            if truth is decisive:
                return decisive
            if isinstance(truth, Fault):
                faults.append(truth)
        return combined(faults) or (not decisive)

    def conditional(self, node: syntax.Conditional) -> object:
        test = _truth(self.value(node.test))
        return test if isinstance(test, Fault) else self.value(node.yes if test else node.no)

    def list_of(self, node: syntax.ListOf) -> object:
        items = self.all_of(node.items)
        fault = combined(items)
        if fault or not node.optional:
            return fault or items
        return self._chosen_items(items, node.optional)

    def _chosen_items(self, items: list[Any], optional: frozenset[int]) -> object:
        chosen = []
        for number, item in enumerate(items):
            if number not in optional:
                chosen.append(item)
            elif not isinstance(item, Optional):
                return Fault(f"after [? stands an optional value, not {a_kind(kind(item))}")
            elif item.present:
                chosen.append(item.value)
        return chosen

    def map_of(self, node: syntax.MapOf) -> object:
        entries = [(self.value(key), self.value(value)) for key, value in node.entries]
        fault = combined(each for entry in entries for each in entry)
        if fault:
            return fault
        result: dict[object, object] = {}
        for number, (key, value) in enumerate(entries):
            present: object = value
            if number in node.optional:
                if not isinstance(value, Optional):
                    return Fault(f"after {{? stands an optional value, not {a_kind(kind(value))}")
                if not value.present:
                    continue
                present = value.value
            fault = _added(result, key, present)
            if fault:
                return fault
        return result

    def comprehension(self, node: syntax.Comprehension) -> object:
        items = self.value(node.operand)
        if isinstance(items, Fault):
            return items
        if node.macro in ("bind", "optMap", "optFlatMap"):
            return self._once(node, items)
        steps = self._steps(node, items)
        if isinstance(steps, Fault):
            return steps
        outer = self._locals
        try:
            return _MACROS[node.macro](self, node, steps)
        finally:
            self._locals = outer

    def _once(self, node: syntax.Comprehension, operand: Any) -> object:
        if node.macro != "bind":
            if not isinstance(operand, Optional):
                return Fault(f"{node.macro}() needs an optional value, not {a_kind(kind(operand))}")
            if not operand.present:
                return NOTHING
            operand = operand.value
        outer = self._locals
        self._locals = {**outer, node.variable: operand}
        try:
            result = self.value(node.body)
        finally:
            self._locals = outer
        if isinstance(result, Fault) or node.macro == "bind":
            return result
        if node.macro == "optMap":
            return Optional(present=True, value=result)
        return result if isinstance(result, Optional) else Fault("optFlatMap() must give an optional value")

    def _steps(self, node: syntax.Comprehension, items: Any) -> Iterator[Any] | Fault:
        """Return an iterator that binds the variables to one item after the other and yields the item."""
        if isinstance(items, dict):
            entries: Any = items.items()
        elif isinstance(items, list):
            entries = enumerate(items)
        else:
            return Fault(f"{node.macro}() needs a list or a map, not {a_kind(kind(items))}")
        return self._each(node, items, entries)

    def _each(self, node: syntax.Comprehension, items: Any, entries: Any) -> Iterator[Any]:
        self._locals = bound = dict(self._locals)
        if node.second:
            for key, item in entries:
                self._meter.visit(1)
                bound[node.variable], bound[node.second] = key, item
                yield key
            return
        for item in items:
            self._meter.visit(1)
            bound[node.variable] = item
            yield item

    def all_or_exists(self, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
        return self._joined(node.macro == "exists", (self.value(node.body) for _ in steps))

    def exactly_one(self, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
        chosen = self.filtered(node, steps)
        return chosen if isinstance(chosen, Fault) else len(chosen) == 1

    def filtered(self, node: syntax.Comprehension, steps: Iterator[Any]) -> list[Any] | Fault:
        chosen = []
        for item in steps:
            truth = _truth(self.value(node.body))
            if isinstance(truth, Fault):
                return truth
            if truth:
                chosen.append(item)
        return chosen

    def mapped(self, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
        found = self._results(node, steps)
        return found if isinstance(found, Fault) else [result for _, result in found]

    def transformed(self, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
        found = self._results(node, steps)
        return found if isinstance(found, Fault) else dict(found)

    def rewritten(self, node: syntax.Comprehension, steps: Iterator[Any]) -> object:
        found = self._results(node, steps)
        if isinstance(found, Fault):
            return found
        result: dict[object, object] = {}
        for _, entries in found:
            if not isinstance(entries, dict):
                return Fault(f"{node.macro}() needs a map of one entry, not {a_kind(kind(entries))}")
            fault = combined(_added(result, key, value) for key, value in entries.items())
            if fault:
                return fault
        return result

    def _results(self, node: syntax.Comprehension, steps: Iterator[Any]) -> list[tuple[Any, Any]] | Fault:
        """Return (item or key, value of the body) where the condition holds."""
        results = []
        for item in steps:
            truth = True if node.condition is None else _truth(self.value(node.condition))
            if isinstance(truth, Fault):
                return truth
            if truth:
                results.append((item, self.value(node.body)))
        return combined(result for _, result in results) or results

    def apply(self, function: Callable[..., object], *values: Any) -> Any:
        for each in values:
            if type(each) is Fault:
                return combined(values)
        try:
            return function(*values)
        except OperationError as error:
            return Fault(str(error), absent=isinstance(error, AbsentError))
        except _REFUSED:
            return Fault("this operation does not take these values")


def _double(value: int) -> float | Fault:
    try:
        return float(value)
    except OverflowError:
        return Fault("the number is too large for a double")


def _truth(value: object) -> bool | Fault:
    if isinstance(value, (bool, Fault)):
        return value
    return Fault(f"needs true or false, not {a_kind(kind(value))}")


def _added(result: dict[object, object], key: object, value: object) -> Fault | None:
    """Add an entry to a map, or return what is wrong with its key."""
    if kind(key) not in _KEYS:
        return Fault(f"{a_kind(kind(key))} cannot be a key of a map")
    if key in result:
        return Fault(f"the key {key!r} stands twice in the map")
    result[key] = value
    return None


_CASES: dict[type, Callable[[_Evaluation, Any], Any]] = {
    syntax.Literal: _Evaluation.literal,
    syntax.Name: _Evaluation.name,
    syntax.Bound: _Evaluation.bound,
    syntax.Select: _Evaluation.select,
    syntax.Has: _Evaluation.has,
    syntax.Index: _Evaluation.index,
    syntax.Call: _Evaluation.call,
    syntax.Comprehension: _Evaluation.comprehension,
    syntax.Unary: _Evaluation.unary,
    syntax.Binary: _Evaluation.binary,
    syntax.Logic: _Evaluation.logic,
    syntax.Conditional: _Evaluation.conditional,
    syntax.ListOf: _Evaluation.list_of,
    syntax.MapOf: _Evaluation.map_of,
}
_MACROS: dict[str, Callable[..., object]] = {
    "all": _Evaluation.all_or_exists,
    "exists": _Evaluation.all_or_exists,
    "exists_one": _Evaluation.exactly_one,
    "existsOne": _Evaluation.exactly_one,
    "filter": _Evaluation.filtered,
    "map": _Evaluation.mapped,
    "transformList": _Evaluation.mapped,
    "transformMap": _Evaluation.transformed,
    "transformMapEntry": _Evaluation.rewritten,
}
