"""Expressions that are checked and ready to be evaluated."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance.core.expression.conditions import Condition, ConditionOutcome, conditions, outcomes
from governance.core.expression.context import Context
from governance.core.expression.explanation import Term, terms
from governance.core.expression.fault import GIVES_UP
from governance.core.expression.meter import OverBudget
from governance.core.expression.names import Names
from governance.core.expression.problem import EvaluationFailed, ExpressionError
from governance.core.expression.reference import Reference
from governance.core.expression.shape import ANY, Shape
from governance.core.expression.syntax import Bound, Node, Span, walk
from governance.core.expression.values import a_kind

# The parser and the interpreter take a third of a second to import, so that is left to the first expression.


@dataclass(frozen=True, slots=True)
class Program:
    """A checked expression; `shape` is what is known of its value, `labels` where it names which labels.<name>."""

    text: str
    references: tuple[Reference, ...]
    variables: frozenset[str]
    shape: Shape
    labels: tuple[tuple[str, Span], ...]
    _node: Node = field(repr=False, compare=False)
    _fast: Any = field(default=None, repr=False, compare=False)

    @property
    def kind(self) -> str:
        """The kind of its value as far as it is known, "any" otherwise."""
        return self.shape.kind

    def evaluate(self, values: Mapping[Reference, object], context: Context) -> object:
        """Return the outcome as a plain Python value; a reference that is absent or bound to MISSING is missing.

        :raises Missing: the outcome itself rests on missing values
        :raises EvaluationFailed: there is no outcome for these values
        """
        try:
            return (self._fast or self._compiled())(values, context)
        except OverBudget as error:
            raise EvaluationFailed(error.reason) from None
        except GIVES_UP:
            return self._exactly(self._node, values, context)

    def _compiled(self) -> Any:
        """Compile when first asked; two threads may both do it, and get the same."""
        from governance.core.expression.generation import generated

        fast = generated(self._node)
        object.__setattr__(self, "_fast", fast)
        return fast

    @staticmethod
    def _exactly(node: Node, values: Mapping[Reference, object], context: Context) -> object:
        from governance.core.expression.exact import evaluated

        return evaluated(node, values, context)

    def explain(self, values: Mapping[Reference, object], context: Context) -> tuple[Term, ...]:
        """Return the conditions that && || ! and ?: join, in the order of the text, with their outcomes and values."""
        return tuple(terms(self.text, self._node, self._evaluator(values, context)))

    def span(self, reference: Reference) -> Span:
        """Return where a reference first stands in the text."""
        return next(each.span for each in walk(self._node) if isinstance(each, Bound) and each.reference == reference)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The elementary conditions that && || ! and ?: join, in the order of the text."""
        return conditions(self.text, self._node)

    def outcomes(self, values: Mapping[Reference, object], context: Context) -> tuple[ConditionOutcome, ...]:
        """Return what became of each of `conditions` for these values."""
        return outcomes(self._node, self._evaluator(values, context))

    def _evaluator(self, values: Mapping[Reference, object], context: Context) -> Callable[[Node], object]:
        """Return what evaluates a part of the expression."""
        return lambda node: self._exactly(node, values, context)


def compile_expression(text: str, names: Names, *, result: str = "any") -> Program:
    """Parse and check an expression; `result` is the kind of value it must give, such as "bool".

    :raises ExpressionError: a syntax error, or everything that is wrong with what it names
    """
    from governance.core.expression.cost import MOST, too_costly
    from governance.core.expression.parsing import parse
    from governance.core.expression.resolution import Resolver

    parsed = parse(text)
    resolver = Resolver(text, names)
    node, shape = resolver.resolve(parsed)
    resolver.finish()
    if result not in ("any", shape.kind) and shape.kind != "any":
        resolver.report(parsed.span, "wrong-type", f"this gives {a_kind(shape.kind)}, it must give {a_kind(result)}")
    costly = too_costly(parsed, resolver.lengths)
    if costly is not None:
        message = f"this may take {costly[1]:,} steps, at most {MOST:,} are allowed"
        resolver.report(costly[0], "too-costly", message, "nest fewer macros, or go over fewer items")
    if resolver.problems:
        raise ExpressionError(sorted(resolver.problems, key=lambda each: (each.line, each.column)))
    references, variables = tuple(resolver.references), frozenset(resolver.variables)
    return Program(text, references, variables, shape, tuple(resolver.labels.items()), node)


def compile_unchecked(text: str, container: str = "", variables: Collection[str] = ()) -> Program:
    """Parse an expression as bare CEL: nothing it names is checked, no metric expanded, no literal adjusted.

    :raises ExpressionError: a syntax error
    """
    from governance.core.expression.namespace import located
    from governance.core.expression.parsing import parse

    return Program(text, (), frozenset(), ANY, (), located(parse(text), container, variables))
