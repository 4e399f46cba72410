"""Checks an expression against what it may name, and expands references to metrics; all problems in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from governance.core.expression import bounds, budgets, calls, guarding, hinting, kinds, looking_back, syntax
from governance.core.expression.contradiction import contradiction
from governance.core.expression.functions import TYPES
from governance.core.expression.guarding import Place, Places
from governance.core.expression.names import Names
from governance.core.expression.problem import ExpressionProblem, problem_at
from governance.core.expression.reference import Reference
from governance.core.expression.shape import ANY, BOOL, DOUBLE, INT, OPTIONAL, TYPE, Field, Shape, joined
from governance.core.expression.signatures import BUDGETS, EXPANDED, STRETCHES
from governance.core.expression.syntax import Node, Span, path
from governance.core.expression.values import NUMBERS, IntLiteral, a_kind, kind
from governance.core.suggestion import closest

METRICS, SLOS, LABELS = "metrics", "slos", "labels"
_ARITHMETIC = frozenset("+-*/%")
_MAPS = ("map", "transformList", "transformMap", "transformMapEntry")
_ONCE = ("bind", "optMap", "optFlatMap")
Resolved = calls.Resolved


class Resolver:
    """Resolves one expression; read `problems`, `references`, `variables`, `labels` and `lengths` afterwards.

    `labels` are those named as labels.<name>, with where; `lengths` how many items the list or map of a macro can have.
    """

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.problems: list[ExpressionProblem] = []
        self.references: dict[Reference, None] = {}
        self.variables: set[str] = set()
        self.labels: dict[str, Span] = {}
        self.lengths: dict[Span, int | None] = {}
        self._known: Places = frozenset().union(*map(guarding.given, names.given))
        self._unguarded: dict[Place, Span] = {}
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

    def number(self, reference: Reference) -> Shape:
        """Return the double that a reference to a metric gives, between the bounds that are known."""
        unknown = (-math.inf, math.inf)
        return DOUBLE.within(*bounds.of_reference(reference, *self.names.bounds.get(reference.metric, unknown)))

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
        found = kind(node.value)
        known = found in ("int", "double", "string", "duration")
        return node, replace(Shape.one_of([node.value]), kind=found) if known else Shape(found)

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
        if name in hinting.WORDS:
            return f"write {hinting.WORDS[name]}"
        if name in self.names.metrics:
            return f"did you mean 'metrics.{name}'?"
        return closest(name, [*self.names.variables, *self._scope, METRICS, SLOS])

    def _select(self, node: syntax.Select) -> Resolved:
        found = self.metric(node)
        if found:
            return self.bind(found[0], node.span), self.number(found[0])
        operand, shape = self.resolve(node.operand)
        if path(node.operand) == (LABELS,) and LABELS not in self._scope:
            self.labels.setdefault(node.field, node.field_span)
        if node.optional:
            return replace(node, operand=operand), OPTIONAL
        result = self._field(replace(node, operand=operand), shape, node.field, node.field_span)
        return replace(node, operand=operand, double=result.kind == "double"), result

    def _field(self, node: syntax.Select | syntax.Index, shape: Shape, name: str, span: Span) -> Shape:
        if shape.kind in ("any", "type"):
            return ANY
        if shape.kind in ("map", "optional"):
            return shape.element if shape.kind == "map" else OPTIONAL
        field = shape.field(name)
        if field is None:
            where = " ".join(self.text[slice(*node.operand.span)].split())
            message = (
                f"no field '{name}' in {where}"
                if shape.kind == "record"
                else f"{where} is {a_kind(shape.kind)}, it has no fields"
            )
            hint = hinting.fielded(node, shape, name, where) or closest(name, [each.name for each in shape.fields])
            self.report(span, "unknown-field", message, hint)
            return ANY
        self._guard(node, field)
        return field.shape

    def _guard(self, node: Node, field: Field) -> None:
        if field.optional:
            found = guarding.place(node, self.text)
            if not guarding.covers(self._known, found):
                self._unguarded.setdefault(found, node.span)

    @contextmanager
    def _knowing(self, places: Places) -> Iterator[None]:
        """Check a part of the expression where these places are known to be there."""
        outer, self._known = self._known, self._known | places
        yield
        self._known = outer

    def _has(self, node: syntax.Has) -> Resolved:
        with self._knowing(frozenset({guarding.place(node.operand, self.text)})):  # it may ask for any part of a path
            operand, _ = self.resolve(node.operand)
        return replace(node, operand=operand), BOOL

    def _index(self, node: syntax.Index) -> Resolved:
        found = self.metric(node)
        if found:
            return self.bind(found[0], node.span), self.number(found[0])
        operand, shape = self.resolve(node.operand)
        key, key_shape = self.resolve(node.key)
        resolved = replace(node, operand=operand, key=key)
        if node.optional:
            return resolved, OPTIONAL
        if shape.kind == "record" and isinstance(key, syntax.Literal) and isinstance(key.value, str):
            return resolved, self._field(resolved, shape, key.value, key.span)
        if path(node.operand) == (LABELS,) and isinstance(key, syntax.Literal) and LABELS not in self._scope:
            self.labels.setdefault(str(key.value), key.span)
        wrong = kinds.indexing(shape, key_shape)
        if wrong:
            hint = (
                hinting.fielded(resolved, shape, str(getattr(key, "value", "…")), "") if operand != node.operand else ""
            )
            self.report(node.span if wrong[0] == "container" else key.span, "wrong-type", wrong[1], hint)
        return resolved, OPTIONAL if shape.kind == "optional" else shape.element

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
        if node.macro in _ONCE:
            return self._once(node, operand, shape)
        if shape.kind not in ("any", "list", "map", "record"):
            message = f"{node.macro}() needs a list or a map, not {a_kind(shape.kind)}"
            metric = isinstance(operand, syntax.Bound)
            hint = f"write series({self._source(node.operand)}).{node.macro}(…)" if metric else ""
            self.report(node.operand.span, "wrong-type", message, hint)
        length = self.lengths[node.span] = len(shape.fields) if shape.kind == "record" else shape.longest
        with self._binding(_variables(node, shape), _filtered(node, self.text)):
            condition = None if node.condition is None else self._condition(node.condition)
            known = guarding.NOWHERE if node.condition is None else guarding.shown(node.condition, self.text)[0]
            with self._knowing(known):
                body, result = (self.resolve if node.macro in _MAPS else self._truth)(node.body)
        mapped = dict.fromkeys(("map", "transformList"), Shape.list(result, length))
        maps = dict.fromkeys(("transformMap", "transformMapEntry"), ANY)
        results = {**mapped, **maps, "filter": Shape.list(shape.member, length)}
        return replace(node, operand=operand, condition=condition, body=body), results.get(node.macro, BOOL)

    def _once(self, node: syntax.Comprehension, operand: Node, shape: Shape) -> Resolved:
        """Resolve a macro that binds its variable to one value."""
        bound = node.macro == "bind"
        with self._binding({node.variable: shape if bound else ANY}, guarding.NOWHERE):
            body, result = self.resolve(node.body)
        return replace(node, operand=operand, body=body), result if bound else OPTIONAL

    @contextmanager
    def _binding(self, variables: Mapping[str, Shape], places: Places) -> Iterator[None]:
        """Check a part of the expression where variables of a macro hide others of their names."""
        scope, known = self._scope, self._known
        self._scope = {**scope, **variables}
        self._known = frozenset(each for each in known if each[0] not in variables) | places
        yield
        self._scope, self._known = scope, known

    def _unary(self, node: syntax.Unary) -> Resolved:
        if node.operator == "!":
            return replace(node, operand=self._condition(node.operand)), BOOL
        operand, shape = self.resolve(node.operand)
        if shape.kind not in ("any", "int", "double", "duration"):
            self.report(node.span, "wrong-type", f"cannot negate {a_kind(shape.kind)}")
        return replace(node, operand=operand), shape.plain.within(-shape.high, -shape.low)

    def _binary(self, node: syntax.Binary) -> Resolved:
        left, right = self.resolve(node.left), self.resolve(node.right)
        if node.operator in _ARITHMETIC:
            left, right = _beside(left, right), _beside(right, left)
            result, wrong = kinds.arithmetic(node.operator, left[1], right[1])
            if result.kind in NUMBERS:
                result = result.within(*bounds.between(node.operator, left[1], right[1]))
        else:
            test = kinds.membership if node.operator == "in" else partial(kinds.comparison, node.operator)
            result, wrong = BOOL, test(left[1], right[1])
            if node.operator == "in" and right[1].kind == "list":
                self.lengths[node.span] = right[1].longest
            if not wrong:
                self._never(node, left, right)
        if wrong:
            words = self._source(node.left), self._source(node.right)
            hint = "" if node.operator in _ARITHMETIC else hinting.compared(left, right, words)
            self.report(node.span, "wrong-type", wrong, hint)
        return replace(node, left=left[0], right=right[0]), result

    def _never(self, node: syntax.Binary, left: Resolved, right: Resolved) -> None:
        """Report a comparison that can never be true; of `in` and a list that is written out, each item that is not."""
        listed = node.operator == "in" and isinstance(right[0], syntax.ListOf)
        items = right[0].items if listed and isinstance(right[0], syntax.ListOf) else ()
        for item in items:
            _, shape = self._literal(item) if isinstance(item, syntax.Literal) else (item, ANY)
            words = self._source(node.left), self._source(item)
            self._report_never(item.span, bounds.never("==", left[1], shape, words))
        if not listed:
            words = self._source(node.left), self._source(node.right)
            found = (
                bounds.membership(left[1], right[1], words)
                if node.operator == "in"
                else bounds.never(node.operator, left[1], right[1], words)
            )
            self._report_never(node.span, found)

    def _report_never(self, span: Span, found: tuple[str, str]) -> None:
        if found[0]:
            self.report(span, "never-true", *found)

    def _source(self, node: Node) -> str:
        return " ".join(self.text[slice(*node.span)].split())

    def _truth(self, node: Node) -> Resolved:
        resolved, shape = self.resolve(node)
        wrong = kinds.truth(shape)
        if wrong:
            self.report(node.span, "wrong-type", wrong)
        return resolved, BOOL

    def _condition(self, node: Node) -> Node:
        return self._truth(node)[0]

    def _logic(self, node: syntax.Logic) -> Resolved:
        terms = []
        for each, places in zip(node.terms, guarding.beside(node, self.text), strict=True):
            with self._knowing(places):
                terms.append(self._condition(each))
        excluded = contradiction(tuple(terms), self.text) if node.operator == "&&" else None
        if excluded:
            self.report(excluded[0], "never-true", excluded[1])
        return replace(node, terms=tuple(terms)), BOOL

    def _conditional(self, node: syntax.Conditional) -> Resolved:
        test = self._condition(node.test)
        true, false = guarding.shown(node.test, self.text)
        with self._knowing(true):
            yes = self.resolve(node.yes)
        with self._knowing(false):
            no = self.resolve(node.no)
        yes, no = _beside(yes, no), _beside(no, yes)
        wrong = kinds.branches(yes[1], no[1])
        if wrong:
            self.report(node.span, "wrong-type", wrong)
        return replace(node, test=test, yes=yes[0], no=no[0]), joined([yes[1], no[1]])

    def _list(self, node: syntax.ListOf) -> Resolved:
        items = [self.resolve(each) for each in node.items]
        known = ANY if node.optional else joined([shape for _, shape in items])  # [?x] holds what is in x
        shape = Shape.list(known, len(items))
        return replace(node, items=tuple(item for item, _ in items)), shape

    def _map(self, node: syntax.MapOf) -> Resolved:
        entries = [(self.resolve(key), self.resolve(value)) for key, value in node.entries]
        texts = not node.optional and all(key[1].kind == "string" for key, _ in entries)
        item = joined([value[1] for _, value in entries]) if texts else None
        shape = Shape("map", item=item, longest=len(entries)) if texts else ANY
        return replace(node, entries=tuple((key[0], value[0]) for key, value in entries)), shape


def _variables(node: syntax.Comprehension, shape: Shape) -> dict[str, Shape]:
    """Return the variables of a macro over a list or map: its items or keys; with two, the index or key comes first."""
    if not node.second:
        return {node.variable: shape.member}
    return {node.variable: INT if shape.kind == "list" else shape.member, node.second: shape.element}


def _filtered(node: syntax.Comprehension, text: str) -> Places:
    """Return what is there in each item of list.filter(x, …), as places of the variable of the macro over it."""
    inner = node.operand
    if not (isinstance(inner, syntax.Comprehension) and inner.macro == "filter"):
        return guarding.NOWHERE
    true, _ = guarding.shown(inner.body, text)
    return frozenset((node.variable, *each[1:]) for each in true if each[0] == inner.variable)


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


def _last(node: Node) -> Span:
    """Return where the last name of a path stands."""
    if isinstance(node, syntax.Select):
        return node.field_span
    return node.key.span if isinstance(node, syntax.Index) else node.span
