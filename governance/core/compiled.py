"""Policies ready to be judged: compiled rules and SLOs, and the questions that their expressions need answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from governance.core.authored import Authored
from governance.core.document import Severity
from governance.core.expression import Context, Program, Reference, Template
from governance.core.metric import Query
from governance.core.need import Needs
from governance.core.policy import EffectiveMetric, EffectivePolicy, EffectiveRule
from governance.core.problem import Problem
from governance.core.requested import WrittenSilence
from governance.core.runbook import Runbook
from governance.core.slo import CompiledSlo
from governance.core.waiver import WrittenWaiver


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be judged; `dimensions` are the labels that tell its instances apart.

    `needs` is what must be answered to judge it, `told` what else its summary shows.
    """

    rule: EffectiveRule
    programs: tuple[tuple[Severity, Program], ...]
    references: tuple[Reference, ...]
    dimensions: tuple[str, ...]
    needs_truth: bool
    needs: Needs
    told: Needs
    summary: Template | None = None
    items: Program | None = None

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every question that must be asked: to judge, and to say what was found."""
        return tuple(dict.fromkeys([*self.needs.queries, *self.told.queries]))


@dataclass(frozen=True, slots=True)
class Inapplicable:
    """A pack's rule that this model cannot be judged by, and why; it is shown, never silently passed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """The compiled rules of one model with the values every expression of it sees.

    `registry` asks which version serves, where only a registry knows. `unwatched` is what must be answered to tell the
    budgets of the SLOs of which no rule asks what is left.
    """

    policy: EffectivePolicy
    rules: tuple[CompiledRule, ...]
    inapplicable: tuple[Inapplicable, ...]
    context: Context
    slos: Mapping[str, CompiledSlo] = field(default_factory=dict)
    registry: Query | None = None
    unwatched: Mapping[str, Needs] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model's name."""
        return self.policy.card.model

    @property
    def queries(self) -> Iterator[Query]:
        """Every question about this model: what its rules need, and what its SLOs count."""
        for rule in self.rules:
            yield from rule.queries
        for needs in self.unwatched.values():
            yield from needs.queries
        for slo in self.slos.values():
            for each in slo.references if slo.good is not None else ():
                yield self.policy.metrics[each.metric].query


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """What a cycle needs: policies, the distinct queries behind them, and the digest that names this version.

    `waivers` and `silences` are those that files ask for; they are about verdicts and notifications, and no part of
    the version. `runbooks` are by name; they are no part of what models are judged by, and so not of the version's
    name, only of its documents.
    """

    policies: tuple[CompiledPolicy, ...]
    queries: tuple[Query, ...]
    version: str
    problems: tuple[Problem, ...] = ()
    by_model: Mapping[str, CompiledPolicy] = field(default_factory=dict)
    waivers: tuple[WrittenWaiver, ...] = ()
    silences: tuple[WrittenSilence, ...] = ()
    runbooks: Mapping[str, Authored[Runbook]] = field(default_factory=dict)

    @property
    def sources(self) -> set[str]:
        """Every source that is asked."""
        registries = {policy.registry.source for policy in self.policies if policy.registry is not None}
        return {query.source for query in self.queries} | registries


def labels_of(reference: Reference, metrics: Mapping[str, EffectiveMetric]) -> tuple[str, ...]:
    """Return the labels that a reference still carries after its aggregates."""
    if reference.budget is not None:
        return () if reference.budget.slo else ("slo",)
    if reference.view == "series":
        return ()
    return reference.aggregates[-1][1] if reference.aggregates else metrics[reference.metric].labels
