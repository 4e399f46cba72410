"""GET /v1/oncall: who is on call by each schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response

from governance.api.gate import Who
from governance.core.suggestion import closest
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.errors import InvalidDocument, NotFound
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


Ahead = Annotated[int, Query(ge=1, le=400, description="The shifts of so many days ahead.")]
Named = Annotated[str, Query(max_length=200, description="Only this schedule; by default all.")]


class Calendar(Response):
    """An iCalendar file."""

    media_type = "text/calendar; charset=utf-8"


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

    @router.get("/v1/oncall.ics", response_class=Calendar)
    def calendar(who: Who, schedule: Named = "", days: Ahead = 90) -> Calendar:
        """Give the shifts ahead as a calendar (iCalendar) that other programs subscribe to."""
        permit_any(engine, who)
        known, now = engine.organisation.schedules, engine.clock.now()
        if schedule and schedule not in known:
            raise NotFound(f"no schedule '{schedule}'; {closest(schedule, known) or 'GET /v1/oncall names them'}")
        from governance.exchange.export.duties import duties  # its library is only needed where it is asked for

        chosen = {name: each for name, each in known.items() if schedule in ("", name)}
        return Calendar(duties(chosen, now, now + timedelta(days=days)))

    return router


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidDocument(f"{text} is no time of the calendar") from None
