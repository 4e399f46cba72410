"""The app that serves the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from governance.api import events, figures, fleet, health, incidents, log, problems, samples
from governance.api.feed import Feed
from governance.api.gate import Doors, Gate
from governance.api.guard import LOCAL, Guard, Hosts
from governance.api.pulse import Pulse
from governance.engine.parts import Engine

_BEARER = HTTPBearer(auto_error=False, description="A token of `gov token create`, or one of the single sign-on.")


@dataclass(frozen=True, slots=True)
class Service:
    """What the API needs beside the engine: how callers are known, what is new, and how the process does."""

    doors: Doors
    feed: Feed
    pulse: Pulse
    every: timedelta
    hosts: Hosts = LOCAL


def app(engine: Engine, service: Service) -> FastAPI:
    """Return the app over an engine that runs a cycle at every interval.

    The pages that show the API in a browser are left out, as they fetch their scripts from elsewhere.
    """
    made = FastAPI(
        title="model-governance",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses=problems.DOCUMENTED,
        dependencies=[Security(_BEARER)],
    )
    problems.register(made)
    made.add_middleware(Gate, doors=service.doors)
    made.add_middleware(Guard, hosts=service.hosts)  # the last one added stands before the others
    for router in (
        fleet.routes(engine),
        incidents.routes(engine),
        log.routes(engine),
        events.routes(engine, service.feed),
        samples.routes(engine, service.pulse),
        figures.routes(engine, service.pulse),
        health.routes(engine, service.every),
    ):
        made.include_router(router)
    return made
