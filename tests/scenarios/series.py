"""Series in promtool's notation, as a metric source."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.metric import Answer, Labels, Query, Sample

_NAME = re.compile(r"^(\w+)(?:\{(.*)\})?$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_NUMBER = r"-?\d+(?:\.\d+)?"
_ITEM = re.compile(rf"^({_NUMBER})(?:([+-]\d+(?:\.\d+)?))?(?:x(\d+))?$")


def values(text: str) -> list[float | str | None]:
    """Expand `a+bxn` (n + 1 samples), `_` (missing), `_xn` (n missing), `stale`, `few`, `nan`, `down`."""
    found: list[float | str | None] = []
    for item in text.split():
        if item.startswith("_"):
            found += [None] * int(item[2:] or 1)
        elif item.rstrip("x0123456789") in {"stale", "few", "down", "nan"}:
            word, _, times = item.partition("x")
            found += [word] * int(times or 1)
        else:
            start, step, times = _ITEM.match(item).groups()  # type: ignore[union-attr]
            found += [float(start) + float(step or 0) * n for n in range(int(times or 0) + 1)]
    return found


class SeriesSource:
    """Answers each query, named by its metric, with the sample of that instant, as a clock that is `skew` off says."""

    def __init__(self, series: Mapping[str, str], start: datetime, every: timedelta) -> None:
        self._start, self._every = start, every
        self.skew = timedelta(0)
        self._series: dict[str, dict[Labels, list[float | str | None]]] = {}
        for name, text in series.items():
            metric, labels = _NAME.match(name).groups()  # type: ignore[union-attr]
            key = tuple(sorted(_LABEL.findall(labels or "")))
            self._series.setdefault(metric, {})[key] = values(text)

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        return {query: self._answer(query, at) for query in queries}

    def _answer(self, query: Query, at: datetime) -> Answer:
        index = int((at - self.skew - query.offset - self._start) / self._every)
        samples = []
        for labels, points in self._series.get(query.text, {}).items():
            value = points[index] if 0 <= index < len(points) else None
            if value == "down":
                return Answer(failure="connection refused")
            if value == "stale":
                samples.append(Sample(1.0, at - timedelta(days=9), labels))
            elif value == "nan":
                samples.append(Sample(None, at, labels, reason="no_data", detail="NaN"))
            elif value == "few":
                samples.append(Sample(1.0, at, labels, count=3))
            elif value is not None:
                samples.append(Sample(float(value), at, labels, count=1000))
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
