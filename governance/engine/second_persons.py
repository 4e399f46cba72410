"""Who may answer what waits for a second person: one decision for who answers, and for who only looks before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import Approval, ApprovalKind
from governance.core.authority import Act, Actor, Allowed
from governance.core.organisation import Role
from governance.core.waiver import WaiverRequest
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted, permit, who_may
from governance.errors import Denied
from governance.store import approvals, waiver_requests
from governance.views import MayView

if TYPE_CHECKING:
    from sqlalchemy import Connection

_ACTS: Mapping[ApprovalKind, Act] = {
    "switch.restore": "switch.approve",
    "policy.loosen": "policy.approve",
    "runbook.approve": "runbook.approve",
}
_RULES: Mapping[Act, str] = {
    "switch.approve": "who asked does not approve",
    "waiver.approve": "who asked does not approve",
    "policy.approve": "who had a part in it does not approve",
    "runbook.approve": "who started a run does not consent",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an answer asks of a person: the act for each of the models, and that they are none of those in `out`.

    `out` says of each person who is no second one why; `takes_back` is what who asked needs to take it back, None
    where they need nothing. `role` is what this request asks for, where that is not what all acts of its kind do.
    """

    act: Act
    models: tuple[str | None, ...]
    out: Mapping[str, str]
    asked_by: tuple[str, ...] = ()
    takes_back: Act | None = None
    role: Role | None = None


def wanted(request: Approval | WaiverRequest) -> Wanted:
    """Return what a request asks of its second person."""
    if isinstance(request, WaiverRequest):
        return _of_waiver(request)
    act, asked = _ACTS[request.kind], request.requested_by
    if request.kind == "switch.restore":
        return Wanted(act, (request.model,), {asked: f"{asked} asked for this restore"}, (asked,), "switch.restore")
    if request.kind == "policy.loosen":
        people = (asked, *request.authors)
        return Wanted(act, request.models or (None,), {each: f"{each} had a part in this version" for each in people},
                      people)  # fmt: skip
    answered = {each: f"{each} has answered step '{request.step}' already" for each in request.answered_by}
    started = {each: f"{each} started {request.run}" for each in request.authors}
    return Wanted(act, (request.model,), answered | started, role=request.role)


def _of_waiver(request: WaiverRequest) -> Wanted:
    """Return what a waiver asks of its second person."""
    asked = request.requested_by
    out = {asked: f"{asked} asked for this waiver"}
    return Wanted("waiver.approve", (request.model,), out, (asked,), "waiver.request")


def second_persons(engine: Engine, what: Wanted) -> tuple[str, ...]:
    """Return the people who may be the second person, by id."""
    able = [set(who_may(engine, what.act, each, role=what.role)) for each in what.models]
    return tuple(sorted(set.intersection(*able) - set(what.out)))


def permit_approving(engine: Engine, actor: Actor | str, what: Wanted) -> Allowed:
    """Return why somebody may be the second person.

    :raises NotPermitted: when they may not, or are no second one, naming who is.
    """
    why = what.out.get(str(actor), "")
    if why:
        others = ", ".join(second_persons(engine, what))
        verb = "consent" if what.act == "runbook.approve" else "approve it"
        said = f"{why}; " + (f"a second person must {verb}: {others}" if others else f"somebody else must {verb}")
        raise NotPermitted(engine, actor, what.act, what.models[0], _RULES[what.act], said, role=what.role)
    return _permitted(engine, actor, what)


def permit_refusing(engine: Engine, actor: Actor | str, what: Wanted) -> Allowed:
    """Return why somebody may refuse: who may approve; who asked may take it back, and nobody answers a step twice.

    :raises NotPermitted: when they may not, naming who may.
    """
    if str(actor) not in what.asked_by:
        return permit_approving(engine, actor, what)
    if what.takes_back is None:
        return Allowed(what.out[str(actor)])
    return permit(engine, actor, what.takes_back, what.models[0])


def _permitted(engine: Engine, actor: Actor | str, what: Wanted) -> Allowed:
    first, *_ = [permit(engine, actor, what.act, each, role=what.role) for each in what.models]
    return first


def answers_of(engine: Engine, who: Actor, at: datetime) -> Callable[[str], dict[str, MayView]]:
    """Return what tells, by the id of a request, whether who looks may `approve` and `refuse` it, and why (not)."""
    with engine.database.read() as connection:
        waiting = _waiting(connection, at)
    return lambda request: may_answer(engine, who, waiting[request]) if request in waiting else {}


def may_answer(engine: Engine, who: Actor, what: Wanted) -> dict[str, MayView]:
    """Return whether somebody may approve and refuse, and why or why not."""
    return {
        "approve": _may(lambda: permit_approving(engine, who, what)),
        "refuse": _may(lambda: permit_refusing(engine, who, what)),
    }


def _may(asked: Callable[[], Allowed]) -> MayView:
    try:
        return MayView(allowed=True, because=asked().because)
    except Denied as error:
        return MayView(allowed=False, because=str(error))


def _waiting(connection: Connection, at: datetime) -> dict[str, Wanted]:
    found = {each.id: wanted(each) for each in approvals.listed(connection) if at <= each.until}
    return found | {each.id: wanted(each) for each in waiver_requests.pending(connection) if at < each.until}
