"""Incidents and alerts: what is wrong, who was told, and people's answers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from governance.api.bodies import Because, Closed, ModelQuery
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who
from governance.engine import operations, queries
from governance.engine.operations import Done
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import permit_any
from governance.views import AlertView, IncidentDoneView, IncidentView, Page, WhyView, incident_view

Number = Annotated[int, Path(ge=1, lt=2**53, description="The number of the incident.")]
Status = Literal["open", "triggered", "acknowledged", "mitigated", "resolved", "all"]


class Acknowledge(Closed):
    """Which version of the incident was seen; another means that somebody was first."""

    version: Annotated[int, Field(ge=1, lt=2**53)]


class Resolve(Acknowledge):
    """Which version was seen, and what was done about it."""

    because: Because


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

    @router.get("/v1/incidents")
    def incidents(
        who: Who, status: Status = "open", model: ModelQuery = "", limit: Limit = 100, cursor: Cursor = ""
    ) -> Page[IncidentView]:
        """List incidents, the newest first."""
        readable = permit_any(engine, who)
        every = queries.listed(engine, status="" if status == "all" else status, model=model)
        found = [each for each in every if readable(each.model)]
        items, after = part(found, _newest_first, "incidents", status, model, limit=limit, cursor=cursor)
        return Page(items=items, next=after)

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

    @router.post("/v1/incidents/{number}/acknowledge")
    def acknowledge(who: Who, number: Number, body: Acknowledge) -> IncidentDoneView:
        """Take the incident: you work on it."""
        at = engine.clock.now()
        return _done(operations.acknowledge(engine, number, actor=who, at=at, version=body.version))

    @router.post("/v1/incidents/{number}/resolve")
    def resolve(who: Who, number: Number, body: Resolve) -> IncidentDoneView:
        """Close the incident by hand; a finding that fires again opens a new one."""
        at = engine.clock.now()
        done = operations.resolve(engine, number, actor=who, because=body.because, at=at, version=body.version)
        return _done(done)

    return router


def _newest_first(incident: IncidentView) -> tuple[int]:
    return (-incident.id,)


def _done(done: Done) -> IncidentDoneView:
    view = incident_view(done.incident)
    return IncidentDoneView(incident=view, entry=done.entry, still_firing=done.still_firing)
