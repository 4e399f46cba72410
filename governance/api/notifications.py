"""Notifications that nobody got: those that wait, those that were given up, and trying them again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from governance.api.bodies import Closed
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who
from governance.engine import notifications
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.views import Page
from governance.views.notifications import DeliveryView, RetriedView

Name = Annotated[str, Field(max_length=500)]
Incident = Annotated[int, Field(ge=0, lt=2**53)]
About = Annotated[int, Query(ge=0, lt=2**53, description="Only of this incident; 0 for all.")]


class Retry(Closed):
    """One notification by its key, all of one notifier or of one incident; and why, where that is to be said."""

    key: Name = ""
    notifier: Name = ""
    incident: Incident = 0
    because: Annotated[str, Field(max_length=2000)] = ""


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["notifications"])

    @router.get("/v1/notifications")
    def listed(
        who: Who, state: Literal["failed", "due"] = "failed", incident: About = 0, limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Page[DeliveryView]:  # fmt: skip
        """List what was given up (failed), or is still to be delivered (due), with whether you may have it retried."""
        readable = permit_any(engine, who)
        found = notifications.given_up(engine) if state == "failed" else notifications.waiting(engine)
        mine = [each for each in found if incident in (0, each.incident) and readable(each.model or None)]
        items, after = part(mine, _in_order, "notifications", state, str(incident), limit=limit, cursor=cursor)
        return Page(items=notifications.may_retry(engine, who, items), next=after)

    @router.post("/v1/notifications/retry")
    def retry(who: Who, body: Retry) -> RetriedView:
        """Try again what was given up, at once; it keeps its key."""
        at = engine.clock.now()
        return notifications.retry(
            engine, actor=who, at=at, key=body.key, notifier=body.notifier, incident=body.incident, because=body.because
        )

    return router


def _in_order(delivery: DeliveryView) -> tuple[int, str]:
    return delivery.incident, delivery.key
