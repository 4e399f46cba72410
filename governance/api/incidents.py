"""Incidents and alerts: what is wrong, who was told, and people's answers."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response

from governance.api.answers import Number, answers
from governance.api.bodies import ModelQuery
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who
from governance.api.log import After
from governance.api.tagged import UNCHANGED, Known, tagged
from governance.engine import queries
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import permit_any
from governance.engine.timeline import timeline
from governance.exchange.export.postmortem import postmortem
from governance.views import AlertView, IncidentView, Page, TimelineLine, WhyView

Status = Literal["open", "triggered", "acknowledged", "mitigated", "resolved", "all"]


class Markdown(Response):
    """A page to be read and edited."""

    media_type = "text/markdown"


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["incidents"])

    @router.get("/v1/alerts")
    def alerts(who: Who, model: ModelQuery = "", limit: Limit = 100, cursor: Cursor = "") -> Page[AlertView]:
        """List the alerts that are pending or firing, the worst first."""
        readable = permit_any(engine, who)
        found = [each for each in queries.alerting(engine) if readable(each.model) and model in ("", each.model)]
        items, after = part(found, queries.alert_place, "alerts", model, limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.get("/v1/incidents", response_model=Page[IncidentView], responses=UNCHANGED)
    def incidents(
        who: Who,
        status: Status = "open",
        model: ModelQuery = "",
        limit: Limit = 100,
        cursor: Cursor = "",
        known: Known = "",
    ) -> Response:
        """List incidents, the newest first."""
        readable = permit_any(engine, who)
        every = queries.listed(engine, status="" if status == "all" else status, model=model)
        found = [each for each in every if readable(each.model)]
        items, after = part(found, _newest_first, "incidents", status, model, limit=limit, cursor=cursor)
        return tagged(Page[IncidentView](items=items, next=after), known)

    _about_one(router, engine)
    answers(router, engine)
    return router


def _about_one(router: APIRouter, engine: Engine) -> None:
    """Add the routes that tell of one incident."""

    @router.get("/v1/incidents/{number}")
    def incident(who: Who, number: Number) -> IncidentView:
        """Show one incident with its findings, the worst first."""
        view = queries.shown(engine, number)
        permit(engine, who, "read", view.model)
        return view

    @router.get("/v1/incidents/{number}/why")
    def why(who: Who, number: Number) -> WhyView:
        """Tell who was told of it, why, and what became of each notification."""
        view = queries.why(engine, number)
        permit(engine, who, "read", view.model)
        return view

    @router.get("/v1/incidents/{number}/timeline")
    def lines(who: Who, number: Number, after: After = -1, limit: Limit = 100) -> Page[TimelineLine]:
        """Read what became of it, oldest first, as the sealed log tells it; `next` is the `after` that follows."""
        permit(engine, who, "read", queries.shown(engine, number).model)
        found = timeline(engine, number, after)
        more = str(found[limit - 1].seq) if len(found) > limit else None
        return Page(items=found[:limit], next=more)

    @router.get("/v1/incidents/{number}/postmortem", response_class=Markdown)
    def look_back(who: Who, number: Number) -> Markdown:
        """Write what became of it in Markdown, with room for what only people know."""
        permit(engine, who, "read", queries.shown(engine, number).model)
        return Markdown(postmortem(engine, number))


def _newest_first(incident: IncidentView) -> tuple[int]:
    return (-incident.id,)
