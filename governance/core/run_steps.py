"""What the engine does with a run: it begins steps, judges conditions, records outcomes, and lets time pass."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.performance import Outcome
from governance.core.run import Run, Visit
from governance.core.run_change import (
    ENGINE,
    RunChange,
    RunEvent,
    arrived,
    cancelled_now,
    ended,
    event,
    failed_on,
    here_of,
    moved,
    placed,
    step_of,
    stopped_here,
    waits_for_people,
    went_on,
)
from governance.core.runbook import Retry
from governance.errors import Conflict

LOOK_AGAIN = timedelta(seconds=30)
"""How often a condition that does not hold yet is looked at again."""
LONGEST_WAIT = timedelta(hours=1)
"""How long the other side may ask us to wait before an act is tried again."""
JITTER = 0.2
REPEATS = 3
"""How often an act without `retry` is asked again whose outcome is unknown, where the other side drops repeats."""
Move = Literal["enter", "judge", "try", "perform", "time_out"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a condition holds, None where data are missing; `said` explains it with the values that it rests on."""

    holds: bool | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when a step begins: its conditions judged, its texts rendered, and who may answer it.

    `when` and `check` are None where the step has none. `trouble` says why it cannot be begun: a value is missing.
    """

    when: Judgement | None = None
    check: Judgement | None = None
    text: str = ""
    asked: Mapping[str, object] = field(default_factory=dict)
    people: tuple[str, ...] = ()
    trouble: str = ""


def begun(run: Run, at: datetime) -> RunChange:
    """Return a new run at its first step."""
    body = {
        "because": run.because,
        "mode": run.mode,
        "parameters": dict(run.parameters),
        **({"rule": run.rule} if run.rule else {}),
        **({"labels": dict(run.labels)} if run.labels else {}),
    }
    started = RunEvent("started", detail=run.because, actor=run.started_by, body=body)
    return RunChange(run, (started,)).then(arrived(run, run.runbook.steps[0].step, at))


def wanted(run: Run, at: datetime) -> Move | None:
    """Return what the engine has to do with a run at this time, None for nothing; an act under way is `perform`."""
    here, step = run.here, run.step
    if here is None or step is None or run.state not in ("running", "waiting", "undoing", "paused"):
        return None
    if here.state == "acting":
        return "perform"
    over = here.deadline is not None and at >= here.deadline
    if here.state == "waiting" or run.state == "paused":
        return "time_out" if over else None
    if here.next_at is None or at < here.next_at:
        return "time_out" if over and step.kind != "check" else None
    return _move(here, step.kind == "check", over=over)


def _move(here: Visit, check: bool, *, over: bool) -> Move:  # noqa: FBT001
    if not here.is_begun:
        return "enter"
    if check and not here.undoes:
        return "judge"  # once more at its deadline, too
    return "time_out" if over else "try"


def entered(run: Run, facts: Facts, at: datetime) -> RunChange:
    """Return the run with the step begun where it has arrived: skipped, waiting, under way, or done already.

    :raises Conflict: when that is begun.
    """
    here, step = here_of(run), step_of(run)
    if here.is_begun:
        raise Conflict(f"step '{here.step}' of {run.id} is begun already")
    if facts.when is not None and facts.when.holds is not True and not here.undoes:
        said = facts.when.said or "its condition does not hold"
        passed = ended(run, "skipped", at, detail=said, text=facts.text)
        return RunChange(passed, (event(passed, "step_skipped", said),)).then(went_on(passed, at, aside=True))
    if facts.trouble:
        return _failed(moved(run, text=facts.text), facts.trouble, at)
    if run.mode == "dry_run" and step.kind in ("instruct", "approve", "wait", "notify"):
        return _rehearsed(run, facts, at)
    deadline = at + step.timeout if step.timeout is not None and not here.undoes else None
    now = moved(run, text=facts.text, deadline=deadline, attempts=1)
    match "act" if here.undoes else step.kind:
        case "act":
            key = here.key or f"{run.mark}/{here.step}/{here.number}"
            acting = placed(moved(now, key=key, asked=dict(facts.asked), state="acting", next_at=at))
            return RunChange(acting, (_intent(acting, facts.text),))
        case "check":
            first = moved(now, attempts=0)
            return RunChange(first, (_intent(first, facts.text),)).then(
                judged(first, facts.check or Judgement(None, "it was not judged"), at)
            )
        case "notify":
            return _done(now, facts.text, at)
        case "wait":
            assert step.wait is not None  # noqa: S101 (a step of this kind says how long)
            waiting = placed(moved(now, state="waiting", next_at=None, deadline=at + step.wait))
            return RunChange(waiting, (_intent(waiting, facts.text),))
        case _:
            waiting = placed(moved(now, state="waiting", next_at=None))
            return RunChange(waiting, (_intent(waiting, facts.text),))


def judged(run: Run, judgement: Judgement, at: datetime) -> RunChange:
    """Return the run after a look at the condition where it is: done, or looked at again until the time is over."""
    here, said = here_of(run), judgement.said
    if judgement.holds:
        return _done(run, said, at)
    if run.mode == "dry_run":
        word = "does not hold" if judgement.holds is False else "cannot be judged"
        return _done(run, f"noted in the dry run: it {word}: {said}", at)
    if here.deadline is None:
        return _failed(run, said, at)
    if at >= here.deadline:
        return _timed_out(moved(run, detail=said), at)
    again = min(at + LOOK_AGAIN, here.deadline)
    return RunChange(placed(moved(run, attempts=here.attempts + 1, next_at=again, detail=said)))


def tried(run: Run, at: datetime) -> RunChange:
    """Return the run with its act asked for once more, with the same key; of that there is one entry already."""
    here = here_of(run)
    if here.state != "active" or not here.is_begun:
        raise Conflict(f"step '{here.step}' of {run.id} is not to be tried again")
    return RunChange(placed(moved(run, state="acting", attempts=here.attempts + 1, next_at=at)))


def performed(run: Run, outcome: Outcome, at: datetime, *, repeats: bool = False) -> RunChange:
    """Return the run after an act: done, tried again later, failed, or stopped where nobody knows.

    `repeats`: the other side drops repeats by the key, so that the same may be asked again when nobody knows.

    :raises Conflict: when no act is under way, such as for an answer that comes too late.
    """
    here = here_of(run)
    if here.state != "acting":
        raise Conflict(f"no act of {run.id} is under way")
    if outcome.state == "done":
        return _done(run, outcome.detail, at, outputs=dict(outcome.outputs))
    unsure = outcome.state == "unknown" and run.mode == "live"
    if not run.cancelling and (repeats if unsure else outcome.again) and here.attempts < _most(run, unsure=unsure):
        return _again(run, outcome, at)
    if not unsure:
        return _failed(run, outcome.detail, at)
    lost = placed(ended(run, "unknown", at, detail=outcome.detail))
    return RunChange(replace(lost, said=outcome.detail), (event(lost, "step_unknown", outcome.detail, mark=_nth(run)),))


def known(run: Run, outcome: Outcome, at: datetime, *, actor: str, because: str) -> RunChange:
    """Return the run after somebody said what became of an act of which nobody knew: it took effect, or it did not.

    What did not take effect is tried again as the same visit, with the same key.
    """
    here = here_of(run)
    settled = event(run, "settled", outcome.detail, actor=actor, mark=_nth(run), body={"because": because})
    if outcome.state == "done":
        return RunChange(run, (settled,)).then(_done(moved(run, by=actor), outcome.detail, at))
    back = moved(run, state="active", ended_at=None, next_at=at, detail=outcome.detail)
    if run.cancelling and not here.undoes:
        return RunChange(run, (settled,)).then(cancelled_now(ended(back, "failed", at), at))
    return RunChange(placed(replace(back, state="running", said="")), (settled,))


def timed_out(run: Run, at: datetime) -> RunChange:
    """Return the run after the deadline of the step where it is; a wait is over then, all else took too long.

    :raises Conflict: when it is not.
    """
    here, step = here_of(run), step_of(run)
    if here.deadline is None or at < here.deadline or here.state not in ("active", "waiting"):
        raise Conflict(f"step '{here.step}' of {run.id} is not over its time")
    return _done(run, here.text, at) if step.kind == "wait" else _timed_out(run, at)


def done_by(run: Run, at: datetime, *, actor: str, detail: str, body: Mapping[str, object] | None = None) -> RunChange:
    """Return the run with the step done by a person."""
    return _done(moved(run, by=actor), detail, at, body=body)


def failed_by(run: Run, detail: str, at: datetime, *, actor: str) -> RunChange:
    """Return the run with the step failed by what a person said."""
    return _failed(moved(run, by=actor), detail, at)


def broken(run: Run, said: str, at: datetime) -> RunChange:
    """Return the run stopped by what nobody foresaw, so that a person sees it and the other runs go on."""
    here = here_of(run)
    if here.state == "acting":
        return performed(run, Outcome("unknown", said, again=False), at)
    failed = ended(run, "failed", at, detail=said)
    return RunChange(failed, (event(failed, "step_failed", said, mark=_nth(run)),)).then(stopped_here(failed))


def retry_after(retry: Retry | None, key: str, attempts: int, outcome: Outcome) -> timedelta:
    """Return how long to wait after so many attempts: the backoff, doubled each time, a fifth more or less.

    The key decides how much, so that the same act waits equally long wherever it is computed. What the other side
    asked for is respected, up to an hour.
    """
    backoff: timedelta = (retry or Retry()).backoff * 2 ** min(attempts - 1, 20)
    digest = hashlib.sha256(f"{key}#{attempts}".encode()).digest()
    share = int.from_bytes(digest[:4], "big") / 2**32
    spread: timedelta = min(backoff, LONGEST_WAIT) * (1 - JITTER + 2 * JITTER * share)
    return max(spread, min(outcome.wait or timedelta(), LONGEST_WAIT))


def _most(run: Run, *, unsure: bool) -> int:
    """Return how many attempts are made in all."""
    step = step_of(run)
    return 1 + (step.retry.times if step.retry is not None else REPEATS - 1 if unsure else 0)


def _again(run: Run, outcome: Outcome, at: datetime) -> RunChange:
    here, step = here_of(run), step_of(run)
    due = at + retry_after(step.retry, here.key, here.attempts, outcome)
    later = placed(moved(run, state="active", next_at=due, detail=outcome.detail))
    return RunChange(later, (event(later, "step_failed", outcome.detail, mark=_nth(run), body={"again_at": due}),))


def _done(
    run: Run,
    detail: str,
    at: datetime,
    *,
    outputs: Mapping[str, object] | None = None,
    body: Mapping[str, object] | None = None,
) -> RunChange:
    here = here_of(run)
    done = ended(run, "done", at, detail=detail, outputs={**here.outputs, **(outputs or {})})
    if here.undoes:
        return _taken_back(done, detail, at)
    more = {**(body or {}), **({"outputs": outputs} if outputs else {})}
    said = event(done, "step_done", detail, actor=here.by or ENGINE, body=more)
    return RunChange(done, (said,)).then(went_on(done, at))


def _taken_back(run: Run, detail: str, at: datetime) -> RunChange:
    here = here_of(run)
    visits = tuple(
        replace(each, state="undone")
        if (each.step, each.number) == (here.step, here.number) and not each.undoes and each.state == "done"
        else each
        for each in run.visits
    )
    back = replace(run, visits=visits)
    return RunChange(back, (event(back, "undone", detail),)).then(cancelled_now(back, at))


def _failed(run: Run, detail: str, at: datetime) -> RunChange:
    here, step = here_of(run), step_of(run)
    failed = ended(run, "failed", at, detail=detail)
    said = event(failed, "step_failed", detail, mark=_nth(run), actor=here.by or ENGINE)
    after = stopped_here(failed) if here.undoes else failed_on(failed, at, step.on_failure)
    return RunChange(failed, (said,)).then(after)


def _timed_out(run: Run, at: datetime) -> RunChange:
    here, step = here_of(run), step_of(run)
    detail = here.detail or ("nobody answered in time" if waits_for_people(run) else "it took too long")
    late = ended(run, "timed_out", at, detail=detail)
    said = event(late, "step_timed_out", detail, body={"deadline": here.deadline})
    return RunChange(late, (said,)).then(failed_on(late, at, step.on_timeout or step.on_failure))


def _rehearsed(run: Run, facts: Facts, at: datetime) -> RunChange:
    """Pass over what only a live run asks of people, saying what that would be."""
    step = step_of(run)
    need = step.approve.people if step.approve is not None else 1 if step.kind == "instruct" else 0
    if len(facts.people) < need:
        who = f"only {', '.join(facts.people)} may" if facts.people else "nobody may"
        return _failed(run, f"it would need {need} to answer, and {who}", at)
    people = f": {', '.join(facts.people)}" if facts.people else ""
    word = {"instruct": "would ask", "approve": "would ask for the consent of", "wait": "would wait"}.get(
        step.kind, "would tell"
    )
    count = f" {need} of" if need > 1 else ""
    said = f"{word}{count}{people.removeprefix(':')}" if people else f"{word}: {facts.text}"
    passed = ended(run, "skipped", at, detail=said, text=facts.text)
    return RunChange(passed, (event(passed, "step_skipped", said),)).then(went_on(passed, at))


def _intent(run: Run, text: str) -> RunEvent:
    here, step = here_of(run), step_of(run)
    act = (step.undo.act if step.undo else "") if here.undoes else step.act
    body = {
        "does": "act" if here.undoes else step.kind,
        **({"act": act, "with": dict(here.asked)} if act else {}),
        **({"deadline": here.deadline} if here.deadline else {}),
    }
    return event(run, "step_begun", text, mark=here.key if here.undoes else "", body=body)


def _nth(run: Run) -> str:
    here = here_of(run)
    return f"{'undo ' if here.undoes else ''}{here.key} {here.attempts}"
