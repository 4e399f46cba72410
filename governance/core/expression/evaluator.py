"""Evaluation by cel-python's interpreter, over plain Python values and with our operators.

Its own operators and types are not used: they make 700/1000.0 zero, 0.0/0.0 infinite and 1 < 2.5 an error. Nor is its
compiling runner, which keeps an activation in a global that threads share. Each evaluation has an interpreter of its
own; the trees and tables that evaluations share are never written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from celpy import CELEvalError
from celpy.evaluation import Activation, Evaluator

from governance.core.expression.context import Context
from governance.core.expression.functions import FUNCTIONS, TYPES
from governance.core.expression.operators import OPERATORS
from governance.core.expression.problem import EvaluationFailed, Missing
from governance.core.expression.reference import MISSING, Reference
from governance.core.expression.values import AbsentError, OperationError, a_kind, kind, native

BUDGET = 20_000  # items that the macros of one evaluation may visit


class Fault(CELEvalError):  # type: ignore[misc] # celpy has no usable types
    """No value, with the reason; `missing` are the references it rests on, `absent` says that a field is not there.

    The interpreter passes it on as a value, so that `fault && false` can still be false.
    """

    def __init__(self, reason: str, missing: frozenset[Reference] = frozenset(), *, absent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing
        self.absent = absent


def evaluated(tree: Any, values: Mapping[Reference, object], context: Context) -> object:
    """Return the native value of a lowered tree.

    :raises Missing: the outcome rests on missing values
    :raises EvaluationFailed: there is no outcome
    """
    try:
        result = _Interpreter(tree, values, context).visit(tree)
    except _OverBudget:
        raise EvaluationFailed(f"the macros visit more than {BUDGET:,} items") from None
    except RecursionError:
        raise EvaluationFailed("the expression is nested too deeply") from None
    if not isinstance(result, CELEvalError):
        return result
    if not isinstance(result, Fault):
        raise EvaluationFailed("the expression cannot be computed")
    if result.missing:
        raise Missing(sorted(result.missing, key=repr))
    raise EvaluationFailed(result.reason)


class _OverBudget(Exception):
    pass


class _Interpreter(Evaluator):  # type: ignore[misc] # celpy has no usable types
    """cel-python's interpreter with nodes of ours for all that touches variables, fields, macros and constants."""

    def __init__(self, tree: Any, values: Mapping[Reference, object], context: Context) -> None:
        super().__init__(tree, _activation())
        self._values = values
        self._context = context
        self._locals: dict[str, object] = {}
        self._visited = 0

    def constant(self, tree: Any) -> object:
        return tree.children[0]

    def variable(self, tree: Any) -> object:
        (name,) = tree.children
        if name in self._locals:
            return self._locals[name]
        try:
            return self._context.value(name)
        except KeyError:
            return TYPES.get(name) or Fault(f"no variable '{name}'", absent=True)

    def reference(self, tree: Any) -> object:
        (reference,) = tree.children
        value = self._values.get(reference, MISSING)
        if value is MISSING:
            return Fault(f"no data for {reference.text}", frozenset({reference}))
        if reference.view in ("value", "samples") and type(value) is int:
            return float(value)
        return native(value)

    def select(self, tree: Any) -> object:
        operand, field = self.visit(tree.children[0]), tree.children[1]
        if isinstance(operand, Fault):
            return operand
        if not isinstance(operand, dict):
            return Fault(f"{a_kind(kind(operand))} has no field '{field}'")
        return operand[field] if field in operand else Fault(f"no field '{field}'", absent=True)

    def select_double(self, tree: Any) -> object:
        """Select a field that is declared a double; YAML's 5 is one too."""
        value = self.select(tree)
        return float(value) if type(value) is int else value

    def has(self, tree: Any) -> object:
        """A deliberate extension: false, not an error, where a part of the path before the field is absent."""
        found = self.visit(tree.children[0])
        if isinstance(found, Fault):
            return False if found.absent or found.missing else found
        return True

    def call(self, tree: Any) -> object:
        name, *arguments = tree.children
        function = self.activation.functions.get(name)
        values = [self.visit(each) for each in arguments]
        return function(*values) if function else Fault(f"no function '{name}'")

    def list_of(self, tree: Any) -> object:
        items = [self.visit(each) for each in tree.children]
        return _combined(items) or items

    def map_of(self, tree: Any) -> object:
        items = [self.visit(each) for each in tree.children]
        fault = _combined(items)
        if fault:
            return fault
        result: dict[object, object] = {}
        for key, value in zip(items[::2], items[1::2], strict=True):
            if kind(key) not in ("bool", "int", "uint", "string"):
                return Fault(f"{a_kind(kind(key))} cannot be a key of a map")
            if key in result:
                return Fault(f"the key {key!r} stands twice in the map")
            result[key] = value
        return result

    def comprehension(self, tree: Any) -> object:
        macro, operand, variable, condition, body = tree.children
        items = self.visit(operand)
        if isinstance(items, Fault):
            return items
        if not isinstance(items, (list, dict)):
            return Fault(f"{macro}() needs a list or a map, not {a_kind(kind(items))}")
        outer = self._locals
        try:
            return _MACROS[macro](items, self._step(variable, condition), self._step(variable, body))
        finally:
            self._locals = outer

    def _step(self, variable: str, tree: Any) -> Callable[[object], Any]:
        outer = self._locals

        def step(item: object) -> Any:
            self._visited += 1
            if self._visited > BUDGET:
                raise _OverBudget
            if tree is None:
                return True
            self._locals = {**outer, variable: item}
            return self.visit(tree)

        return step


