"""A version that asks less of a model of tier 1 waits for a second person; the version before rules meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import ANSWERED_WITH, LOOSEN_WITHIN, Approval, ApprovalKind, decided
from governance.core.authority import Actor
from governance.core.comparison import Comparison
from governance.core.decision import Decision
from governance.core.policy_version import PolicyVersion
from governance.core.switch import Scope
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.sealing import sealed
from governance.engine.second_persons import permit_approving, permit_refusing, second_persons, wanted
from governance.errors import Conflict, InvalidDocument
from governance.store import approvals, decision_log, policy_versions
from governance.views import ApprovalView

if TYPE_CHECKING:
    from sqlalchemy import Connection

KIND: ApprovalKind = "policy.loosen"
_NAMED = 5


def ask(
    engine: Engine, version: PolicyVersion, documents: Mapping[str, str], difference: Comparison, at: datetime
) -> None:
    """Store a version and ask for its second person, unless somebody refused just this one before."""
    withdraw(engine, at, f"version {version.version} took its place")
    with engine.database.read() as connection:
        last = next(iter(policy_versions.listed(connection, 1)), None)
        refused = _refused(connection, last) if last is not None and last.digest == version.digest else None
    if refused is not None:
        engine.standing.refused = f"version {version.version} was refused by {refused.decided_by}: {refused.said}"
        return
    with engine.database.transaction() as connection:
        request = _request(connection, version, difference, at)
        waiting = replace(version, number=policy_versions.next_number(connection), approval=request.id)
        policy_versions.add(connection, waiting, documents)
        approvals.add(connection, request)
        decision_log.append(connection, [_entry(request, "policy.approval_requested", at, version.origin.actor)])
    engine.standing.waiting, engine.standing.refused = waiting, ""
    decision_log.seal(engine.database, at)


def approve(engine: Engine, approval: str, *, actor: Actor | str, at: datetime) -> int:
    """Be the second person of a version, and return the number of the entry; it rules from the engine's next beat on.

    :raises NotFound: when there is no such request.
    :raises Denied: when the actor may not for each of the models, or made the version.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    with engine.database.transaction() as connection:
        request = _pending(connection, approval, at)
        permit_approving(engine, actor, wanted(request))
        answered = decided(request, "approved", actor=str(actor), at=at, said=f"approved by {actor}")
        decision = _answer(connection, answered, "policy.approved", at, actor)
    return sealed(engine, decision.id, at)


def refuse(engine: Engine, approval: str, *, actor: Actor | str, because: str, at: datetime) -> int:
    """Decline a version and return the number of the entry; who made it may take it back.

    :raises NotFound: when there is no such request.
    :raises Denied: when the actor may not approve it either.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    if not because.strip():
        raise InvalidDocument("say why (--because): whoever reads the log must know")
    with engine.database.transaction() as connection:
        request = _pending(connection, approval, at)
        permit_refusing(engine, actor, wanted(request))
        answered = decided(request, "refused", actor=str(actor), at=at, said=because)
        decision = _answer(connection, answered, "policy.refused", at, actor)
        _save_version(connection, request.id)
    return sealed(engine, decision.id, at)


def withdraw(engine: Engine, at: datetime, why: str) -> None:
    """Let nothing wait any more: what waited is no longer what is wanted, or nobody answered."""
    engine.standing.waiting, engine.standing.refused = None, ""
    with engine.database.read() as connection:
        if not approvals.listed(connection, kind=KIND) and policy_versions.waiting(connection) is None:
            return
    with engine.database.transaction() as connection:
        waiting = policy_versions.waiting(connection)
        for each in approvals.listed(connection, kind=KIND):  # read anew: somebody may just have answered
            _answer(connection, decided(each, "voided", actor=entries.ENGINE, at=at, said=why), "policy.voided", at)
        if waiting is not None:
            policy_versions.save(connection, replace(waiting, state="withdrawn"))
    decision_log.seal(engine.database, at)


def pending(engine: Engine, at: datetime) -> list[ApprovalView]:
    """Return the versions that wait for a second person."""
    with engine.database.read() as connection:
        found = approvals.listed(connection, kind=KIND)
    return [view(engine, each) for each in found if at <= each.until]


def view_of(engine: Engine, approval: str) -> ApprovalView:
    """Return a request as it is shown, whatever became of it.

    :raises NotFound: when there is none of that id.
    """
    with engine.database.read() as connection:
        return view(engine, approvals.get(connection, approval))


def view(engine: Engine, request: Approval) -> ApprovalView:
    """Return a request as it is shown, with who may answer it."""
    return ApprovalView(
        id=request.id,
        kind="policy",
        model=request.model,
        text=request.text,
        requested_by=request.requested_by,
        requested_at=request.requested_at,
        expires_at=request.until,
        state=request.state,
        who_may=list(second_persons(engine, wanted(request))),
    )


def _request(connection: Connection, version: PolicyVersion, difference: Comparison, at: datetime) -> Approval:
    loosened = difference.loosened
    models = tuple(dict.fromkeys(each.model for each in loosened))
    named = [each.words for each in loosened[:_NAMED]]
    more = f" and {len(loosened) - _NAMED} more" if len(loosened) > _NAMED else ""
    return Approval(
        approvals.next_id(connection),
        "policy.loosen",
        models[0] if len(models) == 1 else "",
        Scope(),
        0,
        version.origin.by or version.origin.how,
        at,
        f"{'; '.join(named)}{more} ({version.origin.words})",
        at + LOOSEN_WITHIN,
        version=version.version,
        models=models,
        authors=version.origin.authors,
    )


def _pending(connection: Connection, approval: str, at: datetime) -> Approval:
    request = approvals.get(connection, approval)
    if request.kind != KIND:
        said = f"{approval} is not about the policies"
        raise Conflict(f"{said}; answer it with {ANSWERED_WITH[request.kind]} approve or refuse")
    if request.state != "pending":
        when = f"{request.decided_at:%Y-%m-%d %H:%M} UTC" if request.decided_at else "an unknown time"
        raise Conflict(f"{approval} was {request.state} at {when}: {request.said}")
    if request.until < at:
        raise Conflict(f"{approval} ran out at {request.until:%Y-%m-%d %H:%M} UTC")
    return request


def _answer(connection: Connection, answered: Approval, kind: str, at: datetime, actor: Actor | str = "") -> Decision:
    approvals.save(connection, [answered])
    decision = _entry(answered, kind, at, actor)
    decision_log.append(connection, [decision])
    return decision


def _save_version(connection: Connection, approval: str) -> None:
    waiting = policy_versions.waiting(connection)
    if waiting is not None and waiting.approval == approval:
        policy_versions.save(connection, replace(waiting, state="withdrawn"))


def _refused(connection: Connection, version: PolicyVersion) -> Approval | None:
    if version.state != "withdrawn" or not version.approval:
        return None
    asked = approvals.get(connection, version.approval)
    return asked if asked.state == "refused" else None


def _entry(request: Approval, kind: str, at: datetime, actor: Actor | str) -> Decision:
    body = {
        "approval": request.id,
        "policy_version": request.version,
        "models": list(request.models),
        "because": request.because,
        "requested_by": request.requested_by,
        "authors": list(request.authors),
        "said": request.said,
        **entries.channel(actor),
    }
    about = {"approval": request.id, **({"model": request.model} if request.model else {})}
    identity = entries.identity("approval", request.id, request.state)
    return Decision(at, kind, request.decided_by or request.requested_by, about, body, identity)
