"""What the references of a policy are bound to: as they are now, over their past, or what is left of a budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.cell import Cell, Column, column, resolved
from governance.core.compiled import CompiledPolicy
from governance.core.expression import Budget, Context, Over, Reference
from governance.core.history import looked_back
from governance.core.metric import Answer, Labels, Query, Sample
from governance.core.need import asked_slos, counted
from governance.core.past import NOTHING, Past
from governance.core.policy import EffectiveMetric
from governance.core.slo import CompiledSlo, Spent, answered, events, minutes


class Readings:
    """The columns of one policy at one instant, each computed once, when it is first asked for."""

    def __init__(
        self,
        policy: CompiledPolicy,
        answers: Mapping[Query, Answer],
        past: Mapping[Query, Past],
        at: datetime,
        beat: timedelta = timedelta(0),
    ) -> None:
        self._policy = policy
        self._answers = answers
        self._past = past
        self._at = at
        self._beat = beat  # nothing is asked more often than the engine looks
        self._columns: dict[Query, Column] = {}
        self._found: dict[Reference, Column] = {}

    def column(self, reference: Reference, context: Context) -> Column:
        """Return the value of a reference for every label set."""
        if reference not in self._found:
            if reference.budget is not None:
                found = self._budget(reference.budget, context)
            elif reference.over is not None:
                found = self._looked_back(reference)
            else:
                metric = self._policy.policy.metrics[reference.metric]
                found = resolved(reference, self._asked(metric, metric.query))
            self._found[reference] = found
        return self._found[reference]

    def _asked(self, metric: EffectiveMetric, query: Query) -> Column:
        if query not in self._columns:
            self._columns[query] = column(replace(metric, query=query), self._answers.get(query), self._at)
        return self._columns[query]

    def _looked_back(self, reference: Reference) -> Column:
        metric = self._policy.policy.metrics[reference.metric]
        answer = self._answers.get(metric.query)
        if answer is not None and answer.failure:
            return Column({}, Cell(None, reason="error", detail=answer.failure))
        past = self._past.get(metric.query, NOTHING)
        samples = [_judged(metric, each) for each in metric.own(past.samples)]
        end = self._at - metric.query.offset
        share = self._policy.policy.card.cadence.share
        return looked_back(
            reference, samples, end=end, every=max(metric.every, self._beat), begun=past.begun, share=share
        )

    def _budget(self, budget: Budget, context: Context) -> Column:
        cells: dict[Labels, Cell] = {}
        for slo in asked_slos(budget, self._policy.slos):
            key = () if budget.slo else (("slo", slo.name),)
            cells[key] = answered(slo, budget, lambda window, slo=slo: self.spent(slo, window, context))  # type: ignore[misc]
        return Column(cells)

    def spent(self, slo: CompiledSlo, window: timedelta, context: Context) -> Spent | Cell:
        """Return the bad and all events, or minutes, of an SLO over a window, or why they cannot be told."""
        if slo.good is not None:
            share = self._policy.policy.card.cadence.share
            slo = replace(slo, every=max(slo.every, self._beat))
            return minutes(slo, window, self._past.get(slo.series, NOTHING), self._at, share=share)
        return events(slo, window, self._measured, context)

    def _measured(self, reference: Reference, window: timedelta) -> Cell:
        """Return what a metric is over a window: asked so where its question has a window, else added up."""
        metric = self._policy.policy.metrics[reference.metric]
        shortest = self._policy.policy.card.cadence.every
        query = counted(metric.query, window, shortest)
        if query is not None:
            return resolved(reference, self._asked(metric, query)).at((), ())
        length = max(window, shortest)
        cell = self._looked_back(replace(reference, over=Over("avg_over_time", length))).at((), ())
        if cell.value is None:
            return cell
        return replace(cell, value=cell.value * (length / max(metric.every, self._beat)))


def _judged(metric: EffectiveMetric, sample: Sample) -> Sample:
    if sample.value is not None and sample.count is not None and sample.count < metric.spec.min_samples:
        return replace(sample, value=None, reason="too_few", detail=f"{sample.count} rows")
    return sample
