"""The app that serves the HTTP API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from fastapi import FastAPI, Security
from fastapi.security import HTTPBearer

from governance.api import (
    alertmanager,
    approvals,
    batches,
    confirmations,
    events,
    figures,
    fleet,
    health,
    incidents,
    log,
    models,
    muting,
    notifications,
    on_call,
    policies,
    problems,
    runs,
    samples,
    slack,
    switches,
)
from governance.api.feed import Feed
from governance.api.gate import Doors, Gate
from governance.api.guard import LOCAL, Guard, Hosts
from governance.api.ofrep.description import described
from governance.api.ofrep.events import Streams
from governance.api.ofrep.reach import Reach
from governance.api.ofrep.routes import routes as ofrep
from governance.api.once import Once
from governance.api.pulse import Pulse
from governance.api.recalled import Recall
from governance.api.wiring import wire_of
from governance.engine.board import Board
from governance.engine.parts import Engine
from governance.slack.service import SlackService

if TYPE_CHECKING:
    from governance.slack.app import Inbound

_BEARER = HTTPBearer(auto_error=False, description="A token of `gov token create`, or one of the single sign-on.")


@dataclass(frozen=True, slots=True)
class Service:
    """What the API needs beside the engine: how callers are known, what is new, and how the process does.

    Kill switches are read from the `board`, and their changes told on the `streams`. `slack` runs what tells Slack and
    hears from it.
    """

    doors: Doors
    feed: Feed
    pulse: Pulse
    board: Board
    streams: Streams
    every: timedelta
    hosts: Hosts = LOCAL
    slack: SlackService | None = None

    def inbounds(self) -> list[Inbound]:
        """Return what hears from Slack, as it is configured now."""
        return [each.inbound for each in self.slack.connections.values()] if self.slack is not None else []


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
    )
    problems.register(made, service.doors.refused)
    reach, wire = Reach(engine, service.board), wire_of(service.board, engine.clock)
    made.add_middleware(Once, engine=engine, recall=Recall(engine, wire))
    made.add_middleware(Gate, doors=service.doors)
    made.add_middleware(Guard, hosts=service.hosts)  # the last one added stands before the others
    made.router.routes.extend(
        ofrep(service.board, service.streams, engine.clock, reach, service.doors.holds)
    )  # first: they are asked most
    for router in (
        fleet.routes(engine),
        incidents.routes(engine),
        alertmanager.routes(engine),
        batches.routes(engine, wire),
        switches.routes(engine, wire),
        approvals.routes(engine, wire),
        muting.routes(engine),
        notifications.routes(engine),
        on_call.routes(engine),
        models.routes(engine, wire),
        runs.routes(engine),
        policies.routes(engine),
        log.routes(engine),
        events.routes(engine, service.feed),
        samples.routes(engine, service.pulse),
        figures.routes(engine, service.pulse, service.streams),
        confirmations.routes(service.board, engine.clock, reach),
        slack.routes(engine, service.inbounds),
    ):
        made.include_router(router, dependencies=[Security(_BEARER)])
    made.include_router(health.routes(engine, service.every))
    made.include_router(slack.events(service.inbounds, service.doors))
    document = made.openapi
    made.openapi = lambda: document() if made.openapi_schema else described(document())  # type: ignore[method-assign]
    return made
