"""What the engine does at a beat: catch up on what was missed, judge the present, tell, and forget what is old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from governance.core.decision import Decision
from governance.core.duration import format_duration
from governance.core.metric import Answer, Query
from governance.engine import canary, entries, revision, silences, waiving
from governance.engine.adoption import follow
from governance.engine.answering import wake
from governance.engine.calming import calm
from governance.engine.clock import stepped
from governance.engine.cycle import CycleReport, run_cycle
from governance.engine.digesting import digest
from governance.engine.dispatch import dispatch
from governance.engine.escalating import escalate
from governance.engine.hand_overs import hand_over
from governance.engine.parting import part
from governance.engine.parts import Engine
from governance.engine.picture import past_answers
from governance.engine.release import release
from governance.engine.retention import forget
from governance.engine.running.drilling import drill
from governance.engine.running.driving import drive
from governance.engine.switching.expiry import expire
from governance.engine.switching.offline import adopt_offline
from governance.engine.switching.resuming import resume
from governance.errors import GovernanceError
from governance.store import decision_log, progress, waivers

T = TypeVar("T")

MOST_LATE = 60
"""How many missed cycles are caught up at once; of a longer gap the instants are further apart."""
_TOLERANCE = timedelta(seconds=5)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StepReport:
    """What a beat did: its cycle (None when none was due), how many missed ones it caught up, what it delivered."""

    cycle: CycleReport | None
    late: int
    delivered: int


def step(engine: Engine, now: datetime) -> StepReport:
    """Do all that is due at `now`; a beat that comes late, twice or after a crash changes nothing but the hour."""
    failed: list[GovernanceError] = []
    _tried(lambda: follow(engine, now), None, failed)  # before the cycle: no cycle rests on two versions
    every = engine.organisation.cycle.every
    with engine.database.read() as connection:
        last = progress.last(connection, progress.CYCLE)
    if last is not None and now < last - _TOLERANCE:
        stepped(engine, now - last, at=now)  # while nobody looked: by this much at least
        last = now
    at = _grid(now, every)
    nothing: tuple[int, CycleReport | None] = (0, None)
    _tried(lambda: resume(engine, now), 0, failed)
    _tried(lambda: adopt_offline(engine, now), 0, failed)
    _tried(lambda: waiving.follow_files(engine, now), 0, failed)
    _tried(lambda: silences.follow_files(engine, now), 0, failed)
    late, report = _tried(lambda: _judged(engine, last, at), nothing, failed)
    _tried(lambda: part(engine, now), 0, failed)
    _tried(lambda: release(engine, now), None, failed)
    _tried(lambda: len(expire(engine, now)), 0, failed)
    _tried(lambda: silences.catch_up(engine, now), None, failed)
    _tried(lambda: wake(engine, now), 0, failed)
    _tried(lambda: calm(engine, now), 0, failed)
    _tried(lambda: hand_over(engine, now), None, failed)
    _tried(lambda: escalate(engine, now), None, failed)
    _tried(lambda: drill(engine, now), 0, failed)
    if not engine.runner.beside:
        _tried(lambda: drive(engine, now), 0, failed)
    _tried(lambda: digest(engine, now), 0, failed)
    delivered = _tried(lambda: len(dispatch(engine, now)), 0, failed)
    _tried(lambda: canary.watch(engine, now), None, failed)
    _tried(lambda: forget(engine, now), 0, failed)
    _tried(lambda: _sealed(engine, now), None, failed)
    if failed:
        raise failed[0]
    return StepReport(report, late, delivered)


def _tried(act: Callable[[], T], otherwise: T, failed: list[GovernanceError]) -> T:
    """Do one part of a beat; where it cannot be done now, the others are: a page must not wait for a full disk."""
    try:
        return act()
    except GovernanceError as error:
        failed.append(error)
        return otherwise


def _judged(engine: Engine, last: datetime | None, at: datetime) -> tuple[int, CycleReport | None]:
    """Judge what is due, the missed instants first, and return how many of these there were."""
    if last is not None and at <= last:
        return 0, None
    late = _caught_up(engine, last, at) if last is not None else 0
    return late, run_cycle(engine, at)


def _sealed(engine: Engine, now: datetime) -> None:
    """Seal what was decided by a process that died before it could."""
    if decision_log.oldest_unsealed(engine.database) is not None:
        decision_log.seal(engine.database, now)


def missed(last: datetime, at: datetime, every: timedelta, horizon: timedelta) -> tuple[list[datetime], datetime]:
    """Return the missed instants between `last` and `at` that are made up for, and since when that is so.

    At most MOST_LATE of them: of a longer gap every second, third … instant, the newest always among them.
    """
    since = max(last, at - horizon)
    count = (at - _EPOCH) // every - (since - _EPOCH) // every - 1
    stride = -(-count // MOST_LATE) if count > 0 else 1
    backwards = [at - every * back for back in range(1, count + 1, stride)]
    return backwards[::-1], since


def _caught_up(engine: Engine, last: datetime, at: datetime) -> int:
    """Judge what was missed, as far back as the organisation wants; what is further back is skipped, and said so."""
    settings = engine.organisation.cycle
    with engine.database.read() as connection:
        left = progress.away_since(connection, last)
    instants, since = missed(left, at, settings.every, settings.catch_up)
    instants = [each for each in instants if each > last]  # the same ones, wherever it was cut off
    if not instants:
        return 0
    with engine.database.transaction() as connection:
        progress.set_last(connection, progress.LEFT, left)
        progress.set_last(connection, progress.BACK, at)
        if since > last:
            under = entries.Under(engine.plan.version, progress.era(connection))
            over = [entries.of_waiver_end(each, since, under) for each in waivers.ended(connection, last, since)]
            decision_log.append(connection, [_skipped(engine, last, since, at, under), *over])
            progress.set_last(connection, progress.CYCLE, since)
    spacing = instants[1] - instants[0] if len(instants) > 1 else settings.every
    also = revision.questions(engine.plan)
    known = past_answers(engine, start=instants[0], end=instants[-1], step=spacing, also=also)
    for instant in instants:
        run_cycle(engine, instant, late=True, given=_as_of(known, instant))
    return len(instants)


def _skipped(engine: Engine, last: datetime, since: datetime, at: datetime, under: entries.Under) -> Decision:
    most = format_duration(engine.organisation.cycle.catch_up)
    reason = f"the engine was away for longer than the {most} that it catches up"
    return entries.of_gap(last, since, at, reason, under)


def _as_of(known: dict[Query, Answer], instant: datetime) -> dict[Query, Answer]:
    """Return what would have been answered at an instant, out of the answers for many."""
    return {
        query: Answer(tuple(each for each in answer.samples if each.time == instant - query.offset))
        for query, answer in known.items()
        if not answer.failure
    }


def _grid(now: datetime, every: timedelta) -> datetime:
    return _EPOCH + (now - _EPOCH) // every * every
