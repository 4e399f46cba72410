"""Samples that pipelines post to us: taken all or none, once per idempotency key, and read back by their source."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from governance.core.duration import format_duration
from governance.core.metric import Sample
from governance.core.suggestion import closest
from governance.engine.parts import Engine
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.ports import ReadsPushed
from governance.store import pushed
from governance.store.database import Database
from governance.store.pushed import PushedSample

MOST_SAMPLES = 10_000
"""Samples of one push; it is written in one transaction, for which others wait."""
MOST_LABELS = 16
LONGEST = 200
"""Characters of a name, a label's value or an idempotency key."""
SKEW = timedelta(minutes=1)
"""How far the clock of who pushes may be ahead of ours."""
KEY_KEPT = timedelta(hours=24)
_MOST_PROBLEMS = 20
_MOST_COUNT = 2**63 - 1
_KEY = re.compile(r"[\x21-\x7e]+")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Pushed:
    """How many samples a push stored; `replayed` when the same push had been stored before."""

    stored: int
    replayed: bool


@runtime_checkable
class KeepsPushed(ReadsPushed, Protocol):
    """A source of pushed samples says for how long they are kept."""

    @property
    def keep(self) -> timedelta:
        """How long a sample is kept."""
        ...


class StoredSamples:
    """Reads what was pushed from the database."""

    def __init__(self, database: Database) -> None:
        """Read from this database."""
        self._database = database

    def pushed(
        self, source: str, model: str, metric: str, *, start: datetime, end: datetime, known_by: datetime
    ) -> Sequence[Sample]:
        """Return the samples with start < time ≤ end that had arrived by `known_by`, in the order of their times."""
        with self._database.read() as connection:
            return pushed.between(connection, source, model, metric, start=start, end=end, known_by=known_by)


def push(engine: Engine, source: str, batch: Sequence[PushedSample], *, key: str, actor: str, at: datetime) -> Pushed:
    """Store a batch of samples, all or none; the same batch under the same key is stored once.

    :raises NotFound: when there is no such source of kind push, or no card for a model.
    :raises InvalidDocument: listing what is wrong with the samples or the key.
    :raises Conflict: when another batch was pushed under the key within the last 24 h.
    """
    keep = _known(engine, source).keep
    _check_key(key)
    digest = _digest(source, batch)
    with engine.database.read() as connection:  # a repeat is not judged anew: the clock has gone on
        done = _replayed(pushed.first_use(connection, key, at - KEY_KEPT), key, digest)
    if done is not None:
        return done
    _check(engine, source, batch, at, keep)
    with engine.database.transaction() as connection:
        pushed.forget_keys(connection, at - KEY_KEPT)
        done = _replayed(pushed.first_use(connection, key, at - KEY_KEPT), key, digest)  # the same push, meanwhile
        if done is None:
            pushed.add(connection, source, batch, actor=actor, at=at)
            pushed.keep_key(connection, key, digest, len(batch), at)
    return done or Pushed(len(batch), replayed=False)


def forget(engine: Engine, at: datetime, limit: int) -> int:
    """Delete samples that are older than their source keeps them, at most `limit` of each source; return how many."""
    count = 0
    for name, source in _sources(engine):
        with engine.database.transaction() as connection:
            count += pushed.forget(connection, name, at - source.keep, limit)
    return count


def _sources(engine: Engine) -> Iterator[tuple[str, KeepsPushed]]:
    for name, source in engine.sources.items():
        if isinstance(source, KeepsPushed):
            yield name, source


def _known(engine: Engine, name: str) -> KeepsPushed:
    known = dict(_sources(engine))
    if name not in known:
        listed = ", ".join(sorted(known)) or "none; add one to org.yaml: {sources: {pushed: {kind: push}}}"
        raise NotFound(f"no source {_shown(name)} of kind push; known: {listed}")
    return known[name]


def _replayed(before: tuple[str, int] | None, key: str, digest: str) -> Pushed | None:
    if before is None:
        return None
    if before[0] != digest:
        raise Conflict(f"the key {_shown(key)} was used for other samples; take a new key for each push")
    return Pushed(before[1], replayed=True)


