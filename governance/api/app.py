"""The app that serves the HTTP API."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI

from governance.api import figures, health, problems, samples
from governance.api.guard import Guard
from governance.api.pulse import Pulse
from governance.engine.parts import Engine


def app(engine: Engine, pulse: Pulse, *, every: timedelta, actor: str) -> FastAPI:
    """Return the app over an engine that runs a cycle at every interval; `actor` is who acts, until there are tokens.

    The pages that show the API in a browser are left out, as they fetch their scripts from elsewhere.
    """
    made = FastAPI(
        title="model-governance",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=problems.DOCUMENTED,
    )
    problems.register(made)
    made.add_middleware(Guard)
    for router in (
        samples.routes(engine, pulse, actor),
        figures.routes(engine, pulse),
        health.routes(engine, every),
    ):
        made.include_router(router)
    return made
