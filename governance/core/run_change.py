"""Where a run goes: every change of a run ends in a place from which it can go on, or in its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from governance.core.run import Run, RunState, Visit, VisitState
from governance.core.runbook import CONTINUE, END, STOP, Goto, Step

ENGINE = "engine"
MOST_VISITS = 1000
"""Loops within loops end too, before their run is too large to be stored at each of its steps."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that a change of a run decided, for the decision log: its entry is `runbook.<kind>`.

    `mark` tells it from others of its kind at the same visit: an attempt, a person, a version.
    """

    kind: str
    step: str = ""
    visit: int = 0
    detail: str = ""
    actor: str = ENGINE
    body: Mapping[str, object] = field(default_factory=dict)
    mark: str = ""


@dataclass(frozen=True, slots=True)
class RunChange:
    """A run as it is after a change, and what was decided by it; without events nothing changed that is recorded."""

    run: Run
    events: tuple[RunEvent, ...] = ()

    def then(self, other: RunChange) -> RunChange:
        """Return both, one after the other."""
        return RunChange(other.run, (*self.events, *other.events))


def here_of(run: Run) -> Visit:
    """Return where a run is that has begun.

    :raises ValueError: for one that has not.
    """
    if run.here is None:
        raise ValueError(f"{run.id} has not begun")
    return run.here


def step_of(run: Run) -> Step:
    """Return the step where a run is that has begun."""
    step = run.step
    if step is None:
        raise ValueError(f"{run.id} is at no step of its runbook")
    return step


def event(
    run: Run,
    kind: str,
    detail: str = "",
    *,
    mark: str = "",
    actor: str = ENGINE,
    body: Mapping[str, object] | None = None,
) -> RunEvent:
    """Return an event about where the run is."""
    here = here_of(run)
    said = {**(body or {}), **({"key": here.key} if here.key else {}), **({"undo": True} if here.undoes else {})}
    return RunEvent(kind, here.step, here.number, detail, actor, said, mark)


def moved(run: Run, **changed: object) -> Run:
    """Return the run with where it is changed."""
    here = replace(here_of(run), **changed)  # type: ignore[arg-type]
    return replace(run, visits=(*run.visits[:-1], here))


def ended(run: Run, state: VisitState, at: datetime, **changed: object) -> Run:
    """Return the run with the visit where it is ended."""
    return moved(run, state=state, ended_at=at, next_at=None, **changed)


def waits_for_people(run: Run) -> bool:
    """Tell whether the step where the run is waits for a person."""
    here, step = run.here, run.step
    return here is not None and here.state == "waiting" and step is not None and step.kind != "wait"


def placed(run: Run) -> Run:
    """Return the run in the state that follows from where it is, due when there is something to do."""
    here = here_of(run)
    if here.state == "unknown":
        return replace(run, state="unknown", next_at=None)
    if here.state in ("failed", "timed_out"):
        return replace(run, state="stopped", next_at=None)
    going: RunState = "undoing" if here.undoes else "waiting" if waits_for_people(run) else "running"
    state = run.state if run.state == "paused" else going
    if here.state == "acting":
        return replace(run, state=state, next_at=here.next_at)
    due = [here.deadline] if state == "paused" else [here.deadline, here.next_at]
    return replace(run, state=state, next_at=min((each for each in due if each is not None), default=None))


def later(run: Run, by: timedelta) -> Run:
    """Return the next version of a run whose times moved along with the machine's clock."""
    here = here_of(run)
    deadline = here.deadline + by if here.deadline is not None else None
    due = here.next_at + by if here.next_at is not None else None
    next_at = run.next_at + by if run.next_at is not None else None
    return replace(moved(run, deadline=deadline, next_at=due), next_at=next_at, version=run.version + 1)


def arrived(run: Run, step: str, at: datetime) -> RunChange:
    """Return the run at another step, which is not begun yet."""
    if len(run.visits) >= MOST_VISITS:
        said = f"it made {MOST_VISITS} steps without coming to an end"
        stopped = replace(moved(run, to=""), state="stopped", next_at=None, said=said)
        return RunChange(stopped, (event(run, "stopped", said, mark=str(run.version)),))
    number = 1 + sum(each.step == step and not each.undoes for each in run.visits)
    visit = Visit(step, number, "active", at, next_at=at)
    before = run if run.here is None else moved(run, to=step)
    return RunChange(placed(replace(before, visits=(*before.visits, visit), said="")))


def went_on(run: Run, at: datetime, *, aside: bool = False) -> RunChange:
    """Return the run where it goes after the step where it is; `aside`: as if the step were not there."""
    if run.cancelling:
        return cancelled_now(run, at)
    where = _following(run, aside=aside)
    return finished(run, at) if where == END else arrived(run, where, at)


def failed_on(run: Run, at: datetime, where: str) -> RunChange:
    """Return the run where it goes after a failure: it stops, goes on, or goes to a later step."""
    if run.cancelling:
        return cancelled_now(run, at)
    if where == CONTINUE:
        return went_on(run, at)
    if where == STOP:
        return stopped_here(run)
    return finished(run, at) if where == END else arrived(run, where, at)


def stopped_here(run: Run) -> RunChange:
    """Return the run stopped where it failed, or took too long: a person decides."""
    here = here_of(run)
    stopped = replace(placed(replace(run, state="running")), said=here.detail)
    mark = f"{'undo ' if here.undoes else ''}{here.key}"
    return RunChange(stopped, (event(run, "stopped", here.detail, mark=mark),))


def finished(run: Run, at: datetime) -> RunChange:
    """Return the run at its end."""
    return _over(moved(run, to=END), "done", "it came to its end", at)


def cancelled_now(run: Run, at: datetime) -> RunChange:
    """Return the run on the way back, or cancelled where nothing is to be taken back any more."""
    undone = run.visits if run.cancelling == "undo" and run.mode == "live" else ()
    taken = {(each.step, each.number) for each in run.visits if each.undoes and each.state in ("done", "skipped")}
    steps = {each.step: each for each in run.runbook.steps}
    for each in reversed(undone):
        open_ = each.state == "done" and not each.undoes and (each.step, each.number) not in taken
        if open_ and steps[each.step].undo is not None:
            return RunChange(placed(_undoing(run, each, at)))
    left = (
        "what it did is left as it is"
        if run.cancelling == "leave"
        else "what it did is taken back, as far as that can be"
    )
    return _over(run, "cancelled", left, at)


def _undoing(run: Run, done: Visit, at: datetime) -> Run:
    tries = sum(each.undoes and (each.step, each.number) == (done.step, done.number) for each in run.visits)
    key = f"{done.key}/undo" + (f"/{tries + 1}" if tries else "")
    visit = Visit(done.step, done.number, "active", at, key=key, next_at=at, undoes=True)
    return replace(run, visits=(*run.visits, visit), said="")


def _over(run: Run, state: RunState, said: str, at: datetime) -> RunChange:
    body = {"state": state, "mode": run.mode, "seconds": (at - run.started_at).total_seconds()}
    done = replace(run, state=state, ended_at=at, next_at=None, said=said)
    return RunChange(done, (RunEvent("finished", detail=said, body=body),))


def _following(run: Run, *, aside: bool) -> str:
    step = step_of(run)
    names = [each.step for each in run.runbook.steps]
    place = names.index(step.step) + 1
    after = names[place] if place < len(names) else END
    if aside or step.then is None:
        return after
    if isinstance(step.then, Goto):
        back = sum(each.step == step.step and each.to == step.then.step and not each.undoes for each in run.visits)
        return step.then.step if back < step.then.at_most else after
    return step.then
