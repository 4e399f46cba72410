"""What a reference needs answered: questions as of now, and how far back the samples of which question are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from governance.core.expression import Budget, Reference
from governance.core.history import reach
from governance.core.metric import Query
from governance.core.policy import EffectiveMetric
from governance.core.question import over
from governance.core.slo import CompiledSlo

STEP = timedelta(hours=1)
"""How often something is judged that rests on no metric; new evidence is judged at once."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Questions to ask now, questions whose past is read (how far back), and how often the answer can change.

    `minutes` are the series of SLOs, with the windows over which their minutes are counted.
    """

    queries: tuple[Query, ...] = ()
    past: Mapping[Query, timedelta] = field(default_factory=dict)
    minutes: Mapping[Query, frozenset[timedelta]] = field(default_factory=dict)
    every: timedelta = STEP


def needs(
    references: Iterable[Reference],
    metrics: Mapping[str, EffectiveMetric],
    slos: Mapping[str, CompiledSlo],
    shortest: timedelta,
) -> Needs:
    """Return what a rule's references need; no window is shorter than `shortest`, the model's cadence."""
    queries: dict[Query, None] = {}
    past: dict[Query, timedelta] = {}
    minutes: dict[Query, frozenset[timedelta]] = {}
    steps: list[timedelta] = []
    for each in references:
        if each.budget is not None:
            for slo in asked_slos(each.budget, slos):
                steps.append(slo.every)
                if slo.good is not None:
                    counted_over = minutes.get(slo.series, frozenset())
                    minutes[slo.series] = counted_over | set(slo.windows(each.budget))
                _budget(slo, each.budget, metrics, queries, past, shortest)
            continue
        metric = metrics[each.metric]
        steps.append(metric.every)
        queries[metric.query] = None
        if each.over is not None:
            _further(past, metric.query, reach(each) + 3 * metric.every)
    return Needs(tuple(queries), past, minutes, min(steps, default=STEP))


def unwatched(
    slos: Mapping[str, CompiledSlo],
    references: Iterable[Reference],
    metrics: Mapping[str, EffectiveMetric],
    shortest: timedelta,
) -> dict[str, Needs]:
    """Return what must be answered to tell the budget of each SLO of which no reference asks what is left."""
    asked = [each.budget for each in references if each.budget is not None and each.budget.function == "budget_left"]
    seen = {slo.name for budget in asked for slo in asked_slos(budget, slos)}
    return {
        name: needs((Reference("", budget=Budget("budget_left", name)),), metrics, slos, shortest)
        for name in slos
        if name not in seen
    }


def asked_slos(budget: Budget, slos: Mapping[str, CompiledSlo]) -> list[CompiledSlo]:
    """Return the SLOs that a reference is about: the one it names, or each."""
    return [slos[budget.slo]] if budget.slo in slos else [] if budget.slo else list(slos.values())


def counted(query: Query, window: timedelta, shortest: timedelta) -> Query | None:
    """Return the question that counts events over a window, None where only the question's past can tell."""
    return over(query, max(window, shortest))


def _budget(
    slo: CompiledSlo,
    budget: Budget,
    metrics: Mapping[str, EffectiveMetric],
    queries: dict[Query, None],
    past: dict[Query, timedelta],
    shortest: timedelta,
) -> None:
    for window in slo.windows(budget):
        for each in slo.references:
            query = metrics[each.metric].query
            direct = counted(query, window, shortest) if slo.good is None else query
            queries[direct or query] = None
            if direct is None:
                _further(past, query, max(window, shortest))


def _further(past: dict[Query, timedelta], query: Query, back: timedelta) -> None:
    past[query] = max(past.get(query, timedelta(0)), back)
