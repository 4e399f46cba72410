"""Series as a source of its own, asked by the text of a query, for tests that have no policy test around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.metric import Answer, Labels, Query, Sample
from governance.core.notation import Point, name, points


class SeriesSource:
    """Answers each query, named by its metric, with the sample of that instant."""

    def __init__(self, series: Mapping[str, str], start: datetime, every: timedelta) -> None:
        self._start, self._every = start, every
        self._series: dict[str, dict[Labels, tuple[Point, ...]]] = {}
        for key, text in series.items():
            said = name(key)
            self._series.setdefault(said.metric, {})[said.labels] = points(text)

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        return {query: self._answer(query, at) for query in queries}

    def _answer(self, query: Query, at: datetime) -> Answer:
        index = int((at - query.offset - self._start) / self._every)
        samples = []
        for labels, known in self._series.get(query.text, {}).items():
            value = known[index] if 0 <= index < len(known) else None
            if value == "down":
                return Answer(failure="connection refused")
            if isinstance(value, float):
                samples.append(Sample(value, at, labels, count=1000))
        return Answer(tuple(replace(each, time=each.time - query.offset) for each in samples))


class RememberingSource(SeriesSource):
    """Answers for the past too."""

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer as of each instant."""
        instants = [start + n * step for n in range(int((end - start) / step) + 1)]
        asked = {query: [self._answer(query, at) for at in instants] for query in queries}
        return {
            query: Answer(
                tuple(sample for each in answers for sample in each.samples),
                next((each.failure for each in answers if each.failure), ""),
            )
            for query, answers in asked.items()
        }
