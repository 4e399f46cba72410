"""Ask every source its questions at once, each in a thread of its own, all within one time limit."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

from governance.core.metric import Answer, Query
from governance.ports import MetricSource

TIME_LIMIT = 30.0
"""Seconds a source may take for all questions of a cycle."""


def collect(queries: Iterable[Query], sources: Mapping[str, MetricSource], at: datetime) -> dict[Query, Answer]:
    """Return an answer to every query as of `at`; a source that fails or hangs answers with its failure."""
    by_source: dict[str, list[Query]] = defaultdict(list)
    for each in queries:
        by_source[each.source].append(each)
    pool = ThreadPoolExecutor(max_workers=max(len(by_source), 1), thread_name_prefix="collect")
    deadline = time.monotonic() + TIME_LIMIT  # one for all: a hung source must not eat the time of another
    try:
        pending = {name: pool.submit(_asked, sources, name, asked, at) for name, asked in by_source.items()}
        answers: dict[Query, Answer] = {}
        for name, future in pending.items():
            answers.update(_within_limit(future, deadline, name, by_source[name]))
        return answers
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # a hung source must not hold up the cycle


def _asked(
    sources: Mapping[str, MetricSource], name: str, queries: Sequence[Query], at: datetime
) -> Mapping[Query, Answer]:
    if name not in sources:
        return _failed(queries, f"no source '{name}' is configured")
    try:
        answered = sources[name].sample(queries, at=at)
        return {query: _checked(answered.get(query)) for query in queries}
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; it must blind only its own questions)
        return _failed(queries, f"{type(error).__name__}: {error}".splitlines()[0])


def _checked(answer: Answer | None) -> Answer:
    """Return the answer if it is one that can be judged, otherwise a failure that says what is wrong with it."""
    if answer is None:
        return Answer(failure="the source left the question unanswered")
    for sample in answer.samples:
        if sample.time.tzinfo is None:
            return Answer(failure="the source answered with a time without a zone")
        if sample.value is not None and not isinstance(sample.value, (int, float)):
            return Answer(failure=f"the source answered with {sample.value!r}, which is no number")
    return answer


def _within_limit(
    future: Future[Mapping[Query, Answer]], deadline: float, name: str, queries: Sequence[Query]
) -> Mapping[Query, Answer]:
    try:
        return future.result(timeout=max(deadline - time.monotonic(), 0))
    except TimeoutError:
        return _failed(queries, f"'{name}' did not answer within {TIME_LIMIT:g} s")


def _failed(queries: Sequence[Query], reason: str) -> dict[Query, Answer]:
    return dict.fromkeys(queries, Answer(failure=reason))
