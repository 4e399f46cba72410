"""Versions of the policies: which rules, which ruled before, and policies that a person applies."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from governance.api.bodies import Closed
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who
from governance.api.problems_found import checked
from governance.engine import applying, consent
from governance.engine.parts import Engine
from governance.engine.pending import Plans
from governance.engine.permission import permit
from governance.views import AppliedView, CheckView, Page, RunningView, VersionView
from governance.views.plan import PlanView

Name = Annotated[str, Field(max_length=300, pattern=r"^[A-Za-z0-9_][^\x00-\x1f]*$")]
Texts = Annotated[dict[Name, str], Field(min_length=1, max_length=10_000)]


class Apply(Closed):
    """The texts of the policies by name, as `gov apply` sends them; or the `version` to go back to."""

    texts: Texts | None = None
    version: Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]+$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.texts is None) == (self.version is None):
            raise ValueError("send either `texts` or `version`")
        return self


class Plan(Closed):
    """The texts of the policies by name, and how many days back they are tried on what was recorded."""

    texts: Texts
    days: Annotated[float, Field(ge=0, le=31)] = 30


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["policies"])
    plans = Plans(engine)

    @router.get("/v1/policies")
    def versions(who: Who, limit: Limit = 100, cursor: Cursor = "") -> Page[VersionView]:
        """List the versions of the policies that ruled or waited, newest first."""
        permit(engine, who, "read")
        items, after = part(applying.versions(engine.database), _newest_first, "policies", limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.get("/v1/policies/running")
    def running(who: Who) -> RunningView:
        """Return the version that rules, with the texts that it was made from."""
        permit(engine, who, "read")
        return applying.running(engine)

    @router.post("/v1/policies/apply")
    def apply(who: Who, body: Apply) -> AppliedView:
        """Let policies rule, or a version that ruled before; those that loosen tier 1 wait for a second person."""
        permit(engine, who, "policy.apply")
        texts = body.texts if body.texts is not None else applying.documents_of(engine, body.version or "")
        return applying.apply(engine, texts, actor=who)

    @router.post("/v1/policies/plan")
    def plan(who: Who, body: Plan) -> PlanView:
        """Say what policies would change, and what they would have told; nothing is written and no source is asked."""
        permit(engine, who, "read")
        return plans.of(body.texts, timedelta(days=body.days))

    @router.get("/v1/policies/check")
    def check(who: Who) -> CheckView:
        """List what is wrong with the policies that the engine read last, as `gov check` finds it."""
        permit(engine, who, "read")
        return checked(engine)

    @router.get("/v1/policies/pending")
    def pending(who: Who, days: Annotated[float, Query(ge=0, le=31)] = 30) -> PlanView:
        """Say what the version that waits for a second person would change, and would have told; 404: none waits."""
        waiting = engine.standing.waiting
        if waiting is None or str(who) not in consent.view_of(engine, waiting.approval).who_may:
            permit(engine, who, "read")  # who may approve it must see it, whatever else they may see
        return plans.pending(timedelta(days=days))

    return router


def _newest_first(version: VersionView) -> tuple[int]:
    return (-version.number,)
