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
from governance.core.expression import ANY, Names, Shape, shape_of

_ITEM = Shape.record({"key": Shape.leaf("string"), "value": ANY})


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """Metrics with their labels, and why others are absent; compared by identity, as equal ones are the same object."""

    metrics: Mapping[str, tuple[str, ...]]
    absent: Mapping[str, str]


class Vocabularies:
    """Every vocabulary and every set of names that was asked for, each once."""

    def __init__(self) -> None:
        self._vocabularies: dict[Hashable, Vocabulary] = {}
        self._names: dict[Hashable, Names] = {}
        self._card = shape_of(Card)
        self.empty = self.of({})

    def of(self, metrics: Mapping[str, tuple[str, ...]], absent: Mapping[str, str] | None = None) -> Vocabulary:
        """Return the vocabulary of these metrics."""
        absent = absent or {}
        key = (tuple(sorted(metrics.items())), tuple(sorted(absent.items())))
        return self._vocabularies.setdefault(key, Vocabulary(metrics, absent))

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
            variables = self._variables(dict(leaves), loop, labels)
            items = frozenset([loop[0]] if loop and loop[0] == "slo" and loop[1].strip() == "card.slos" else [])
            found = Names(vocabulary.metrics, variables, slos, items, given, vocabulary.absent)
            self._names[key] = found
        return found

    def _variables(
        self, parameters: Mapping[str, Any], loop: tuple[str, str] | None, labels: tuple[str, ...] | None
    ) -> dict[str, Shape]:
        text = Shape.leaf("string")
        return {
            "card": self._card,
            "parameters": Shape.record({name: Shape.leaf(kind) for name, kind in parameters.items()}),
            "labels": Shape.map(text) if labels is None else Shape.record(dict.fromkeys(labels, text)),
            "evidence": EVIDENCE,
            "now": Shape.leaf("timestamp"),
            **({loop[0]: _ITEM} if loop else {}),
        }


def _kind(value: object) -> str:
    if isinstance(value, timedelta):
        return "duration"
    if isinstance(value, bool):
        return "bool"
    return "string" if isinstance(value, str) else "double"
