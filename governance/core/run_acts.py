"""What people do with a run: tick, consent or refuse, pause, resume, cancel, retry, skip, and say what took effect."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from governance.core.performance import Outcome
from governance.core.run import Answer, Cancelling, Run, RunState, Visit
from governance.core.run_change import (
    ENGINE,
    RunChange,
    RunEvent,
    arrived,
    cancelled_now,
    ended,
    event,
    here_of,
    moved,
    placed,
    step_of,
    went_on,
)
from governance.core.run_steps import done_by, failed_by, known
from governance.core.runbook import Consent
from governance.errors import Conflict


def ticked(run: Run, actor: str, at: datetime, *, step: str = "", because: str = "", channel: str = "") -> RunChange:
    """Return the run after a person did what its step says.

    :raises Conflict: when it is at no such step, or its time is over.
    """
    _waiting(run, "instruct", "tick", step, at)
    body = {name: value for name, value in (("because", because), ("channel", channel)) if value}
    return done_by(run, at, actor=actor, detail=because or f"ticked by {actor}", body=body)


def answered(run: Run, answer: Answer, *, step: str = "") -> RunChange:
    """Return the run after a person consented or refused; what counts is when they did, whenever it is looked at.

    Whether they hold the role is not asked here.

    :raises Conflict: for an answer that does not count: too early, too late, a second one, or of who started the run.
    """
    here = _waiting(run, "approve", "approve" if answer.approved else "refuse", step, answer.at)
    consent = step_of(run).approve or Consent()
    if any(each.actor == answer.actor for each in here.answers):
        raise Conflict(f"{answer.actor} has answered step '{here.step}' of {run.id} already")
    if answer.actor == excluded(run, consent):
        raise Conflict(f"{answer.actor} started {run.id}, so that step '{here.step}' needs somebody else")
    now = moved(run, answers=(*here.answers, answer))
    kind = "approved" if answer.approved else "refused"
    body = {name: value for name, value in (("because", answer.because), ("channel", answer.channel)) if value}
    said = event(now, kind, answer.because, actor=answer.actor, mark=answer.actor, body=body)
    if not answer.approved:
        detail = f"refused by {answer.actor}" + (f": {answer.because}" if answer.because else "")
        return RunChange(now, (said,)).then(failed_by(now, detail, answer.at, actor=answer.actor))
    names = [each.actor for each in here_of(now).answers]
    if len(names) < consent.people:
        return RunChange(placed(now), (said,))
    detail = f"approved by {' and '.join(names)}"
    return RunChange(now, (said,)).then(done_by(now, answer.at, actor=answer.actor, detail=detail))


def excluded(run: Run, consent: Consent) -> str:
    """Return who cannot consent because they started the run, "" for nobody: a rule or a schedule is no person."""
    return "" if consent.not_ == "nobody" or run.rule or run.started_by == ENGINE else run.started_by


def paused(run: Run, actor: str, *, because: str = "") -> RunChange:
    """Return the run at rest: it begins nothing, though its deadlines go on; an act under way is finished.

    :raises Conflict: when there is nothing to pause.
    """
    _open(run)
    if run.state not in ("running", "waiting", "undoing"):
        raise Conflict(f"{run.id} is {run.state}; there is nothing to pause")
    said = f"paused by {actor}" + (f": {because}" if because else "")
    rests = replace(placed(replace(run, state="paused")), said=said)
    return RunChange(rests, (_on_run(run, "paused", actor, because),))


def resumed(run: Run, actor: str, *, because: str = "") -> RunChange:
    """Return the run as it goes on.

    :raises Conflict: when it is not paused.
    """
    _open(run)
    if run.state != "paused":
        raise Conflict(f"{run.id} is not paused: it is {run.state}")
    on = placed(replace(run, state="running", said=""))
    return RunChange(on, (_on_run(run, "resumed", actor, because),))


def cancelled(run: Run, actor: str, at: datetime, *, because: str = "", undo: bool = True) -> RunChange:
    """Return the run on its way back: what it did is taken back in reverse order, or left where `undo` is False.

    Where an act is under way, its outcome is waited for first.

    :raises Conflict: when it has ended, or when what is to be taken back is not known.
    """
    _open(run)
    here = here_of(run)
    if here.state == "unknown" and undo:
        raise Conflict(
            f"nobody knows whether step '{here.step}' of {run.id} took effect; say it first, or cancel without undo"
        )
    if run.cancelling == "undo" and undo and run.state != "stopped":
        raise Conflict(f"{run.id} is cancelled already: {_where(run)}")
    wish: Cancelling = "undo" if undo else "leave"
    said = f"cancelled by {actor}" + (f": {because}" if because else "")
    asked = replace(run, cancelling=wish, said=said)
    entry = replace(_on_run(run, "cancelled", actor, because), body={"undo": undo, "because": because})
    if here.state == "acting":
        going = placed(replace(asked, state="running"))
        return RunChange(replace(going, said=f"{said}; as soon as the act under way is known"), (entry,))
    if here.state in ("active", "waiting"):
        asked = ended(asked, "skipped", at, detail=said)
    return RunChange(asked, (entry,)).then(cancelled_now(replace(asked, state="running"), at))


def retried(run: Run, actor: str, at: datetime, *, step: str = "", because: str = "") -> RunChange:
    """Return a stopped run at the same step once more: another visit, with another key.

    :raises Conflict: when it has not stopped there.
    """
    here = _stopped(run, "retry", step)
    entry = event(run, "retried", because, actor=actor, mark=str(run.version), body={"because": because})
    asked = replace(run, state="running", said="")
    if here.undoes:
        return RunChange(asked, (entry,)).then(cancelled_now(asked, at))
    return RunChange(asked, (entry,)).then(arrived(replace(asked, cancelling=""), here.step, at))


def skipped(run: Run, actor: str, at: datetime, *, step: str = "", because: str = "") -> RunChange:
    """Return the run past the step where it stopped, or where it waits for no consent.

    :raises Conflict: for a consent, an act under way or unknown, and when the run is not at this step.
    """
    _open(run)
    here, kind = here_of(run), step_of(run).kind
    _at(run, step, "skip")
    if kind == "approve" and not here.undoes:
        raise Conflict(f"step '{here.step}' of {run.id} asks for consent, which cannot be skipped; cancel the run")
    if run.state != "stopped" and not (here.state in ("active", "waiting") and here.is_begun):
        raise Conflict(f"step '{here.step}' of {run.id} cannot be skipped now: {_where(run)}")
    said = f"skipped by {actor}" + (f": {because}" if because else "")
    past = ended(replace(run, said="", state=_going(run)), "skipped", at, detail=said, by=actor)
    entry = event(past, "skipped", because, actor=actor, mark=str(run.version), body={"because": because})
    after = cancelled_now(past, at) if here.undoes else went_on(past, at)
    return RunChange(past, (entry,)).then(after)


def settled(run: Run, actor: str, at: datetime, *, took_effect: bool, step: str = "", because: str = "") -> RunChange:
    """Return the run after a person said whether an act took effect of which nobody knew.

    :raises Conflict: when that is known.
    """
    _open(run)
    here = _at(run, step, "settle")
    if here.state != "unknown":
        raise Conflict(f"what became of step '{here.step}' of {run.id} is known: {_where(run)}")
    said = f"{'it took effect' if took_effect else 'it did not take effect'}, says {actor}"
    said += f": {because}" if because else ""
    return known(run, Outcome("done" if took_effect else "failed", said), at, actor=actor, because=because)


def _going(run: Run) -> RunState:
    return "paused" if run.state == "paused" else "running"


def _on_run(run: Run, kind: str, actor: str, because: str) -> RunEvent:
    body = {"because": because} if because else {}
    return RunEvent(kind, detail=because, actor=actor, body=body, mark=str(run.version))


def _open(run: Run) -> None:
    if not run.is_open:
        when = f" at {run.ended_at:%Y-%m-%d %H:%M} UTC" if run.ended_at else ""
        raise Conflict(f"{run.id} is {run.state}: it ended{when}")


def _at(run: Run, step: str, act: str) -> Visit:
    """Return where the run is, if that is the step that the person meant."""
    here = here_of(run)
    if step and step != here.step:
        if step not in {each.step for each in run.runbook.steps}:
            raise Conflict(f"runbook '{run.runbook.runbook}' has no step '{step}'; {run.id} is at '{here.step}'")
        before = next((each for each in reversed(run.visits) if each.step == step), None)
        known_as = f"it is {before.state.replace('_', ' ')}" if before else "it is not reached yet"
        raise Conflict(f"step '{step}' of {run.id} cannot be {_PAST[act]} now: {known_as}, and {_where(run)}")
    return here


_PAST = {
    "tick": "ticked", "approve": "approved", "refuse": "refused", "retry": "retried", "skip": "skipped",
    "settle": "settled",
}  # fmt: skip


def _stopped(run: Run, act: str, step: str) -> Visit:
    _open(run)
    here = _at(run, step, act)
    if run.state != "stopped":
        raise Conflict(f"{run.id} has not stopped: {_where(run)}")
    return here


def _waiting(run: Run, kind: str, act: str, step: str, at: datetime) -> Visit:
    _open(run)
    here = _at(run, step, act)
    if step_of(run).kind != kind or here.undoes:
        raise Conflict(f"there is nothing to {act}: {_where(run)}")
    if here.state != "waiting":
        raise Conflict(f"step '{here.step}' of {run.id} cannot be {_PAST[act]} now: {_where(run)}")
    if here.deadline is not None and at > here.deadline:
        raise Conflict(f"step '{here.step}' of {run.id} timed out at {here.deadline:%Y-%m-%d %H:%M:%S} UTC")
    return here


def _where(run: Run) -> str:
    here = here_of(run)
    state = here.state.replace("_", " ") if here.is_begun else "about to begin"
    detail = f" ({here.detail})" if here.detail else ""
    return f"{run.id} is at step '{here.step}', which is {state}{detail}"
