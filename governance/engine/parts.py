"""What an engine is made of; the composition root fills it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from governance.core.compiled import EvaluationPlan
from governance.core.organisation import Organisation
from governance.engine.collect import Collector
from governance.engine.latest import Latest
from governance.ports import Action, Clock, MetricSource
from governance.store.database import Database


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine governs one environment: its plan, its sources, its ways to reach people, its store and its clock."""

    plan: EvaluationPlan
    organisation: Organisation
    sources: Mapping[str, MetricSource]
    notifiers: Mapping[str, Action]
    database: Database
    clock: Clock
    collector: Collector = field(default_factory=Collector)
    latest: Latest = field(default_factory=Latest)
