"""The consent that a run asks for: given or refused by people who hold the role, none of whom started it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from governance.core.approval import ANSWERED_WITH, Approval
from governance.core.authority import Act, Actor
from governance.core.run import Answer, Run
from governance.core.run_acts import answered, excluded
from governance.core.run_change import RunChange
from governance.core.runbook import Consent, Step
from governance.engine.answering.act import since
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted
from governance.engine.running import consenting
from governance.engine.running.acting import Asked, RunDone, act, not_counted
from governance.errors import Conflict, InvalidDocument
from governance.store import approvals, runs

ACT: Act = "runbook.approve"


def approve(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str = "", step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Consent to what a run asks for; the step that asks is the one where it is, unless `step` names another.

    :raises NotFound: when there is no such run.
    :raises Denied: when the actor does not hold the role of the step, or started the run.
    :raises Conflict: when it does not count: given before, too early, too late, or not needed any more.
    """
    return _answer(engine, Asked(run, ACT, actor, at, version, step, because), approved=True)


def refuse(
    engine: Engine, run: str, *, actor: Actor | str, at: datetime, because: str, step: str = "",
    version: int | None = None,
) -> RunDone:  # fmt: skip
    """Refuse what a run asks for, for everybody; the step has failed then. Raises as `approve` does.

    :raises InvalidDocument: when nothing is said.
    """
    _check_reason(because)
    return _answer(engine, Asked(run, ACT, actor, at, version, step, because), approved=False)


def approve_request(
    engine: Engine, request: str, *, actor: Actor | str, at: datetime, because: str = ""
) -> tuple[RunDone, Approval]:
    """Consent by the id of what asks, and return it as it is now; raises as `approve` does."""
    known = _request(engine, request)
    asked = Asked(known.run, ACT, actor, at, None, known.step, because, request=known)
    return _answer(engine, asked, approved=True), _request(engine, request)


def refuse_request(
    engine: Engine, request: str, *, actor: Actor | str, at: datetime, because: str
) -> tuple[RunDone, Approval]:
    """Refuse by the id of what asks, and return it as it is now; raises as `refuse` does."""
    _check_reason(because)
    known = _request(engine, request)
    asked = Asked(known.run, ACT, actor, at, None, known.step, because, request=known)
    return _answer(engine, asked, approved=False), _request(engine, request)


def _check_reason(because: str) -> None:
    if not because.strip():
        raise InvalidDocument("because: say why, whoever reads the log must know")


def _request(engine: Engine, request: str) -> Approval:
    with engine.database.read() as connection:
        known = approvals.get(connection, request)
    if known.kind != consenting.KIND:
        raise Conflict(
            f"{request} is asked for by no run; answer it with {ANSWERED_WITH[known.kind]} approve or refuse"
        )
    return known


def _whole(engine: Engine, asked: Asked) -> Asked:
    """Return what is asked with the step that it is about, and the role that this step asks for."""
    with engine.database.read() as connection:
        run = runs.get(connection, asked.run)
    step = _step(run, asked.step)
    if step is None or step.approve is None:
        return asked
    return replace(asked, step=step.step, role=step.approve.role)


def _step(run: Run, name: str) -> Step | None:
    """Return the step that is meant: that of the name, or where the run is, or else the next that asks for consent."""
    steps = run.runbook.steps
    if name:
        return next((each for each in steps if each.step == name), None)
    here = run.step
    if here is None or here.approve is not None:
        return here
    return next((each for each in steps[steps.index(here) :] if each.approve is not None), here)


def _answer(engine: Engine, given: Asked, *, approved: bool) -> RunDone:
    asked = _whole(engine, given)
    answer = Answer(asked.who, asked.at, approved, asked.because, asked.channel)

    def change(run: Run) -> RunChange:
        return answered(run, answer, step=asked.step)

    return act(engine, asked, change, lambda run: _check(engine, asked, run))


def _check(engine: Engine, asked: Asked, run: Run) -> None:
    """Refuse the starter, and an answer to what is asked for no more."""
    step, here = _step(run, asked.step), run.here
    consent = step.approve if step is not None and step.approve is not None else Consent()
    if asked.who == excluded(run, consent):
        others = consenting.able(engine, run, here) if here is not None and consenting.asking(run) else ()
        who = ", ".join(others) or "somebody else who holds the role"
        said = f"{asked.who} started {run.id}; somebody else must consent: {who}"
        rule = "who started a run does not consent"
        raise NotPermitted(engine, asked.actor, asked.act, run.model, rule, said, asked.about(run), asked.role)
    request = asked.request
    if request is None:
        return
    if request.state != "pending":
        when = since(request.decided_at or request.requested_at, asked.at)
        raise not_counted(engine, asked, run, f"{request.id} was {request.state} at {when}: {request.said}")
    if here is not None and here.step == request.step and here.number != request.visit:
        raise not_counted(engine, asked, run, f"{request.id} is over: {run.id} asks anew")
