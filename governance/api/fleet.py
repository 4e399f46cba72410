"""GET /v1/whoami and /v1/fleet: who asks, and how all models are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request

from governance.api.bodies import ModelQuery
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who, login_of
from governance.core.authority import ACTS, ROLES, members
from governance.engine import overview
from governance.engine.latest import KEPT
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit, who_may
from governance.engine.reading import permit_any
from governance.engine.switch_views import may_view
from governance.views import FleetView, WhoamiView
from governance.views.people import PermissionsView

Since = Annotated[
    str, Query(max_length=100, description="Only models whose row changed since this `state` of an earlier answer.")
]
Points = Annotated[int, Query(ge=0, le=KEPT, description="How many values of the history of a metric at most.")]


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["fleet"])

    @router.get("/v1/whoami")
    def whoami(request: Request) -> WhoamiView:
        """Say whom the server takes you for, and what that allows anywhere."""
        login = login_of(request)
        actor = login.actor
        return WhoamiView(
            actor=actor.id,
            kind=actor.kind,
            roles=_roles(engine, actor.id) if actor.kind == "person" else [],
            scopes=sorted(actor.scopes),
            environment=engine.organisation.environment,
            read_only="act" not in actor.scopes,
            expires_at=login.expires_at,
        )

    @router.get("/v1/may")
    def may(who: Who, model: ModelQuery = "") -> PermissionsView:
        """Say what you may do to a model, or (without one) to the engine as a whole: why, or else who may."""
        card = declared(engine, model) if model else None
        permit(engine, who, "read", model or None)
        found = {act: may_view(engine, who, act, card) for act in ACTS}
        people = {act: list(who_may(engine, act, model or None)) for act in ACTS}
        return PermissionsView(
            model=model, acts={act: each.model_copy(update={"who_may": people[act]}) for act, each in found.items()}
        )

    _whole_fleet(router, engine)
    return router


def _whole_fleet(router: APIRouter, engine: Engine) -> None:
    """Add the route that tells of all models."""

    @router.get("/v1/fleet")
    def fleet(who: Who, limit: Limit = 100, cursor: Cursor = "", since: Since = "", points: Points = KEPT) -> FleetView:
        """List the models that you may read, the worst first; with `since` those whose row changed since a `state`.

        Whoever has the whole and asks for what changed since its `state` has the whole again, or is told the whole
        anew: then `whole` says so.
        """
        at, plan, may = engine.clock.now(), engine.plan, permit_any(engine, who)
        policies = [each for each in plan.policies if may(each.model)]
        names, known = [each.model for each in policies], overview.told(engine)
        numbers = overview.noted(engine, plan, known)
        seen = engine.changes.seen(since, names)
        if seen is not None:
            policies = [each for each in policies if numbers[each.model] > seen]
        found = [overview.glance(engine, each, known) for each in policies]
        items, after = part(found, overview.place, "fleet", since, limit=limit, cursor=cursor)
        return FleetView(
            environment=engine.organisation.environment,
            as_of=at,
            judged_at=overview.last_judged(engine),
            policy_version=plan.version,
            state=engine.changes.state(names, numbers),
            whole=seen is None,
            policies=engine.standing.words(plan.version),
            tallies=overview.tallies(found),
            items=[overview.row(engine, plan.by_model[each.model], known, points) for each in items],
            next=after,
        )


def _roles(engine: Engine, person: str) -> list[str]:
    """Return the roles of a person, each with the models that it is for, the greatest first."""
    organisation = engine.organisation
    if not organisation.people or (person in organisation.people and not organisation.roles):
        return [ROLES[-1]]
    found = [
        (ROLES.index(grant.role), f"{grant.role}{_of(grant.models)}")
        for grant in organisation.roles
        if any(person in members(each, organisation) for each in grant.who)
    ]
    return [name for _, name in sorted(set(found), reverse=True)]


def _of(models: dict[str, str]) -> str:
    return f" of {', '.join(f'{name}={value}' for name, value in models.items())}" if models else ""
