"""Evaluation to the letter: every node by the rules of CEL, over plain Python values, whatever they are.

This is the slower of two ways, taken where the fast one gave up and for the parts of an expression when explaining it.
A failure is a value here, so that `fault && false` can still be false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from governance.core.expression import library, macros, syntax
from governance.core.expression.context import Context
from governance.core.expression.fault import Fault, combined
from governance.core.expression.functions import TYPES
from governance.core.expression.meter import REFUSAL, TO_THE_LETTER, Meter, OverBudget
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
from governance.core.expression.values import (
    AbsentError,
    OperationError,
    Optional,
    a_kind,
    kind,
    native,
)

_REFUSED = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError)


def evaluated(node: Node, values: Mapping[Reference, object], context: Context) -> object:
    """Return the native value of a node.

    :raises Missing: the outcome rests on missing values
    :raises EvaluationFailed: there is no outcome
    """
    try:
        result = Evaluation(values, context).value(node)
    except OverBudget as error:
        raise EvaluationFailed(error.reason) from None
    except RecursionError:
        raise EvaluationFailed("the expression is nested too deeply") from None
    if not isinstance(result, Fault):
        return result
    if result.missing:
        raise Missing(sorted(result.missing, key=repr))
    raise EvaluationFailed(result.reason)


class Evaluation:
    """One evaluation, which no other thread sees."""

    def __init__(self, values: Mapping[Reference, object], context: Context) -> None:
        self._values = values
        self._context = context
        self.local: dict[str, object] = {}
        self.meter = Meter()
        self._series: dict[Reference, object] = {}

    def value(self, node: Node) -> Any:
        """Return the value of a node, or the fault why there is none."""
        self.meter.take(TO_THE_LETTER)
        return _CASES[type(node)](self, node)

    def all_of(self, nodes: tuple[Node, ...]) -> list[Any]:
        return [self.value(each) for each in nodes]

    def literal(self, node: syntax.Literal) -> object:
        return node.value

    def name(self, node: syntax.Name) -> object:
        if node.name in self.local and not node.absolute:
            return self.local[node.name]
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
        if reference not in self._series:  # which may be long, and asked with each item
            self._series[reference] = native(value)
        return self._series[reference]

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
        values = [self.value(each) for each in syntax.parts(node)[:1]]
        if node.function in ("or", "orValue") and values and isinstance(values[0], Optional) and values[0].present:
            return values[0] if node.function == "or" else values[0].value
        values += self.all_of(syntax.parts(node)[1:])
        metered = library.METERED.get(node.function)
        if metered is not None:
            return self.apply(metered, self.meter, *values)
        function = library.PURE.get(node.function)
        return self.apply(function, *values) if function else Fault(f"no function '{node.function}'")

    def unary(self, node: syntax.Unary) -> object:
        value = self.value(node.operand)
        if node.operator == "-":
            return self.apply(negative, value)
        value = macros.truth(value)
        return value if isinstance(value, Fault) else not value

    def binary(self, node: syntax.Binary) -> object:
        left, right = self.value(node.left), self.value(node.right)
        metered = METERED.get(node.operator)
        if metered is not None:
            return self.apply(metered, left, right, self.meter)
        result = self.apply(OPERATORS[node.operator], left, right)
        return self.meter.built(result) if node.operator == "+" else result

    def logic(self, node: syntax.Logic) -> object:
        return macros.joined(node.operator == "||", (self.value(each) for each in node.terms))

    def conditional(self, node: syntax.Conditional) -> object:
        test = macros.truth(self.value(node.test))
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
            fault = macros.added(result, key, present)
            if fault:
                return fault
        return result

    def comprehension(self, node: syntax.Comprehension) -> object:
        return macros.evaluated(self, node)

    def bound_to(self, node: Node, variables: dict[str, object]) -> Any:
        """Return the value of a node with more variables of macros."""
        outer = self.local
        self.local = {**outer, **variables}
        try:
            return self.value(node)
        finally:
            self.local = outer

    def apply(self, function: Callable[..., object], *values: Any) -> Any:
        for each in values:
            if type(each) is Fault:
                return combined(values)
        try:
            return function(*values)
        except OperationError as error:
            self.meter.take(REFUSAL)
            return Fault(str(error), absent=isinstance(error, AbsentError))
        except _REFUSED:
            self.meter.take(REFUSAL)
            return Fault("this operation does not take these values")


def _double(value: int) -> float | Fault:
    try:
        return float(value)
    except OverflowError:
        return Fault("the number is too large for a double")


_CASES: dict[type, Callable[[Evaluation, Any], Any]] = {
    syntax.Literal: Evaluation.literal,
    syntax.Name: Evaluation.name,
    syntax.Bound: Evaluation.bound,
    syntax.Select: Evaluation.select,
    syntax.Has: Evaluation.has,
    syntax.Index: Evaluation.index,
    syntax.Call: Evaluation.call,
    syntax.Comprehension: Evaluation.comprehension,
    syntax.Unary: Evaluation.unary,
    syntax.Binary: Evaluation.binary,
    syntax.Logic: Evaluation.logic,
    syntax.Conditional: Evaluation.conditional,
    syntax.ListOf: Evaluation.list_of,
    syntax.MapOf: Evaluation.map_of,
}
