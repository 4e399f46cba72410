"""The series of a test as a metric source: asked as any other, it answers what its author wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.compiled import CompiledPolicy
from governance.core.metric import Answer, Labels, Query, Sample
from governance.core.notation import Point, name, points
from governance.core.policy import EffectiveMetric
from governance.core.question import VERSION, WINDOW
from governance.ports import MetricSource

ROWS = 1_000_000
"""Rows that a sample of a series rests on, so that it is never too few."""
FEW = 3
COUNTS = frozenset({"predictions", "spend"})
"""Measures that grow with their window; the others are shares and means."""


class SeriesSource:
    """Answers each question with the samples of the metrics that ask it, as a clock that is `skew` off says.

    A question over another window than its metric's, as an SLO asks, is answered from the samples of that window: their
    mean, times the share of the windows for what counts. What no series tells, `log` does, where there is one.
    """

    def __init__(
        self,
        policies: Sequence[CompiledPolicy],
        series: Mapping[str, str],
        start: datetime,
        every: timedelta,
        *,
        serving: str = "",
        log: MetricSource | None = None,
    ) -> None:
        self.skew = timedelta(0)
        self.serving = serving
        self._start, self._every, self._log = start, every, log
        self._registries = {policy.registry for policy in policies if policy.registry is not None}
        self._metrics = [metric for policy in policies for metric in policy.policy.metrics.values()]
        self._series: dict[str, dict[Labels, tuple[Point, ...]]] = {}
        for key, text in series.items():
            said = name(key)
            self._series.setdefault(said.metric, {})[said.labels] = points(text)
        self._asked: dict[Query, tuple[EffectiveMetric, ...]] = {}

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        found = {query: self._answer(query, at) for query in queries}
        left = [query for query, answer in found.items() if answer is None]
        told = self._log.sample(left, at=at - self.skew) if self._log is not None and left else {}
        return {query: answer if answer is not None else told.get(query, Answer()) for query, answer in found.items()}

    def told_of(self, metric: EffectiveMetric) -> bool:
        """Tell whether there is a series of a metric."""
        return any(True for _ in self._own(metric))

    def values(self, metric: EffectiveMetric, at: datetime) -> Iterator[tuple[Labels, Point]]:
        """Yield what each series of a metric is at an instant."""
        index = self._index(at)
        for labels, known in self._own(metric):
            yield labels, known[index] if 0 <= index < len(known) else None

    def _index(self, at: datetime) -> int:
        return (at - self.skew - self._start) // self._every

    def _own(self, metric: EffectiveMetric) -> Iterator[tuple[Labels, tuple[Point, ...]]]:
        for labels, known in self._series.get(metric.name, {}).items():
            model = dict(labels).get("model") if "model" not in metric.labels else None
            if model in (None, metric.model):
                yield labels if model is None else tuple(each for each in labels if each[0] != "model"), known

    def _answer(self, query: Query, at: datetime) -> Answer | None:
        if query in self._registries:
            return Answer((Sample(None, at, (("version", self.serving),)),) if self.serving else ())
        samples: dict[Labels, Sample] = {}
        metrics = self._asking(query)
        for metric in metrics:
            window = None if query.window == metric.query.window else query.window
            for labels, known in self._own(metric):
                point = self._point(metric, known, at - query.offset, window)
                if point == "down":
                    return Answer(failure="connection refused")
                key = (*labels, (metric.spec.model_label, metric.model)) if metric.spec.model_label else labels
                found = _sample(metric, point, at - query.offset, tuple(sorted(key)))
                if found is not None:
                    samples.setdefault(found.labels, found)
        return Answer(tuple(samples.values())) if samples or any(map(self.told_of, metrics)) else None

    def _point(
        self, metric: EffectiveMetric, known: tuple[Point, ...], at: datetime, window: timedelta | None
    ) -> Point:
        index = self._index(at)
        now = known[index] if 0 <= index < len(known) else None
        if window is None:
            return now
        back = max(int(window / self._every), 1)
        values = [each for each in known[max(index + 1 - back, 0) : max(index + 1, 0)] if isinstance(each, float)]
        if not values:
            return now
        mean = sum(values) / len(values)
        grows = metric.spec.measure in COUNTS or metric.spec.measure is None
        return mean * (window / metric.query.window) if grows else mean

    def _asking(self, query: Query) -> tuple[EffectiveMetric, ...]:
        """Return the metrics that ask a question; where several differ by their window only, those with the same."""
        if query not in self._asked:
            found = [each for each in self._metrics if _same(each.query, query)]
            exact = [each for each in found if each.query.window == query.window]
            told = [each for each in (exact or found) if self.told_of(each)]
            self._asked[query] = tuple(told if exact else told[:1])
        return self._asked[query]


class RememberingSource(SeriesSource):
    """Answers for the past too, as a metric system does."""

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer as of each instant."""
        instants = [start + n * step for n in range(int((end - start) / step) + 1)]
        each_time = [self.sample(queries, at=at) for at in instants]
        return {
            query: Answer(
                tuple(sample for answers in each_time for sample in answers[query].samples),
                next((answers[query].failure for answers in each_time if answers[query].failure), ""),
            )
            for query in queries
        }


def _sample(metric: EffectiveMetric, point: Point, at: datetime, labels: Labels) -> Sample | None:
    if point is None:
        return None
    if point == "stale":
        return Sample(1.0, at - max(timedelta(days=9), 2 * metric.stale_after), labels)
    if point == "nan":
        return Sample(None, at, labels, reason="no_data", detail="NaN")
    if point == "few":
        return Sample(1.0, at, labels, count=min(FEW, max(metric.spec.min_samples - 1, 0)))
    return Sample(float(point), at, labels, count=ROWS)


def _same(declared: Query, asked: Query) -> bool:
    """Tell whether a question is that of a metric, with what was filled in when it was asked."""
    if declared.measure != asked.measure or declared.source != asked.source:
        return False
    if replace(asked, window=declared.window, text=declared.text, parameters=declared.parameters) != declared:
        return False
    pattern = re.escape(declared.text).replace(re.escape(WINDOW), r"\d+s").replace(re.escape(VERSION), ".*")
    return declared.text == asked.text or re.fullmatch(pattern, asked.text, re.DOTALL) is not None
