"""What waits for somebody's consent, of whichever kind: restores, waivers, policies that loosen, steps of runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core.approval import ApprovalKind
from governance.core.authority import Act, Actor
from governance.engine import consent, running, switching, waiving
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.running import consenting
from governance.engine.second_persons import answers_of
from governance.views import ApprovalView

WAIVER = "WVR-"
"""How the ids of waivers begin; all other requests are told apart by their kind."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request after its answer, and the number of the entry; `restores` when a kill switch moved by it."""

    approval: ApprovalView
    entry: int
    restores: bool = False


Answer = Callable[[Engine, str, Actor, datetime, str], Answered]


def pending_for(engine: Engine, who: Actor, at: datetime) -> list[ApprovalView]:
    """Return all that waits, each with whether who looks may approve and refuse it, and why or why not."""
    answers = answers_of(engine, who, at)
    return [each.model_copy(update={"may": answers(each.id)}) for each in pending(engine, at)]


def pending(engine: Engine, at: datetime) -> list[ApprovalView]:
    """Return all that waits and can still be answered."""
    asked = [*switching.pending(engine, at), *waiving.pending(engine, at)]
    return [*asked, *consent.pending(engine, at), *consenting.pending(engine, at)]


def approve(engine: Engine, approval: str, *, actor: Actor, at: datetime, because: str = "") -> Answered:
    """Be the second person; what was asked for takes effect at once, policies at the next beat. Runs note why.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor asked for it, had a part in it, or may not.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    answer = _approve_waiver if approval.startswith(WAIVER) else _APPROVE[switching.request_of(engine, approval).kind]
    return answer(engine, approval, actor, at, because)


def refuse(engine: Engine, approval: str, *, actor: Actor, at: datetime, because: str) -> Answered:
    """Refuse to be the second person, for everybody; who asked may take it back.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor may not.
    :raises Conflict: when it was answered or voided, or has run out.
    """
    answer = _refuse_waiver if approval.startswith(WAIVER) else _REFUSE[switching.request_of(engine, approval).kind]
    return answer(engine, approval, actor, at, because)


def _approve_waiver(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    del because
    done = waiving.approve(engine, approval, actor=actor, at=at)
    return Answered(done.view, done.entry)


def _refuse_waiver(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    done = waiving.refuse(engine, approval, actor=actor, because=because, at=at)
    return Answered(done.view, done.entry)


def _approve_restore(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    del because
    permit(engine, actor, "switch.approve", switching.request_of(engine, approval).model)
    done = switching.approve(engine, approval, actor=actor, at=at)
    return Answered(_restore(engine, approval), done.entry, restores=True)


def _refuse_restore(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    request = switching.request_of(engine, approval)
    act: Act = "switch.restore" if actor.id == request.requested_by else "switch.approve"
    permit(engine, actor, act, request.model)
    entry = switching.refuse(engine, approval, actor=actor, because=because, at=at)
    return Answered(_restore(engine, approval), entry)


def _restore(engine: Engine, approval: str) -> ApprovalView:
    return switching.approval_view(engine, switching.request_of(engine, approval))


def _approve_version(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    del because
    entry = consent.approve(engine, approval, actor=actor, at=at)
    return Answered(consent.view_of(engine, approval), entry)


def _refuse_version(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    entry = consent.refuse(engine, approval, actor=actor, because=because, at=at)
    return Answered(consent.view_of(engine, approval), entry)


def _approve_step(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    done, after = running.approve_request(engine, approval, actor=actor, at=at, because=because)
    return Answered(consenting.view(engine, after), done.entry)


def _refuse_step(engine: Engine, approval: str, actor: Actor, at: datetime, because: str) -> Answered:
    done, after = running.refuse_request(engine, approval, actor=actor, at=at, because=because)
    return Answered(consenting.view(engine, after), done.entry)


_APPROVE: Mapping[ApprovalKind, Answer] = {
    "switch.restore": _approve_restore,
    consent.KIND: _approve_version,
    consenting.KIND: _approve_step,
}
_REFUSE: Mapping[ApprovalKind, Answer] = {
    "switch.restore": _refuse_restore,
    consent.KIND: _refuse_version,
    consenting.KIND: _refuse_step,
}
