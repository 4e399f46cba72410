"""Ask every source its questions at once, each in a thread of its own, all within one time limit."""

from __future__ import annotations

import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from governance.core.duration import in_words
from governance.core.metric import Answer, Labels, Query
from governance.ports import MetricSource, PastSource, ReadsPushed

TIME_LIMIT = 30.0
"""Seconds a source may take for all questions of a cycle."""
_PARAMETER = re.compile(r":([A-Za-z_]\w*)")
Replies = Mapping[Query, Answer]
Ask = Callable[[MetricSource, Sequence[Query]], Replies]


class Collector:
    """Asks sources; one that hangs is not asked again before it has answered, so it costs one thread and no more.

    Without `threads` they are asked in this one, which is for sources that cannot hang.
    """

    def __init__(self, limit: float = TIME_LIMIT, *, threads: bool = True) -> None:
        self._limit, self._threads = limit, threads
        self._busy: dict[tuple[str, bool], _Call] = {}
        self._resting: dict[Query, datetime] = {}

    def rest(self, query: Query, until: datetime) -> None:
        """Do not ask for the past of this question before `until`."""
        self._resting[query] = until

    def rests(self, query: Query, at: datetime) -> bool:
        """Tell whether the past of this question is not to be asked for now."""
        return query in self._resting and at < self._resting[query]

    def now(self, queries: Iterable[Query], sources: Mapping[str, MetricSource], at: datetime) -> dict[Query, Answer]:
        """Return an answer to every query as of `at`; a source that fails or hangs answers with its failure."""
        return self._all(queries, sources, lambda source, asked: source.sample(asked, at=at), at, past=False)

    def past(
        self,
        queries: Iterable[Query],
        sources: Mapping[str, MetricSource],
        *,
        start: datetime,
        end: datetime,
        step: timedelta,
    ) -> dict[Query, Answer]:
        """Return the samples of every query as of start, start + step, … up to `end`, as `now` would have.

        A source that only knows the present answers with that as its failure.
        """

        def ask(source: MetricSource, asked: Sequence[Query]) -> Replies:
            if not isinstance(source, PastSource):
                return _failed(asked, "it answers only for the present")
            return source.past(asked, start=start, end=end, step=step)

        return self._all(queries, sources, ask, end, past=True)

    def _all(
        self, queries: Iterable[Query], sources: Mapping[str, MetricSource], ask: Ask, at: datetime, *, past: bool
    ) -> dict[Query, Answer]:
        by_source: dict[str, dict[Query, Query]] = defaultdict(dict)
        for each in queries:
            by_source[each.source][each] = _question(each, sources.get(each.source))
        deadline = time.monotonic() + self._limit  # one for all: a hung source must not eat the time of another
        calls = {name: self._begun((name, past), asked, sources, ask) for name, asked in by_source.items()}
        answers: dict[Query, Answer] = {}
        for name, call in calls.items():
            found = call if isinstance(call, dict) else self._within_limit(call, deadline, (name, past))
            answers.update({query: _checked(found.get(asked), at) for query, asked in by_source[name].items()})
        return answers

    def _begun(
        self, line: tuple[str, bool], asked: Mapping[Query, Query], sources: Mapping[str, MetricSource], ask: Ask
    ) -> _Call | dict[Query, Answer]:
        name, _ = line
        distinct = list(dict.fromkeys(asked.values()))
        if name not in sources:
            return _failed(distinct, f"no source '{name}' is configured")
        busy = self._busy.get(line)
        if busy is not None and busy.is_alive():
            waited = in_words(timedelta(seconds=busy.seconds))
            return _failed(distinct, f"'{name}' has not answered for {waited}; it is not asked anew")
        call = _Call(name, sources[name], distinct, ask)
        if not self._threads:
            call.run()
            return dict(call.replies)
        self._busy[line] = call
        call.start()
        return call

    def _within_limit(self, call: _Call, deadline: float, line: tuple[str, bool]) -> Replies:
        name, _ = line
        call.join(max(deadline - time.monotonic(), 0))
        if call.is_alive():
            return _failed(call.asked, f"'{name}' did not answer within {self._limit:g} s")
        self._busy.pop(line, None)
        return call.replies


class _Call(threading.Thread):
    """One round of questions to one source; a daemon, so that a source that hangs does not keep the process alive."""

    def __init__(self, name: str, source: MetricSource, asked: Sequence[Query], ask: Ask) -> None:
        super().__init__(name=f"collect-{name}", daemon=True)
        self.asked = asked
        self.replies: Replies = {}
        self._source = source
        self._ask = ask
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds since the questions were asked."""
        return time.monotonic() - self._began

    def run(self) -> None:
        """Ask, whatever happens."""
        try:
            self.replies = dict(self._ask(self._source, self.asked))
        except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; it must blind only its own questions)
            self.replies = _failed(self.asked, f"{type(error).__name__}: {error}".splitlines()[0])


def collect(queries: Iterable[Query], sources: Mapping[str, MetricSource], at: datetime) -> dict[Query, Answer]:
    """Return an answer to every query as of `at`, asked once."""
    return Collector().now(queries, sources, at)


def _question(query: Query, source: MetricSource | None) -> Query:
    """Leave out the parameters that its text does not use, so that models that ask the same are asked once."""
    if not query.parameters or isinstance(source, ReadsPushed):
        return query
    used = set(_PARAMETER.findall(query.text))
    return replace(query, parameters=tuple(pair for pair in query.parameters if pair[0] in used))


def _checked(answer: Answer | None, at: datetime) -> Answer:
    """Return the answer if it is one that can be judged, otherwise a failure that says what is wrong with it."""
    if answer is None:
        return Answer(failure="the source left the question unanswered")
    try:
        return _sound(answer, at)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        return Answer(failure=f"the source answered with what is no sample: {error}".splitlines()[0])


def _sound(answer: Answer, at: datetime) -> Answer:
    for sample in answer.samples:
        if sample.time.tzinfo is None:
            return Answer(failure="the source answered with a time without a zone")
        if sample.time > at:
            return Answer(failure=f"the source answered for {sample.time:%Y-%m-%d %H:%M:%S}, later than it was asked")
        if sample.value is not None and not isinstance(sample.value, (int, float)):
            return Answer(failure=f"the source answered with {sample.value!r}, which is no number")
        if sample.value is not None:
            float(sample.value)  # an integer may have hundreds of digits
        sample.time.astimezone(UTC)  # the first day of the calendar has none in some zones
        if sample.count is not None and not (isinstance(sample.count, int) and 0 <= sample.count < 2**63):
            return Answer(failure=f"the source answered with a count of {sample.count!r}")
        if sample.labels:
            _check_labels(sample.labels)
    if any(isinstance(each.value, int) for each in answer.samples):
        return Answer(
            tuple(replace(each, value=None if each.value is None else float(each.value)) for each in answer.samples)
        )
    return answer


def _check_labels(labels: Labels) -> None:
    """Labels are texts that can be stored, each name once, in order.

    :raises ValueError: or TypeError: they are not
    """
    if not isinstance(labels, tuple) or list(labels) != sorted(dict(labels).items()):
        raise ValueError("labels must be a tuple of pairs, each name once, in order")
    for pair in labels:
        for text in pair:
            text.encode()


def _failed(queries: Sequence[Query], reason: str) -> dict[Query, Answer]:
    return dict.fromkeys(queries, Answer(failure=reason))