def _check_key(key: str) -> None:
    if len(key) > LONGEST or not _KEY.fullmatch(key):
        raise InvalidDocument(f"the idempotency key must be 1 to {LONGEST} characters of ASCII without spaces")


def _check(engine: Engine, source: str, batch: Sequence[PushedSample], at: datetime, keep: timedelta) -> None:
    if not 1 <= len(batch) <= MOST_SAMPLES:
        raise InvalidDocument(f"samples: a push has 1 to {MOST_SAMPLES:,} samples, this one has {len(batch):,}")
    for model in {each.model for each in batch}:
        if model not in engine.plan.by_model:
            hint = closest(model, engine.plan.by_model) or "write a card for it first"
            raise NotFound(f"no card for the model {_shown(model)}; {hint}")
    declared = {
        (model, metric.query.text): metric.labels
        for model in {each.model for each in batch}
        for metric in engine.plan.by_model[model].policy.metrics.values()
        if metric.query.source == source
    }
    problems = [
        f"samples.{index}.{said}"
        for index, each in enumerate(batch)
        for said in (*_problems(each, at, keep), *_undeclared(each, declared.get((each.model, each.metric))))
    ]
    counts = Counter((each.model, each.metric, each.labels, each.time) for each in batch)
    problems += [f"samples: {_shown(key[1])} is given twice for {key[3]}" for key, count in counts.items() if count > 1]
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        rest = [f"and {more} more problems"] if more > 0 else []
        raise InvalidDocument("\n".join([*problems[:_MOST_PROBLEMS], *rest]))


def _problems(sample: PushedSample, at: datetime, keep: timedelta) -> Iterator[str]:
    if not sample.metric or len(sample.metric) > LONGEST or not sample.metric.isprintable():
        yield f"metric: a name has 1 to {LONGEST} printable characters"
    if sample.time.utcoffset() is None:
        yield f"time: {sample.time.isoformat()} has no zone; write 2026-01-31T12:00:00Z"
    elif sample.time > at + SKEW:
        yield f"time: {sample.time.isoformat()} is later than now, {at.isoformat(timespec='seconds')}"
    elif sample.time <= at - keep:
        yield f"time: {sample.time.isoformat()} is older than the {format_duration(keep)} for which the source keeps it"
    if sample.value is not None and not math.isfinite(sample.value):
        yield "value: must be a finite number, or null where there is nothing to measure"
    if sample.count is not None and not 0 <= sample.count <= _MOST_COUNT:
        yield "count: must be a whole number from 0"
    yield from _label_problems(sample)


def _undeclared(sample: PushedSample, declared: Sequence[str] | None) -> Iterator[str]:
    """Refuse labels that would make the card's metric an error; what no card asks for yet is taken as it is."""
    names = sorted(name for name, _ in sample.labels)
    if declared is not None and names != sorted(declared):
        wanted = ", ".join(sorted(declared)) or "none"
        yield f"labels: {', '.join(names) or 'none'} are given, the card's metric declares {wanted}"


def _label_problems(sample: PushedSample) -> Iterator[str]:
    if len(sample.labels) > MOST_LABELS:
        yield f"labels: {len(sample.labels)} of them, at most {MOST_LABELS} are taken"
    if list(sample.labels) != sorted(dict(sample.labels).items()):
        yield "labels: each name once, in order"
    for name, value in sample.labels:
        if len(name) > LONGEST or not _LABEL.fullmatch(name):
            yield f"labels: {_shown(name)} is no name: letters, digits and _, no digit first"
        if len(value) > LONGEST or not value.isprintable():
            yield f"labels.{_shown(name)}: a value has at most {LONGEST} printable characters"


def _digest(source: str, batch: Sequence[PushedSample]) -> str:
    asked = [source, *((each.model, each.metric, each.labels, each.time, each.value, each.count) for each in batch)]
    return hashlib.sha256(repr(asked).encode("utf-8", "backslashreplace")).hexdigest()


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST else text[:LONGEST] + "…")
