"""The requests by which runs ask for consent: rows that every channel lists, kept in step with where each run is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import NEVER, Approval, ApprovalKind, ApprovalState, decided
from governance.core.run import Run, Visit
from governance.core.run_acts import excluded
from governance.core.runbook import Consent
from governance.core.switch import Scope
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import who_may
from governance.engine.second_persons import second_persons, wanted
from governance.store import approvals
from governance.views import ApprovalView

if TYPE_CHECKING:
    from sqlalchemy import Connection

KIND: ApprovalKind = "runbook.approve"


def follow(connection: Connection, run: Run, at: datetime) -> None:
    """Ask for what a run waits for, note who consented, and close what it no longer waits for; once after each change.

    To be called in the transaction that writes the run.
    """
    known = [each for each in approvals.listed(connection, model=run.model, kind=KIND) if each.run == run.id]
    here = asking(run)
    wanted = (here.step, here.number) if here is not None else None
    over = [each for each in known if (each.step, each.visit) != wanted]
    approvals.save(connection, [_closed(each, run, at) for each in over])
    mine = next((each for each in known if (each.step, each.visit) == wanted), None)
    if here is None:
        return
    if mine is None:
        approvals.add(connection, _request(approvals.next_id(connection), run, here))
    elif mine.answered_by != consented(here) or mine.until != (here.deadline or NEVER):
        approvals.save(connection, [_request(mine.id, run, here)])


def asking(run: Run) -> Visit | None:
    """Return where a run waits for consent, None where it does not."""
    here, step = run.here, run.step
    waits = run.is_open and here is not None and here.state == "waiting"
    return here if waits and step is not None and step.approve is not None else None


def consented(visit: Visit) -> tuple[str, ...]:
    """Return who said yes to a step so far."""
    return tuple(each.actor for each in visit.answers if each.approved)


def barred(run: Run, consent: Consent) -> tuple[str, ...]:
    """Return whose consent does not count."""
    starter = excluded(run, consent)
    return (starter,) if starter else ()


def able(engine: Engine, run: Run, visit: Visit) -> tuple[str, ...]:
    """Return who may still consent at a step of a run."""
    step = next(each for each in run.runbook.steps if each.step == visit.step)
    if step.approve is None:
        return ()
    answered = {each.actor for each in visit.answers}
    return tuple(each for each in eligible(engine, run, step.approve) if each not in answered)


def eligible(engine: Engine, run: Run, consent: Consent) -> tuple[str, ...]:
    """Return whose consent a step of a run would count."""
    out = barred(run, consent)
    found = who_may(engine, "runbook.approve", run.model, role=consent.role)
    return tuple(each for each in found if each not in out)


def pending(engine: Engine, at: datetime) -> list[ApprovalView]:
    """Return what runs ask for, oldest first; those whose time is over are left to the engine to close."""
    with engine.database.read() as connection:
        found = approvals.listed(connection, kind=KIND)
    return [view(engine, each) for each in found if at <= each.until]


def request_at(connection: Connection, run: Run) -> Approval | None:
    """Return the request that a run waits on now, None where there is none."""
    here = asking(run)
    if here is None:
        return None
    found: Sequence[Approval] = approvals.listed(connection, model=run.model, kind=KIND)
    wanted = (run.id, here.step, here.number)
    return next((each for each in found if (each.run, each.step, each.visit) == wanted), None)


def view(engine: Engine, request: Approval) -> ApprovalView:
    """Return a request as it is shown, with who may answer it."""
    return ApprovalView(
        id=request.id,
        kind=request.kind,
        model=request.model,
        text=request.text,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        expires_at=None if request.until == NEVER else request.until,
        state=request.state,
        who_may=list(second_persons(engine, wanted(request))),
        run=request.run,
        step=request.step,
    )


def _request(name: str, run: Run, here: Visit) -> Approval:
    step = next(each for each in run.runbook.steps if each.step == here.step)
    consent = step.approve
    assert consent is not None  # it is where the run asks  # noqa: S101
    return Approval(
        name,
        KIND,
        run.model,
        Scope(),
        0,
        run.started_by,
        here.began_at,
        asked(run, here),
        here.deadline or NEVER,
        authors=barred(run, consent),
        run=run.id,
        step=here.step,
        visit=here.number,
        people=consent.people,
        role=consent.role,
        answered_by=consented(here),
    )


def asked(run: Run, here: Visit) -> str:
    """Return in words what is asked for: the question of the step, or else which run goes on, and with what."""
    if here.text:
        return here.text
    names = [each.step for each in run.runbook.steps]
    following = run.runbook.steps[names.index(here.step) + 1 :][:1]
    then = f" with {following[0].step}" if following else ""
    what = f" ({following[0].act})" if following and following[0].act else ""
    return f"let {run.id} ({run.runbook.runbook} of {run.model}) go on{then}{what}: {run.because or run.rule}"


def _closed(request: Approval, run: Run, at: datetime) -> Approval:
    """Return a request as it ended: by who answered, or by what happened to the run meanwhile."""
    visit = next((each for each in run.visits if (each.step, each.number) == (request.step, request.visit)), None)
    if visit is None:
        return decided(request, "voided", actor=entries.ENGINE, at=at, said=f"{run.id} is {run.state}")
    last = visit.answers[-1] if visit.answers else None
    if last is not None and not last.approved:
        return decided(
            request, "refused", actor=last.actor, at=last.at, said=last.because or f"refused by {last.actor}"
        )
    state: ApprovalState = "approved" if visit.state == "done" else "voided"
    if state == "approved" and last is not None:
        return decided(request, state, actor=last.actor, at=last.at, said=f"approved by {', '.join(consented(visit))}")
    words = {"timed_out": "nobody answered in time", "skipped": f"{visit.by or 'somebody'} skipped the step"}
    said = words.get(visit.state, f"{run.id} is {run.state}")
    return decided(request, "voided", actor=visit.by or entries.ENGINE, at=at, said=said)
