"""What waits for somebody's consent: restores of models of tier 1, waivers, policies that loosen, steps of runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from governance.api.answers import Maybe
from governance.api.bodies import Because, Closed
from governance.api.cursors import Cursor, Limit, instant, part
from governance.api.gate import Who
from governance.api.switches import Desk, Wire
from governance.engine import approvals as asked
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.views import ApprovalDoneView, ApprovalView, Page, SwitchDoneView

Approval = Annotated[str, Path(max_length=20, pattern=r"^(APR|WVR)-[0-9]+$", description="The id of the approval.")]


class Refuse(Closed):
    """Why it is refused."""

    because: Because


class Approve(Closed):
    """Nothing has to be said; a run notes why."""

    because: Maybe = ""


def routes(engine: Engine, wire: Wire) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["approvals"])
    desk = Desk(engine, wire)

    @router.get("/v1/approvals")
    def approvals(who: Who, limit: Limit = 100, cursor: Cursor = "") -> Page[ApprovalView]:
        """List what waits for a second person, what was asked first before the rest, and whether that may be you."""
        readable = permit_any(engine, who)
        found = asked.pending_for(engine, who, engine.clock.now())
        mine = [each for each in found if readable(each.model or None)]
        items, after = part(mine, _oldest_first, "approvals", limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.post("/v1/approvals/{approval}/approve")
    def approve(who: Who, approval: Approval, body: Approve) -> ApprovalDoneView | SwitchDoneView:
        """Be the second person; what was asked for takes effect at once, policies at the next beat."""
        done = asked.approve(engine, approval, actor=who, at=engine.clock.now(), because=body.because)
        if done.restores:
            return desk.done(who, done.approval.model, done.entry)
        return ApprovalDoneView(approval=done.approval, entry=done.entry)

    @router.post("/v1/approvals/{approval}/refuse")
    def refuse(who: Who, approval: Approval, body: Refuse) -> ApprovalDoneView:
        """Refuse to be the second person, for everybody; who asked may take it back."""
        done = asked.refuse(engine, approval, actor=who, at=engine.clock.now(), because=body.because)
        return ApprovalDoneView(approval=done.approval, entry=done.entry)

    return router


def _oldest_first(approval: ApprovalView) -> tuple[int, str]:
    return instant(approval.requested_at), approval.id
