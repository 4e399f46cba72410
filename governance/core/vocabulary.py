"""What the expressions of a policy may name: one object for all policies that may name the same.

A fleet repeats the rules of its packs a thousand times. What was compiled is found again by the identity of its names,
which costs less than to compare fifty metrics for each rule of each model.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from governance.core.card import Card
from governance.core.evidence import EVIDENCE
from governance.core.expression import ANY, STRING, ExpressionError, Names, Shape, compile_expression, shape_of
from governance.core.measure import MEASURES
from governance.core.measurement import Metric

Bounds = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Metrics with labels and bounds, and why others are absent; equal ones are one object, compared by identity."""

    metrics: Mapping[str, tuple[str, ...]]
    absent: Mapping[str, str]
    bounds: Bounds


class Vocabularies:
    """Every vocabulary and every set of names that was asked for, each once."""

    def __init__(self) -> None:
        self._vocabularies: dict[Hashable, Vocabulary] = {}
        self._names: dict[Hashable, Names] = {}
        self._card = shape_of(Card)
        self.empty = self.of({})

    def of(
        self,
        metrics: Mapping[str, tuple[str, ...]],
        absent: Mapping[str, str] | None = None,
        bounds: Bounds | None = None,
    ) -> Vocabulary:
        """Return the vocabulary of these metrics."""
        absent, bounds = absent or {}, bounds or {}
        key = tuple(tuple(sorted(each.items())) for each in (metrics, absent, bounds))
        return self._vocabularies.setdefault(key, Vocabulary(metrics, absent, bounds))

    def around(self, items: str, given: tuple[str, ...]) -> Names:
        """Return what the expression of a for_each's items may name; an absent part of the card has no items."""
        return self.names(self.empty, given=(*given, f"has({items})"))

    def names(
        self,
        vocabulary: Vocabulary,
        parameters: Mapping[str, object] | None = None,
        loop: tuple[str, str] | None = None,
        given: tuple[str, ...] = (),
        *,
        slos: frozenset[str] = frozenset(),
        labels: tuple[str, ...] | None = None,
    ) -> Names:
        """Return what an expression may name; equal names are the same object for as long as this one lives.

        `loop` is the variable of a for_each with the expression of its items; `labels` are those of the instance,
        where they are known. `given` are conditions that hold wherever the expression is evaluated.
        """
        leaves = tuple((name, _kind(value)) for name, value in (parameters or {}).items())
        key = (vocabulary, leaves, loop, given, slos, labels)
        found = self._names.get(key)
        if found is None:
            item = {loop[0]: self._item(loop[1], given)} if loop else {}
            variables = {**self._variables(dict(leaves), labels), **item}
            items = frozenset([loop[0]] if loop and loop[0] == "slo" and loop[1].strip() == "card.slos" else [])
            found = Names(vocabulary.metrics, variables, slos, items, given, vocabulary.absent, vocabulary.bounds)
            self._names[key] = found
        return found

    def _item(self, items: str, given: tuple[str, ...]) -> Shape:
        """Return what a for_each variable is: the key and the value of an item; what is wrong with it is told there."""
        try:
            shape = compile_expression(items, self.around(items, given)).shape
        except ExpressionError:
            shape = ANY
        key = STRING if shape.kind in ("list", "any") else shape.member
        return Shape.record({"key": key, "value": shape.element})

    def _variables(self, parameters: Mapping[str, Any], labels: tuple[str, ...] | None) -> dict[str, Shape]:
        text = Shape.leaf("string")
        return {
            "card": self._card,
            "parameters": Shape.record({name: Shape.leaf(kind) for name, kind in parameters.items()}),
            "labels": Shape.map(text) if labels is None else Shape.record(dict.fromkeys(labels, text)),
            "evidence": EVIDENCE,
            "now": Shape.leaf("timestamp"),
        }


def metric_bounds(specs: Mapping[str, Metric]) -> Bounds:
    """Return between which values metrics lie, as far as their measures or units tell."""
    found = {}
    for name, each in specs.items():
        measure = MEASURES.get(each.measure or "")
        known = measure.bounds if measure else (0.0, 1.0) if each.unit == "share" else None
        if known is not None:
            found[name] = known
    return found


def _kind(value: object) -> str:
    if isinstance(value, timedelta):
        return "duration"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "double"
