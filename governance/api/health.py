"""GET /healthz and /readyz: is the process up, and does it govern."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Response

from governance.api.problems import problem
from governance.core.duration import format_duration
from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.store import decision_log, progress

LATE = 3
"""Intervals after which a cycle that did not come is too late."""
UNSEALED = timedelta(minutes=1)


def routes(engine: Engine, every: timedelta) -> APIRouter:
    """Return the routes of health; a cycle is expected at every interval."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    def healthy() -> dict[str, str]:
        """Say that the process is up."""
        return {"status": "up"}

    @router.get("/readyz", response_model=dict[str, str])
    def ready() -> Response | dict[str, str]:
        """Say that cycles come in time, that decisions are sealed, and that the database can be written.

        Policies on disk that are broken or wait for approval are told too: the version before them rules meanwhile. So
        are a canary that does not go the whole way, and a dead-man's-switch that is not pinged, with the reason.
        """
        reasons = list(_reasons(engine, every))
        if reasons:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "; ".join(reasons), reasons=reasons)
        standing = engine.standing
        known = {"policies": standing.words(engine.plan.version), "canary": standing.canary, "ping": standing.silence}
        return {"status": "ready", **{name: said for name, said in known.items() if said}}

    return router


def _reasons(engine: Engine, every: timedelta) -> Iterator[str]:
    """Yield why the engine cannot be relied on, nothing when it can."""
    now = engine.clock.now()
    try:
        with engine.database.read() as connection:
            last = progress.last(connection, progress.CYCLE)
        if last is None:
            yield "no cycle was completed yet"
        elif now - last > LATE * every:
            yield f"the last complete cycle is of {last:%Y-%m-%d %H:%M:%S}Z; one is due every {format_duration(every)}"
        oldest = decision_log.oldest_unsealed(engine.database)
        if oldest is not None and now - oldest > UNSEALED:
            yield f"a decision of {oldest:%Y-%m-%d %H:%M:%S}Z waits for its seal"
        with engine.database.transaction():
            pass  # the lock can be taken; what a full disk refuses shows in the age of the last cycle
    except Unavailable as error:
        yield str(error)
