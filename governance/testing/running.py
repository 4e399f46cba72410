"""Runs of runbooks in a test: what people do with them, and the engine driving them at the instants that are due."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.run import Run
from governance.core.story import Act
from governance.engine import running
from governance.engine.dispatch import dispatch
from governance.engine.running.driving import drive
from governance.errors import NotFound
from governance.store import runs

if TYPE_CHECKING:
    from governance.engine.parts import Engine

MOST = 1000
"""Instants between two beats at which runs are driven; more are a story that goes round in circles."""


def driven(engine: Engine, after: datetime, until: datetime) -> None:
    """Drive every run at each instant between two beats at which something is due."""
    at = after
    for _ in range(MOST):
        soon = _soon(engine, at, until)
        if soon is None:
            break
        at = soon
        go_on(engine, at)


def go_on(engine: Engine, at: datetime) -> None:
    """Drive every run that is due, and deliver at once what it tells."""
    if drive(engine, at):
        dispatch(engine, at)


def _soon(engine: Engine, after: datetime, until: datetime) -> datetime | None:
    """Return the next instant before a beat at which a run does something.

    A condition that does not hold is not looked at again before: samples change with the beats.
    """
    with engine.database.read() as connection:
        first = runs.next_due(connection)
        if first is None or first >= until:
            return None
        due = [_next(each) for each in runs.listed(connection, state="open")]
    return min((each for each in due if each is not None and after < each < until), default=None)


def _next(run: Run) -> datetime | None:
    here, step = run.here, run.step
    if here is None or step is None or run.next_at is None:
        return None
    looks = step.kind == "check" and here.is_begun and not here.undoes and run.state == "running"
    return here.deadline if looks else run.next_at


def perform(engine: Engine, act: Act, model: str, at: datetime) -> None:
    """Carry out what somebody does with a run, and drive it on.

    :raises GovernanceError: when it is refused.
    """
    _ACTS[act.kind](engine, act, model, at)
    go_on(engine, at)


def waits(engine: Engine, step: str, in_: str) -> bool:
    """Tell whether a step is one of the runbook of an open run, so that an answer to it is one to that run."""
    with engine.database.read() as connection:
        found = runs.listed(connection, state="all")
    return any(step in {each.step for each in run.runbook.steps} for run in found if in_ in ("", run.id))


def answer(engine: Engine, act: Act, at: datetime) -> None:
    """Approve or refuse a step of a run."""
    said = running.approve if act.approve is not None else running.refuse
    step = act.approve or act.refuse or ""
    said(engine, _run(engine, act, step), actor=act.as_, at=at, because=act.because, step=step)
    go_on(engine, at)


def _run(engine: Engine, act: Act, step: str = "", runbook: str = "") -> str:
    """Return which run an act is about: the one it names, else the newest of that runbook, or with that step."""
    if act.in_:
        return act.in_
    with engine.database.read() as connection:
        found = runs.listed(connection, state="open") or runs.listed(connection, state="all")
    fits = [
        each
        for each in found
        if runbook in ("", each.runbook.runbook, each.id)
        and (not step or step in {one.step for one in each.runbook.steps})
    ]
    if not fits:
        raise NotFound(f"no run has {f'a step {step!r}' if step else f'the runbook {runbook!r}'}")
    return fits[0].id


def _start(engine: Engine, act: Act, model: str, at: datetime) -> None:
    running.start(
        engine, act.run or "", model, actor=act.as_, because=act.because, at=at, parameters=act.parameters,
        incident=act.incident, labels=act.labels, dry_run=act.dry_run,
    )  # fmt: skip


def _tick(engine: Engine, act: Act, _: str, at: datetime) -> None:
    step = act.tick or ""
    running.tick(engine, _run(engine, act, step), actor=act.as_, at=at, because=act.because, step=step)


def _retry(engine: Engine, act: Act, _: str, at: datetime) -> None:
    step = act.retry or ""
    running.retry(engine, _run(engine, act, step), actor=act.as_, at=at, because=act.because, step=step)


def _skip(engine: Engine, act: Act, _: str, at: datetime) -> None:
    step = act.skip or ""
    running.skip(engine, _run(engine, act, step), actor=act.as_, at=at, because=act.because, step=step)


def _settle(engine: Engine, act: Act, _: str, at: datetime) -> None:
    step = act.settle or ""
    running.settle(
        engine, _run(engine, act, step), took_effect=act.took_effect, actor=act.as_, at=at, because=act.because,
        step=step,
    )  # fmt: skip


def _pause(engine: Engine, act: Act, _: str, at: datetime) -> None:
    running.pause(engine, _run(engine, act, runbook=act.pause or ""), actor=act.as_, at=at, because=act.because)


def _resume(engine: Engine, act: Act, _: str, at: datetime) -> None:
    running.resume(engine, _run(engine, act, runbook=act.resume or ""), actor=act.as_, at=at, because=act.because)


def _cancel(engine: Engine, act: Act, _: str, at: datetime) -> None:
    running.cancel(
        engine, _run(engine, act, runbook=act.cancel or ""), actor=act.as_, at=at, because=act.because, undo=act.undo
    )


_ACTS: Mapping[str, Callable[[Engine, Act, str, datetime], None]] = {
    "run": _start,
    "tick": _tick,
    "retry": _retry,
    "skip": _skip,
    "settle": _settle,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
}
KINDS = frozenset(_ACTS)
"""The acts that are about runs."""
