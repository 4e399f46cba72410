"""The machine's clock stepped: move every running clock of ours along, so that no time passes that did not pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from governance.core.alert import Alert, Clock
from governance.core.effect import Effect
from governance.core.escalation import shifted
from governance.core.run_change import later
from governance.core.switch import Switch
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.running import consenting
from governance.store import (
    alerts,
    approvals,
    decision_log,
    effects,
    escalations,
    instances,
    progress,
    runs,
    samples,
    switches,
    waivers,
)


def stepped(engine: Engine, by: timedelta, *, at: datetime) -> None:
    """Take note that the clock stepped by `by` and shows `at` now.

    What was pending for ten minutes is pending for ten minutes still, whatever the clock says; what waits for its
    next try, for the next level of an escalation, for a step of a run, or for the end of a kill switch, waits as long
    as before. A switch whose end moves has a new `seq`, so that its clients learn of it; a restore that waits is about
    the same setting still, and goes along. No cycle counts as missed; waivers end by the clock, also those it leapt
    over.
    """
    with engine.database.transaction() as connection:
        moved = [_moved(alert, by, at) for alert in alerts.active(connection).values()]
        alerts.save(connection, moved)
        effects.save(connection, [_later(each, by) for each in effects.pending(connection)])
        escalations.save(connection, *(shifted(each, by) for each in escalations.running(connection)))
        going = [later(each, by) for each in runs.listed(connection, state="open")]
        runs.save(connection, *going)
        for run in (each for each in going if consenting.asking(each)):
            consenting.follow(connection, run, at)
        instances.move(connection, by, at)
        samples.begin_spans(connection, at)
        ending = _ending_later(switches.all_of(connection).values(), by, switches.next_seq(connection))
        switches.save(connection, *ending)
        for each in ending:
            waiting = approvals.listed(connection, model=each.model, kind="switch.restore")
            approvals.save(connection, [replace(one, seq=each.seq) for one in waiting])
        progress.begin_era(connection)
        under = entries.Under(engine.plan.version, progress.era(connection))
        before = progress.last(connection, progress.CYCLE)
        for name in progress.RUNNING:
            last = progress.last(connection, name)
            if last is not None:
                progress.set_last(connection, name, min(last + by, at))
        after = progress.last(connection, progress.CYCLE)
        over = waivers.ended(connection, before, after) if before is not None and after is not None else []
        ends = [entries.of_waiver_end(each, at, under) for each in over]
        moved_ends = {each.model: each.seq for each in ending}
        decision_log.append(connection, [entries.of_step(by, at, under.era, moved_ends), *ends])
    decision_log.seal(engine.database, at)


def _ending_later(found: Iterable[Switch], by: timedelta, seq: int) -> list[Switch]:
    """Return the switches with a setting that ends, with that end moved along, numbered from `seq`."""
    moved: list[Switch] = []
    for switch in found:
        number = seq + len(moved)
        settings = tuple(
            replace(each, expires_at=each.expires_at + by, seq=number) if each.expires_at is not None else each
            for each in switch.settings
        )
        if settings != switch.settings:
            moved.append(replace(switch, settings=settings, seq=number))
    return moved


def _moved(alert: Alert, by: timedelta, at: datetime) -> Alert:
    clocks = {severity: _clock(each, by, at) for severity, each in alert.clocks.items()}
    until = min(alert.until, at) if alert.until is not None else None  # the window's own time stays what it was
    return replace(alert, clocks=clocks, until=until)


def _clock(clock: Clock, by: timedelta, at: datetime) -> Clock:
    since = min(clock.since + by, at) if clock.since is not None else None
    passed = min(clock.passed + by, at) if clock.passed is not None else None
    return replace(clock, since=since, passed=passed)


def _later(effect: Effect, by: timedelta) -> Effect:
    return replace(effect, next_at=effect.next_at + by if effect.next_at is not None else None)
