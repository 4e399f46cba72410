"""Answers about the whole fleet, taken apart by model once and not once for each model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from governance.core.compiled import CompiledPolicy
from governance.core.metric import Answer, Query, Sample
from governance.core.past import Past

T = TypeVar("T")


class Fleet:
    """What each model gets of the answers, and of the past, of questions that are about all models."""

    def __init__(
        self, policies: Iterable[CompiledPolicy], answers: Mapping[Query, Answer], past: Mapping[Query, Past]
    ) -> None:
        self._whole, self._whole_past = answers, past
        labels = {query: label for policy in policies for query, label in _about_all(policy)}
        self._parts = {
            query: _parts(answers[query].samples, label) for query, label in labels.items() if query in answers
        }
        self._past = {query: _parts(past[query].samples, label) for query, label in labels.items() if query in past}

    def answers(self, policy: CompiledPolicy) -> Mapping[Query, Answer]:
        """Return all answers, of those about the fleet only what is about this model."""
        own = {
            query: replace(self._whole[query], samples=self._parts[query].get(policy.model, ()))
            for query, _ in _about_all(policy)
            if query in self._parts
        }
        return _Over(own, self._whole)

    def past(self, policy: CompiledPolicy) -> Mapping[Query, Past]:
        """Return the past of all questions, of those about the fleet only what is about this model."""
        own = {
            query: replace(self._whole_past[query], samples=self._past[query].get(policy.model, ()))
            for query, _ in _about_all(policy)
            if query in self._past
        }
        return _Over(own, self._whole_past)


def nameless(policies: Iterable[CompiledPolicy], answers: Mapping[Query, Answer]) -> dict[Query, Answer]:
    """Return the failures of questions about the fleet whose answer names no model at all.

    An answer that names others is one: a model that is not in it has no data.
    """
    found: dict[Query, Answer] = {}
    for query, label in dict.fromkeys(each for policy in policies for each in _about_all(policy)):
        samples = answers[query].samples if query in answers else ()
        if samples and not any(label == name for each in samples for name, _ in each.labels):
            said = f"no sample has the label '{label}' of model_label, which names the model that it is about"
            found[query] = Answer(failure=said)
    return found


class _Over(Mapping[Query, T]):
    """A few entries before many; what is added to the many later is seen."""

    def __init__(self, own: Mapping[Query, T], others: Mapping[Query, T]) -> None:
        self._own, self._others = own, others

    def __getitem__(self, query: Query) -> T:
        return self._own[query] if query in self._own else self._others[query]

    def __iter__(self) -> Iterator[Query]:
        return iter(self._others)  # which holds all of them

    def __len__(self) -> int:
        return len(self._others)


def _about_all(policy: CompiledPolicy) -> Iterator[tuple[Query, str]]:
    for metric in policy.policy.metrics.values():
        if metric.spec.model_label is not None:
            yield metric.query, metric.spec.model_label


def _parts(samples: Iterable[Sample], label: str) -> dict[str, tuple[Sample, ...]]:
    found: dict[str, list[Sample]] = defaultdict(list)
    for each in samples:
        for name, value in each.labels:
            if name == label:
                found[value].append(each)
    return {model: tuple(own) for model, own in found.items()}
