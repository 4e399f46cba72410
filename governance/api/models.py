"""One model: its card, its effective policy, what was judged."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import Annotated

from fastapi import APIRouter, Query

from governance.api.bodies import ModelPath
from governance.api.gate import Who
from governance.api.samples import Moment
from governance.api.switches import Wire
from governance.core.authority import Actor
from governance.core.card import Card
from governance.engine import models, overview, queries
from governance.engine.budgets import budgets
from governance.engine.entries import OWN
from governance.engine.explaining import explained
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.series import series
from governance.engine.switch_views import switch_view
from governance.engine.versions_seen import versions_seen
from governance.errors import InvalidDocument, Unavailable
from governance.views import ModelView, Page, PolicyView, VerdictsView
from governance.views.budgets import BudgetView
from governance.views.explained import ExplainedView
from governance.views.series import SeriesView

_AT_ONCE = 2
"""Judgements as of an instant under way: each asks the sources anew."""
At = Annotated[Moment | None, Query(description="Judge as of this instant, which asks the sources anew.")]


def routes(engine: Engine, wire: Wire) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["models"])
    turns = BoundedSemaphore(_AT_ONCE)

    _measured(router, engine)

    @router.get("/v1/models/{model}")
    def model(who: Who, model: ModelPath) -> ModelView:
        """Show a model: its card, how it is, its switch, and which of its versions were seen."""
        card = _readable(engine, who, model)
        (row,) = overview.rows(engine, lambda each: each == model)
        switch = None if model in OWN else switch_view(engine, model, who, wire.confirmations)
        written = card.model_dump(mode="json", by_alias=True, exclude_unset=True)
        seen, why = versions_seen(engine, model)
        return ModelView(model=model, card=written, row=row, switch=switch, versions=seen, unseen_why=why)

    @router.get("/v1/models/{model}/policy")
    def policy(who: Who, model: ModelPath) -> PolicyView:
        """Show the effective policy of a model, with where each part is written."""
        _readable(engine, who, model)
        return models.policy_view(engine, model)

    @router.get("/v1/models/{model}/explained")
    def explain(who: Who, model: ModelPath) -> ExplainedView:
        """Show every value of the effective policy: where it is written, and what it took the place of."""
        _readable(engine, who, model)
        return explained(engine.plan, None, model)

    @router.get("/v1/models/{model}/verdicts")
    def verdicts(who: Who, model: ModelPath, at: At = None) -> VerdictsView:
        """Show what was last judged; with `at` what is judged as of that instant, without writing anything."""
        _readable(engine, who, model)
        if at is None:
            return models.verdicts_view(engine, model)
        if at > engine.clock.now():
            raise InvalidDocument(f"at: {at.isoformat()} lies in the future")
        if not turns.acquire(blocking=False):
            raise Unavailable(f"{_AT_ONCE} models are judged as of an instant already; try again")
        try:
            return VerdictsView(model=model, judged_at=at, items=queries.judged(engine, model, at))
        finally:
            turns.release()

    return router


def _measured(router: APIRouter, engine: Engine) -> None:
    """Add the routes that tell what was measured."""

    @router.get("/v1/models/{model}/series")
    def values(who: Who, model: ModelPath) -> Page[SeriesView]:
        """List what the model's rules look at with its last values and limits, as this process remembers them."""
        _readable(engine, who, model)
        return Page(items=series(engine, model))

    @router.get("/v1/models/{model}/budgets")
    def left(who: Who, model: ModelPath) -> Page[BudgetView]:
        """List the model's service level objectives with what is left of their budgets, the least first."""
        _readable(engine, who, model)
        return Page(items=budgets(engine, model))


def _readable(engine: Engine, who: Actor, model: str) -> Card:
    """Return the card of a model that somebody may read."""
    card = declared(engine, model)
    permit(engine, who, "read", model)
    return card