def _logic(decisive: bool) -> Callable[[object, object], object]:  # noqa: FBT001 (the value that decides)
    def join(left: object, right: object) -> object:
        if left is decisive or right is decisive:
            return decisive
        strange = [_truth(each) for each in (left, right)]
        return _combined(strange) or (not decisive)

    return join


def _truth(value: object) -> object:
    if isinstance(value, (bool, Fault)):
        return value
    return Fault(f"needs true or false, not {a_kind(kind(value))}")


def _condition(test: object, yes: object, no: object) -> object:
    test = _truth(test)
    return test if isinstance(test, Fault) else yes if test else no


def _not(value: object) -> object:
    value = _truth(value)
    return value if isinstance(value, Fault) else not value


def _combined(values: list[object]) -> Fault | None:
    """Return what is wrong with a list of values: a failure before anything missing, as it needs mending first."""
    faults = [each for each in values if isinstance(each, Fault)]
    if not faults:
        return None
    failure = next((each for each in faults if not each.missing), None)
    return failure or Fault(faults[0].reason, frozenset().union(*(each.missing for each in faults)))


def _strict(function: Callable[..., object]) -> Callable[..., object]:
    def apply(*values: Any) -> object:
        fault = _combined(list(values))
        if fault:
            return fault
        try:
            return function(*values)
        except OperationError as error:
            return Fault(str(error), absent=isinstance(error, AbsentError))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
            return Fault("this operation does not take these values")

    return apply


def _joined(decisive: bool) -> Callable[..., object]:  # noqa: FBT001 (the value that decides)
    join = _logic(decisive)

    def run(items: Any, _condition: Any, body: Callable[[object], object]) -> object:
        result: object = not decisive
        for item in items:
            result = join(result, body(item))
            if result is decisive:
                break
        return result

    return run


def _chosen(items: Any, test: Callable[[object], object]) -> list[object] | Fault:
    chosen = []
    for item in items:
        truth = _truth(test(item))
        if isinstance(truth, Fault):
            return truth
        if truth:
            chosen.append(item)
    return chosen


def _mapped(items: Any, condition: Callable[[object], object], body: Callable[[object], object]) -> object:
    chosen = _chosen(items, condition)
    if isinstance(chosen, Fault):
        return chosen
    results = [body(item) for item in chosen]
    return _combined(results) or results


def _filtered(items: Any, _condition: Any, body: Callable[[object], object]) -> object:
    return _chosen(items, body)


def _exactly_one(items: Any, _condition: Any, body: Callable[[object], object]) -> object:
    chosen = _chosen(items, body)
    return chosen if isinstance(chosen, Fault) else len(chosen) == 1


_MACROS: dict[str, Callable[..., object]] = {
    "all": _joined(decisive=False),
    "exists": _joined(decisive=True),
    "exists_one": _exactly_one,
    "filter": _filtered,
    "map": _mapped,
}


@cache
def _activation() -> Any:
    """Return the table of functions that all evaluations share; variables are not looked up in it."""
    strict = {name: _strict(function) for name, function in {**OPERATORS, **FUNCTIONS}.items()}
    logic = {"_&&_": _logic(decisive=False), "_||_": _logic(decisive=True), "!_": _not, "_?_:_": _condition}
    activation = Activation(functions={**strict, **logic})
    # The base table would lend names that we do not offer, such as celpy's own min().
    activation.functions = activation.functions.maps[0]
    return activation
