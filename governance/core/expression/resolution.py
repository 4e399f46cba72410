"""Checks an expression against what it may name, and expands references to metrics; all problems in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from governance.core.expression import budgets, calls, kinds, looking_back, syntax
from governance.core.expression.functions import TYPES
from governance.core.expression.names import Names
from governance.core.expression.parsing import parse
from governance.core.expression.problem import ExpressionError, ExpressionProblem, problem_at
from governance.core.expression.reference import Reference
from governance.core.expression.shape import ANY, BOOL, DOUBLE, INT, TYPE, Field, Shape
from governance.core.expression.signatures import BUDGETS, EXPANDED, STRETCHES
from governance.core.expression.syntax import Node, Span, path
from governance.core.expression.values import IntLiteral, a_kind, kind
from governance.core.suggestion import closest

METRICS, SLOS = "metrics", "slos"
_ARITHMETIC = frozenset("+-*/%")
_MAPS = ("map", "transformList", "transformMap", "transformMapEntry")
Resolved = calls.Resolved


class Resolver:
    """Resolves one expression; read `problems`, `references` and `variables` afterwards.

    `guards` are the paths that the expression, or what is given, tests with has().
    """

    def __init__(self, text: str, names: Names, guards: Iterable[tuple[str, ...]]) -> None:
        self.text = text
        self.names = names
        self.problems: list[ExpressionProblem] = []
        self.references: dict[Reference, None] = {}
        self.variables: set[str] = set()
        self._guards = frozenset(guards)
        self._unguarded: dict[tuple[str, ...], Span] = {}
        self._scope: Mapping[str, Shape] = {}
        self._cases: dict[type, Callable[[Any], Resolved]] = {
            syntax.Literal: self._literal,
            syntax.Name: self._name,
            syntax.Select: self._select,
            syntax.Has: self._has,
            syntax.Index: self._index,
            syntax.Call: self._call,
            syntax.Comprehension: self._comprehension,
            syntax.Unary: self._unary,
            syntax.Binary: self._binary,
            syntax.Logic: self._logic,
            syntax.Conditional: self._conditional,
            syntax.ListOf: self._list,
            syntax.MapOf: self._map,
        }

    def resolve(self, node: Node) -> Resolved:
        """Return the node with references bound and literals adjusted, and the shape of its value."""
        return self._cases[type(node)](node)

    def finish(self) -> None:
        """Report optional fields used without has(): of a path only its longest part, as its guard covers the rest."""
        for found, span in self._unguarded.items():
            if not any(len(other) > len(found) and other[: len(found)] == found for other in self._unguarded):
                name = ".".join(found)
                self.report(span, "unguarded-field", f"{name} may be absent", f"write has({name}) && …")

    def report(self, span: Span, code: str, message: str, suggestion: str = "") -> None:
        """Add a problem."""
        self.problems.append(problem_at(self.text, span, code, message, suggestion))

    def bind(self, reference: Reference, span: Span) -> Node:
        """Return the node that stands for a reference."""
        self.references[reference] = None
        return syntax.Bound(reference, span)

    def names_variable(self, name: str) -> bool:
        """Tell whether a name stands for a variable here."""
        return name in self._scope or name in self.names.variables

    def metric(self, node: Node) -> tuple[Reference, tuple[str, ...] | None] | None:
        """Return the metric that metrics.<name> names and its labels, None for labels when there is no such metric."""
        names = path(node)
        if names is None or len(names) != 2 or names[0] != METRICS or self.names_variable(METRICS):
            return None
        labels = self.names.metrics.get(names[1])
        if labels is None:
            why = self.names.absent.get(names[1])
            hint = "" if why else closest(names[1], self.names.metrics)
            message = f"no metric '{names[1]}'" + (f" here: {why}" if why else "")
            self.report(_last(node), "unknown-metric", message, hint)
        return Reference(names[1]), labels

    def slo(self, node: Node) -> str | None:
        """Return the name of the SLO that slos.<name> names, "" for an item of card.slos, None for anything else."""
        names = path(node)
        if names is not None and len(names) == 1 and names[0] in self.names.slo_items and names[0] not in self._scope:
            self.variables.add(names[0])
            return ""
        if names is None or len(names) != 2 or names[0] != SLOS or self.names_variable(SLOS):
            return None
        if names[1] not in self.names.slos:
            self.report(_last(node), "unknown-slo", f"no SLO '{names[1]}'", closest(names[1], self.names.slos))
        return names[1]

    def _literal(self, node: syntax.Literal) -> Resolved:
        return node, Shape(kind(node.value))

    def _name(self, node: syntax.Name) -> Resolved:
        if node.name in self._scope and not node.absolute:
            return node, self._scope[node.name]
        if node.name in self.names.variables:
            self.variables.add(node.name)
            return node, self.names.variables[node.name]
        if node.name == METRICS:
            self.report(node.span, "unknown-metric", "metrics is no value by itself", "name one: metrics.<name>")
        elif node.name == SLOS:
            hint = f"ask one: {budgets.forms('budget_left')}"
            self.report(node.span, "unknown-slo", "slos is no value by itself", hint)
        elif node.name in TYPES:
            return node, TYPE
        else:
            self.report(node.span, "unknown-name", f"no variable '{node.name}'", self._meant(node.name))
        return node, ANY

    def _meant(self, name: str) -> str:
        if name in self.names.metrics:
            return f"did you mean 'metrics.{name}'?"
        return closest(name, [*self.names.variables, *self._scope, METRICS, SLOS])

    def _select(self, node: syntax.Select) -> Resolved:
        found = self.metric(node)
        if found:
            return self.bind(found[0], node.span), DOUBLE
        operand, shape = self.resolve(node.operand)
        if node.optional:
            return replace(node, operand=operand), ANY
        result = self._field(node, shape, node.field, node.field_span)
        return replace(node, operand=operand, double=result.kind == "double"), result

    def _field(self, node: syntax.Select | syntax.Index, shape: Shape, name: str, span: Span) -> Shape:
        if shape.kind in ("any", "type"):
            return ANY
        if shape.kind == "map":
            return shape.item or ANY
        field = shape.field(name)
        if field is None:
            where = " ".join(self.text[slice(*node.operand.span)].split())
            message = (
                f"no field '{name}' in {where}"
                if shape.kind == "record"
                else f"{where} is {a_kind(shape.kind)}, it has no fields"
            )
            self.report(span, "unknown-field", message, closest(name, [each.name for each in shape.fields]))
            return ANY
        self._guard(node, field)
        return field.shape

    def _guard(self, node: Node, field: Field) -> None:
        names = path(node)
        if field.optional and names and not any(guard[: len(names)] == names for guard in self._guards):
            self._unguarded.setdefault(names, node.span)

    def _has(self, node: syntax.Has) -> Resolved:
        operand, _ = self.resolve(node.operand)
        return replace(node, operand=operand), BOOL

    def _index(self, node: syntax.Index) -> Resolved:
        found = self.metric(node)
        if found:
            return self.bind(found[0], node.span), DOUBLE
        operand, shape = self.resolve(node.operand)
        key, key_shape = self.resolve(node.key)
        resolved = replace(node, operand=operand, key=key)
        if node.optional:
            return resolved, ANY
        if shape.kind == "record" and isinstance(key, syntax.Literal) and isinstance(key.value, str):
            return resolved, self._field(node, shape, key.value, key.span)
        if shape.kind not in ("any", "list", "map", "record"):
            self.report(node.span, "wrong-type", f"{a_kind(shape.kind)} has no [ ]")
        if shape.kind == "list" and key_shape.kind not in ("any", "int", "uint", "double"):
            self.report(key.span, "wrong-type", "a list is indexed with a whole number")
        return resolved, shape.item or ANY

    def _call(self, node: syntax.Call) -> Resolved:
        if node.target is not None or node.function not in EXPANDED:
            return calls.function_call(self, node)
        if node.function in STRETCHES:
            return looking_back.stretch_call(self, node)
        if node.function in BUDGETS:
            return budgets.budget_call(self, node)
        return calls.reference_call(self, node)

    def _comprehension(self, node: syntax.Comprehension) -> Resolved:
        operand, shape = self.resolve(node.operand)
        if node.macro in ("bind", "optMap", "optFlatMap"):
            return self._once(node, operand, shape)
        if shape.kind not in ("any", "list", "map", "record"):
            message = f"{node.macro}() needs a list or a map, not {a_kind(shape.kind)}"
            self.report(node.operand.span, "wrong-type", message)
        bound = {node.variable: shape.member}
        if node.second:
            bound = {node.variable: INT if shape.kind == "list" else shape.member, node.second: shape.item or ANY}
        outer, self._scope = self._scope, {**self._scope, **bound}
        condition = None if node.condition is None else self._condition(node.condition)
        body, result = (self.resolve if node.macro in _MAPS else self._truth)(node.body)
        self._scope = outer
        mapped = dict.fromkeys(("map", "transformList"), Shape.list(result))
        results = {**mapped, "filter": Shape.list(shape.member), "transformMap": ANY, "transformMapEntry": ANY}
        resolved = replace(node, operand=operand, condition=condition, body=body)
        return resolved, results.get(node.macro, BOOL)

    def _once(self, node: syntax.Comprehension, operand: Node, shape: Shape) -> Resolved:
        """Resolve a macro that binds its variable to one value."""
        outer, self._scope = self._scope, {**self._scope, node.variable: shape if node.macro == "bind" else ANY}
        body, result = self.resolve(node.body)
        self._scope = outer
        return replace(node, operand=operand, body=body), result if node.macro == "bind" else ANY

    def _unary(self, node: syntax.Unary) -> Resolved:
        if node.operator == "!":
            return replace(node, operand=self._condition(node.operand)), BOOL
        operand, shape = self.resolve(node.operand)
        if shape.kind not in ("any", "int", "double", "duration"):
            self.report(node.span, "wrong-type", f"cannot negate {a_kind(shape.kind)}")
        return replace(node, operand=operand), shape

    def _binary(self, node: syntax.Binary) -> Resolved:
        left, right = self.resolve(node.left), self.resolve(node.right)
        if node.operator in _ARITHMETIC:
            left, right = _beside(left, right), _beside(right, left)
            result, wrong = kinds.arithmetic(node.operator, left[1], right[1])
        elif node.operator == "in":
            result, wrong = BOOL, kinds.membership(right[1])
        else:
            result, wrong = BOOL, kinds.comparison(node.operator, left[1], right[1])
        if wrong:
            self.report(node.span, "wrong-type", wrong)
        return replace(node, left=left[0], right=right[0]), result

    def _truth(self, node: Node) -> Resolved:
        resolved, shape = self.resolve(node)
        wrong = kinds.truth(shape)
        if wrong:
            self.report(node.span, "wrong-type", wrong)
        return resolved, BOOL

    def _condition(self, node: Node) -> Node:
        return self._truth(node)[0]

    def _logic(self, node: syntax.Logic) -> Resolved:
        return replace(node, terms=tuple(self._condition(each) for each in node.terms)), BOOL

    def _conditional(self, node: syntax.Conditional) -> Resolved:
        test = self._condition(node.test)
        yes, no = self.resolve(node.yes), self.resolve(node.no)
        return replace(node, test=test, yes=yes[0], no=no[0]), _common([yes[1], no[1]])

    def _list(self, node: syntax.ListOf) -> Resolved:
        items = [self.resolve(each) for each in node.items]
        shape = Shape.list(ANY if node.optional else _common([shape for _, shape in items]))
        return replace(node, items=tuple(item for item, _ in items)), shape

    def _map(self, node: syntax.MapOf) -> Resolved:
        entries = [(self.resolve(key), self.resolve(value)) for key, value in node.entries]
        texts = all(key[1].kind == "string" for key, _ in entries)
        shape = Shape.map(_common([value[1] for _, value in entries])) if texts and not node.optional else ANY
        return replace(node, entries=tuple((key[0], value[0]) for key, value in entries)), shape


@lru_cache(maxsize=256)
def given_guards(text: str) -> frozenset[tuple[str, ...]]:
    """Return the paths that a condition given elsewhere tests with has(); what is wrong with it is reported there."""
    try:
        return guards(parse(text))
    except ExpressionError:
        return frozenset()


def guards(node: Node) -> frozenset[tuple[str, ...]]:
    """Return the paths that an expression tests with has()."""
    found = (path(each.operand) for each in syntax.walk(node) if isinstance(each, syntax.Has))
    return frozenset(each for each in found if each)


def _beside(operand: Resolved, other: Resolved) -> Resolved:
    """Make an integer literal beside a double a double; beside a value of unknown kind that is left to evaluation."""
    node, shape = operand
    if not isinstance(node, syntax.Literal) or type(node.value) is not int:
        return operand
    if other[1].kind == "double":
        return replace(node, value=float(node.value)), DOUBLE
    if other[1].kind == "any":
        return replace(node, value=IntLiteral(node.value)), shape
    return operand


def _common(shapes: list[Shape]) -> Shape:
    return shapes[0] if shapes and all(each == shapes[0] for each in shapes) else ANY


def _last(node: Node) -> Span:
    """Return where the last name of a path stands."""
    if isinstance(node, syntax.Select):
        return node.field_span
    return node.key.span if isinstance(node, syntax.Index) else node.span
