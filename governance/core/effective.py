"""The effective policy of one model as values: what applies to it, after overrides, and where each value came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

from governance.core.authored import SourceText, Written
from governance.core.card import Card
from governance.core.document import ParameterValue, Severity
from governance.core.measurement import Metric
from governance.core.metric import Query, Sample
from governance.core.override import Layer
from governance.core.problem import Position, Problem
from governance.core.rule import Enforcement, Then


@dataclass(frozen=True, slots=True)
class EffectiveMetric:
    """A metric that this model has: its document, the query that answers it and where it is declared.

    `written` is the text that declares it, `replaced` one of a pack by this name whose place it takes.
    """

    name: str
    model: str
    spec: Metric
    query: Query
    labels: tuple[str, ...]
    needs_truth: bool
    origin: Position
    written: SourceText | None = None
    replaced: EffectiveMetric | None = None

    @property
    def every(self) -> timedelta:
        """How often it is asked: a query each minute unless its author says otherwise, a log's hours each hour."""
        return self.spec.every or (timedelta(minutes=1) if self.spec.query else timedelta(hours=1))

    @property
    def stale_after(self) -> timedelta:
        """How old a sample may be; three times the metric's interval."""
        return self.spec.stale_after or 3 * self.every

    def own(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Yield the samples about this model, of an answer that may be about the whole fleet."""
        fleet = self.spec.model_label
        for each in samples:
            if fleet is None:
                yield each
            elif (fleet, self.model) in each.labels:
                yield replace(each, labels=tuple(pair for pair in each.labels if pair[0] != fleet))


@dataclass(frozen=True, slots=True)
class Absent:
    """A standard metric that this model cannot have, and why."""

    reason: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EffectiveParameter:
    """A parameter of a pack as it holds for one model; `origin` is where its value is written."""

    value: ParameterValue
    default: ParameterValue
    tighter: Literal["lower", "higher"] | None
    origin: Position
    default_origin: Position

    def as_default(self) -> EffectiveParameter:
        """Return it as its pack declares it."""
        return replace(self, value=self.default, origin=self.default_origin)


@dataclass(frozen=True, slots=True)
class EffectiveRule:
    """A rule as it holds for one model, after overrides; `pack` is "" for a rule of the card.

    `given` is the condition under which its pack applies, known to hold wherever the rule is judged. `layers` are the
    documents that it is made of: what a card says of it, then the rule itself.
    """

    id: str
    pack: str
    given: str
    applies_to: Written | None
    conditions: tuple[tuple[Severity, Written], ...]
    for_: timedelta
    keep_firing_for: timedelta
    no_data_for: timedelta
    no_data_then: Literal["alert", "ok", "keep"]
    no_data_severity: Severity
    enforcement: Enforcement
    then: Then | None
    for_each: tuple[str, Written] | None
    summary: Written | None
    remedy: str
    controls: tuple[str, ...]
    origin: Position
    layers: tuple[Layer, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """All that is asked of one model. `absent` says why a standard metric does not exist for it.

    `parameters` are the values of `settings`, by pack and name. `defaults` are the parts of the card that it omits and
    a pack fills, by their path; `passed_over` are the packs that do not select it.
    """

    card: Card
    source: SourceText
    metrics: Mapping[str, EffectiveMetric]
    absent: Mapping[str, Absent]
    parameters: Mapping[str, Mapping[str, ParameterValue]]
    rules: tuple[EffectiveRule, ...]
    problems: tuple[Problem, ...] = field(default=())
    settings: Mapping[str, Mapping[str, EffectiveParameter]] = field(default_factory=dict)
    defaults: Mapping[tuple[str, ...], Position] = field(default_factory=dict)
    passed_over: tuple[tuple[str, Written], ...] = ()
