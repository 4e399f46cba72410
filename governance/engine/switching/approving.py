"""Answer a restore that waits for its second person: somebody else than who asked, on the state that was shown."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import ANSWERED_WITH, Approval, decided
from governance.core.authority import Actor, Allowed
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.sealing import sealed
from governance.engine.second_persons import permit_approving, permit_refusing, second_persons, wanted
from governance.engine.switching.change import Act, SwitchDone, check_reason, of_approval, write
from governance.engine.switching.restoring import check_seq, restored_to
from governance.engine.switching.trusting import require_sound
from governance.errors import Conflict
from governance.store import approvals, decision_log, switches
from governance.views import ApprovalView

if TYPE_CHECKING:
    from sqlalchemy import Connection


def approve(engine: Engine, approval: str, *, actor: Actor | str, at: datetime) -> SwitchDone:
    """Consent to a restore, which takes effect at once; the setting names who asked and who approved.

    :raises NotFound: when there is no such request.
    :raises Denied: when the actor may not, or asked for it; or when who asked may no longer.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    allowed = _permitted(engine, approval, actor)
    require_sound(engine)
    with engine.database.transaction() as connection:
        request = _waiting(connection, approval, at)
        permit(engine, request.requested_by, "switch.restore", request.model)
        before = switches.get(connection, request.model)
        check_seq(before, request.seq)
        answered = decided(request, "approved", actor=str(actor), at=at, said=f"approved by {actor}")
        approvals.save(connection, [answered])  # before the change, which voids what still waits
        decision_log.append(connection, [of_approval(answered, "switch.approved", at, actor)])
        after = restored_to(
            engine, request.model, request.scope, request.to, request.share,
            because=request.because, actor=request.requested_by, at=at, approved_by=str(actor),
        )  # fmt: skip
        details = {"approval": request.id, "approved_by": str(actor), "because_allowed": allowed.because}
        asked = Actor(request.requested_by, channel=request.channel)
        act = Act("switch.restored", asked, at, request.because, details)
        done = write(connection, engine, before, request.scope, after, act)
    return SwitchDone(done.switch, done.setting, sealed(engine, done.identity, at), allowed.because)


def refuse(engine: Engine, approval: str, *, actor: Actor | str, because: str, at: datetime) -> int:
    """Decline a restore and return the number of the entry; who asked may take it back.

    :raises NotFound: when there is no such request.
    :raises Denied: when the actor may not approve it either.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    with engine.database.read() as connection:
        request = approvals.get(connection, approval)
    _check_kind(request)
    permit_refusing(engine, actor, wanted(request))
    check_reason(because)
    with engine.database.transaction() as connection:
        answered = decided(_waiting(connection, approval, at), "refused", actor=str(actor), at=at, said=because)
        approvals.save(connection, [answered])
        decision = of_approval(answered, "switch.refused", at, actor)
        decision_log.append(connection, [decision])
    return sealed(engine, decision.id, at)


def pending(engine: Engine, at: datetime | None = None) -> list[ApprovalView]:
    """Return the requests that wait, oldest first; with `at` those that can still be answered then."""
    with engine.database.read() as connection:
        found = approvals.listed(connection, kind="switch.restore")
    return [approval_view(engine, each) for each in found if at is None or at <= each.until]


def request_of(engine: Engine, approval: str) -> Approval:
    """Return one request, whatever became of it.

    :raises NotFound: when there is none of that id.
    """
    with engine.database.read() as connection:
        return approvals.get(connection, approval)


def approval_view(engine: Engine, approval: Approval) -> ApprovalView:
    """Return a request as it is shown, with who may answer it."""
    return ApprovalView(
        id=approval.id,
        kind=approval.kind,
        model=approval.model,
        text=approval.text,
        requested_by=approval.requested_by,
        requested_at=approval.requested_at,
        expires_at=approval.until,
        state=approval.state,
        seq=approval.seq,
        who_may=list(second_persons(engine, wanted(approval))),
    )


def run_out(connection: Connection, at: datetime) -> None:
    """Void the requests that nobody answered in time."""
    late: Iterable[Approval] = (each for each in approvals.listed(connection, kind="switch.restore") if each.until < at)
    voided = [decided(each, "voided", actor="engine", at=at, said="nobody answered in time") for each in late]
    approvals.save(connection, voided)
    decision_log.append(connection, [of_approval(each, "switch.voided", at) for each in voided])


def _permitted(engine: Engine, approval: str, actor: Actor | str) -> Allowed:
    with engine.database.read() as connection:
        request = approvals.get(connection, approval)
    _check_kind(request)
    return permit_approving(engine, actor, wanted(request))


def _check_kind(request: Approval) -> None:
    if request.kind != "switch.restore":
        raise Conflict(f"{request.id} is no restore; answer it with {ANSWERED_WITH[request.kind]} approve or refuse")


def _waiting(connection: Connection, approval: str, at: datetime) -> Approval:
    request = approvals.get(connection, approval)
    _check_kind(request)
    if request.state != "pending":
        when = f"{request.decided_at:%Y-%m-%d %H:%M} UTC" if request.decided_at else "an unknown time"
        raise Conflict(f"{approval} was {request.state} at {when}: {request.said}; ask anew (gov switch restore)")
    if request.until < at:
        raise Conflict(f"{approval} ran out at {request.until:%Y-%m-%d %H:%M} UTC; ask anew (gov switch restore)")
    return request
