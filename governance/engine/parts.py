"""What an engine is made of; the composition root fills it, and a new version of the policies takes part of it over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from governance.core.alive import CANARY
from governance.core.compiled import EvaluationPlan
from governance.core.drill import Drill, drills_of
from governance.core.lineage import Lineage, lineage_of
from governance.core.organisation import Organisation
from governance.core.run_start import why_not
from governance.engine.changes import Changes
from governance.engine.collect import Collector
from governance.engine.lanes import Lanes
from governance.engine.latest import Latest
from governance.engine.runner import Runner
from governance.engine.standing import Standing
from governance.ports import Action, Clock, MetricSource, System, reaches
from governance.store.database import Database


@dataclass(frozen=True, slots=True)
class Ruling:
    """One version of the policies, ready to rule; `documents` are the texts it was made from, by name."""

    plan: EvaluationPlan
    organisation: Organisation
    sources: Mapping[str, MetricSource]
    notifiers: Mapping[str, Action]
    documents: Mapping[str, str]
    acts: Mapping[str, System] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Engine:
    """One engine governs one environment: its plan, its sources, its ways to reach people, its store and its clock.

    `acts` are the systems that steps of runbooks act on, by name. `documents` are the texts that its policies were made
    from, by name; `standing` tells how these stand to what lies on disk. `adopted` is called, in the engine's thread,
    when another version of the policies rules. `under_way` are the acts on several models that this process is at.
    """

    plan: EvaluationPlan
    organisation: Organisation
    sources: Mapping[str, MetricSource]
    notifiers: Mapping[str, Action]
    database: Database
    clock: Clock
    collector: Collector = field(default_factory=Collector)
    latest: Latest = field(default_factory=Latest)
    changes: Changes = field(default_factory=Changes)
    lanes: Lanes = field(default_factory=Lanes)
    runner: Runner = field(default_factory=Runner)
    documents: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    adopted: list[Callable[[], None]] = field(default_factory=list)
    acts: Mapping[str, System] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    _lineage: tuple[EvaluationPlan, Lineage] | None = None
    _drills: tuple[EvaluationPlan, tuple[Drill, ...]] | None = None

    @property
    def lineage(self) -> Lineage:
        """Which models rest on which, by the policies that rule."""
        if self._lineage is None or self._lineage[0] is not self.plan:
            self._lineage = (self.plan, lineage_of(each.policy.card for each in self.plan.policies))
        return self._lineage[1]

    @property
    def drills(self) -> tuple[Drill, ...]:
        """What is run on a schedule, by the policies that rule."""
        if self._drills is None or self._drills[0] is not self.plan:
            cards = [each.policy.card for each in self.plan.policies]
            self._drills = (self.plan, tuple(drills_of(cards, self.plan.runbooks, lambda *one: not why_not(*one))))
        return self._drills[1]

    @property
    def ruling(self) -> Ruling:
        """The version of the policies that rules."""
        return Ruling(self.plan, self.organisation, self.sources, self.notifiers, self.documents, self.acts)

    @property
    def places(self) -> tuple[str, ...]:
        """The notifiers that hear of every change; those that a level of an escalation names hear when it is told."""
        asked = [policy.names("notifier", fallback=False) for policy in self.organisation.escalations.values()]
        later = frozenset().union(*asked)
        return tuple(name for name, each in self.notifiers.items() if "place" in reaches(each) and name not in later)

    def places_for(self, model: str) -> tuple[str, ...]:
        """Return the notifiers that hear of every change about a model; of the canary only those named for it."""
        canary = self.organisation.canary
        if model == CANARY and canary is not None:
            return tuple(name for name in canary.notifiers if name in self.notifiers)
        return self.places

    def rule_by(self, ruling: Ruling) -> None:
        """Let another version of the policies rule from now on; for the engine's own thread, between two cycles."""
        self.sources, self.notifiers, self.acts = ruling.sources, ruling.notifiers, ruling.acts
        self.organisation, self.plan, self.documents = ruling.organisation, ruling.plan, ruling.documents
        self.latest.keep({policy.model: {each.rule.id for each in policy.rules} for policy in ruling.plan.policies})
