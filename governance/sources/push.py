"""Samples that pipelines post to us; the question's text is the name of the metric."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from governance.core.document import Count, Document, Duration
from governance.core.metric import Answer, Query, Sample
from governance.errors import Unavailable
from governance.ports import PushedReader


class PushConfig(Document):
    """For how long samples are kept, and how many label sets one answer may have."""

    keep: Duration = timedelta(days=30)
    max_series: Annotated[Count, Field(ge=1)] = 1000


class Push:
    """Answers with the newest sample per label set in the question's window; its time is the one that was posted."""

    Config: ClassVar[type[BaseModel]] = PushConfig

    def __init__(self, config: PushConfig) -> None:
        self.keep = config.keep
        self._most = config.max_series
        self._name = ""
        self._reader: PushedReader | None = None

    @classmethod
    def configured(cls, config: PushConfig, directory: Path) -> Push:  # noqa: ARG003 (the plug-ins' shape)
        """Build the source from its settings."""
        return cls(config)

    def read_from(self, name: str, reader: PushedReader) -> None:
        """Take the reader, and the name under which samples are posted to this source."""
        self._name, self._reader = name, reader

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query as of `at` with what had arrived by then."""
        return {query: self._answered(self._newest(query, at)) for query in queries}

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer every query as of start, start + step, … up to `end`, with what had arrived by each instant.

        A sample speaks for the instant that it answers; only in the answers for the present it keeps its own time.
        """
        return {query: self._answered(self._at_each(query, start, end, step)) for query in queries}

    def _answered(self, found: Iterator[Sample]) -> Answer:
        try:
            samples = tuple(found)
        except Unavailable as error:
            return Answer(failure=str(error))
        series = len({each.labels for each in samples})
        if series > self._most:
            return Answer(failure=f"{series} series, at most {self._most} are taken: post fewer, or raise `max_series`")
        return Answer(samples)

    def _at_each(self, query: Query, start: datetime, end: datetime, step: timedelta) -> Iterator[Sample]:
        possible = self._read(query, start - query.window, end, known_by=end)
        times = [each.time + query.offset for each in possible]
        for number in range((end - start) // step + 1):
            at = start + number * step
            if bisect_right(times, at) > bisect_right(times, at - query.window):  # otherwise there is nothing to read
                yield from (replace(each, time=at - query.offset) for each in self._newest(query, at))

    def _newest(self, query: Query, at: datetime) -> Iterator[Sample]:
        known = self._read(query, at - query.window, at, known_by=at)
        yield from {each.labels: each for each in known}.values()

    def _read(self, query: Query, start: datetime, end: datetime, *, known_by: datetime) -> Sequence[Sample]:
        if self._reader is None:
            raise Unavailable("nothing can be posted to this source here")
        model = dict(query.parameters).get("model", "")
        if not query.text.strip():
            raise Unavailable("a source of pushed samples is asked for a metric by its name, not for a measure")
        if not model:
            raise Unavailable("pushed samples are asked for one model: leave out `model_label`")
        first, last = start - query.offset, end - query.offset
        return self._reader.pushed(self._name, model, query.text.strip(), start=first, end=last, known_by=known_by)
