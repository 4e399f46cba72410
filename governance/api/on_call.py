"""GET /v1/oncall: who is on call by each schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from governance.api.gate import Who
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.errors import InvalidDocument
from governance.views import Page
from governance.views.on_call import OnCallView, on_call_views

At = Annotated[
    str,
    Query(
        pattern=r"^(2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z)?$",
        description="Who is on call at this time, such as 2026-01-31T12:00Z; by default now.",
    ),
]
Days = Annotated[int, Query(ge=0, le=400, description="List the shifts of so many days ahead too.")]


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["fleet"])

    @router.get("/v1/oncall")
    def on_call(who: Who, at: At = "", days: Days = 0) -> Page[OnCallView]:
        """Say who is on call by each schedule of the organisation, until when, and who follows."""
        permit_any(engine, who)
        moment = _instant(at) if at else engine.clock.now()
        until = moment + timedelta(days=days) if days else None
        return Page(items=on_call_views(engine.organisation.schedules, moment, until))

    return router


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidDocument(f"{text} is no time of the calendar") from None
