"""The app that serves the HTTP API."""

from __future__ import annotations

from datetime import timedelta

from fastapi import FastAPI

from governance.api import confirmations, figures, health, problems, samples
from governance.api.guard import Guard
from governance.api.ofrep.description import described
from governance.api.ofrep.events import Streams
from governance.api.ofrep.routes import routes as ofrep
from governance.api.pulse import Pulse
from governance.engine.board import Board
from governance.engine.parts import Engine


def app(engine: Engine, pulse: Pulse, board: Board, streams: Streams, *, every: timedelta, actor: str) -> FastAPI:
    """Return the app over an engine that runs a cycle at every interval; `actor` is who acts, until there are tokens.

    Kill switches are read from the `board`, and their changes told on the `streams`.

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
    made.router.routes.extend(ofrep(board, streams, engine.clock, lambda _: None))  # first, as they are asked most
    for router in (
        samples.routes(engine, pulse, actor),
        figures.routes(engine, pulse, streams),
        health.routes(engine, every),
        confirmations.routes(board, engine.clock),
    ):
        made.include_router(router)
    document = made.openapi
    made.openapi = lambda: document() if made.openapi_schema else described(document())  # type: ignore[method-assign]
    return made
