"""Notifications that nobody got: those that wait, those that were given up, and trying them again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
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


class Retry(Closed):
    """One notification by its key, or all of one notifier; and why, where there is something to be said."""

    key: Name = ""
    notifier: Name = ""
    because: Annotated[str, Field(max_length=2000)] = ""


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["notifications"])

    @router.get("/v1/notifications")
    def listed(
        who: Who, state: Literal["failed", "due"] = "failed", limit: Limit = 100, cursor: Cursor = ""
    ) -> Page[DeliveryView]:
        """List what was given up (failed), or is still to be delivered (due)."""
        readable = permit_any(engine, who)
        found = notifications.given_up(engine) if state == "failed" else notifications.waiting(engine)
        mine = [each for each in found if readable(each.model or None)]
        items, after = part(mine, _in_order, "notifications", state, limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.post("/v1/notifications/retry")
    def retry(who: Who, body: Retry) -> RetriedView:
        """Try again what was given up, at once; it keeps its key."""
        at = engine.clock.now()
        return notifications.retry(engine, actor=who, at=at, key=body.key, notifier=body.notifier, because=body.because)

    return router


def _in_order(delivery: DeliveryView) -> tuple[int, str]:
    return delivery.incident, delivery.key
