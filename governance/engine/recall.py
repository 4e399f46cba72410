"""The past of the questions that expressions look back on: what was stored, and what the source can still tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from governance.core.metric import Answer, Query, Sample
from governance.core.past import Past, Tally, series_key
from governance.core.slo import SOURCE
from governance.engine.parts import Engine
from governance.ports import PastSource
from governance.store import samples

MOST_INSTANTS = 200
"""How many instants of the past are asked for at once; a longer past is filled from its end, cycle by cycle."""
_ROWS = 2_000
"""How many samples are written in one transaction, as people's acts wait for it."""
_REST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Recalled:
    """The past of each question, and what of it is not stored yet."""

    past: dict[Query, Past] = field(default_factory=dict)
    fresh: dict[str, list[Sample]] = field(default_factory=dict)
    spans: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def add(self, query: Query, sample: Sample) -> None:
        """Take the newest sample of a series that the engine makes itself."""
        key = series_key(query)
        before = self.past.get(query, Past())
        since = before.begun or sample.time
        tallies = {window: tally.with_one(sample) for window, tally in before.tallies.items()}
        self.past[query] = Past((), since, tallies)
        self.fresh[key] = [sample]
        self.spans[key] = (since, sample.time)


def remember(engine: Engine, recalled: Recalled) -> None:
    """Store what is fresh, a few samples in each transaction; the spans last: what was cut off is asked anew."""
    pending = iter([(key, sample) for key, found in recalled.fresh.items() for sample in found])
    while chunk := list(islice(pending, _ROWS)):
        by_key: dict[str, list[Sample]] = defaultdict(list)
        for key, sample in chunk:
            by_key[key].append(sample)
        with engine.database.transaction() as connection:
            samples.record(connection, by_key)
    spans = iter(recalled.spans.items())
    while known := dict(islice(spans, _ROWS)):
        with engine.database.transaction() as connection:
            samples.set_spans(connection, known)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How far back a question's past is read, at what interval it is asked, and the windows that are only counted."""

    back: timedelta
    every: timedelta
    counted: frozenset[timedelta] = frozenset()


def recall(
    engine: Engine,
    wanted: Mapping[Query, Wanted],
    asked: Mapping[Query, Query],
    answers: Mapping[Query, Answer],
    at: datetime,
) -> Recalled:
    """Return the past of every question up to `at`; `asked` maps each to the question as its source knows it."""
    found = Recalled()
    if not wanted:
        return found
    keys = {query: series_key(query) for query in wanted}
    earliest = min(at - query.offset - each.back for query, each in wanted.items())
    read = [key for query, key in keys.items() if query.source != SOURCE]
    with engine.database.read() as connection:
        stored = samples.between(connection, read, earliest, at)
        spans = samples.spans(connection, list(keys.values()))
    tallies = _tallies(engine, wanted, keys, at)
    filled = _filled(engine, _gaps(engine, wanted, keys, spans, answers, at), asked, at)
    for query, key in keys.items():
        end = at - query.offset
        since = _since(spans.get(key), filled.get(query), end)
        now = [] if query.source == SOURCE else _answered(answers.get(query))
        fresh = [*(filled[query].samples if query in filled else ()), *now]
        found.past[query] = Past(_merged(stored.get(key, ()), fresh, end), since, tallies.get(query, {}))
        if fresh or (query.source != SOURCE and answers.get(query) is not None and not answers[query].failure):
            found.fresh[key] = fresh
            found.spans[key] = (since, end)
    return found


def _tallies(
    engine: Engine, wanted: Mapping[Query, Wanted], keys: Mapping[Query, str], at: datetime
) -> dict[Query, dict[timedelta, Tally]]:
    """Return the counts of every window before `at`; a window is no shorter than the interval between two samples."""
    by_window: dict[timedelta, dict[str, tuple[datetime, datetime]]] = defaultdict(dict)
    for query, each in wanted.items():
        for window in each.counted:
            length = max(window, each.every, engine.organisation.cycle.every)
            by_window[window][keys[query]] = (at - length, at)
    found: dict[Query, dict[timedelta, Tally]] = defaultdict(dict)
    with engine.database.read() as connection:
        for window, asked in by_window.items():
            counts = samples.tallies(connection, asked)
            for query, each in wanted.items():
                if window in each.counted:
                    found[query][window] = counts.get(keys[query], Tally())
    return found


@dataclass(frozen=True, slots=True)
class _Filled:
    """Samples of instants before those that are stored, and the first of these instants."""

    samples: tuple[Sample, ...]
    since: datetime


def _gaps(
    engine: Engine,
    wanted: Mapping[Query, Wanted],
    keys: Mapping[Query, str],
    spans: Mapping[str, tuple[datetime, datetime]],
    answers: Mapping[Query, Answer],
    at: datetime,
) -> dict[tuple[datetime, datetime, timedelta], list[Query]]:
    """Return which instants of which questions are to be asked for, those of the same instants together."""
    found: dict[tuple[datetime, datetime, timedelta], list[Query]] = defaultdict(list)
    for query, each in wanted.items():
        answer = answers.get(query)
        able = isinstance(engine.sources.get(query.source), PastSource)
        if not able or answer is None or answer.failure or engine.collector.rests(query, at):
            continue
        span = spans.get(keys[query])
        last = span[0] + query.offset if span else at
        stretches = [(at - each.back, last)]
        if span:  # and what was missed while the engine was down
            stretches.append((max(span[1] + query.offset + each.every, at - each.back), at))
        for first, end in stretches:
            count = min(int((end - first) / each.every), MOST_INSTANTS)
            if count > 0:
                found[end - count * each.every, end - each.every, each.every].append(query)
    return found


def _filled(
    engine: Engine,
    gaps: Mapping[tuple[datetime, datetime, timedelta], Iterable[Query]],
    asked: Mapping[Query, Query],
    at: datetime,
) -> dict[Query, _Filled]:
    found: dict[Query, _Filled] = {}
    for (start, end, step), queries in gaps.items():
        questions = {query: asked[query] for query in queries if query in asked}
        replies = engine.collector.past(questions.values(), engine.sources, start=start, end=min(end, at), step=step)
        for query, question in questions.items():
            if replies[question].failure:
                engine.collector.rest(query, at + _REST)  # a past that cannot be told must not slow every cycle
            else:
                before = found.get(query)
                known = (*before.samples, *replies[question].samples) if before else replies[question].samples
                since = start - query.offset
                found[query] = _Filled(known, min(since, before.since) if before else since)
    return found


def _since(span: tuple[datetime, datetime] | None, filled: _Filled | None, end: datetime) -> datetime:
    known = [each for each in (span[0] if span else None, filled.since if filled else None) if each is not None]
    return min([*known, end])  # a clock that was set back has left later ones


def _answered(answer: Answer | None) -> list[Sample]:
    return list(answer.samples) if answer is not None else []


def _merged(stored: Iterable[Sample], fresh: Iterable[Sample], end: datetime) -> tuple[Sample, ...]:
    """Join what was stored with what was answered now, which counts where both speak for the same instant."""
    by_time = {(each.time, each.labels): each for each in (*stored, *fresh) if each.time <= end}
    return tuple(by_time[key] for key in sorted(by_time))
