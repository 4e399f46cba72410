"""The routes of OFREP."""

from __future__ import annotations

from starlette.routing import Route

from governance.api.ofrep.evaluation import Allowed, Bulk, Single
from governance.api.ofrep.events import Streams
from governance.engine.board import Board
from governance.ports import Clock

FLAGS = "/ofrep/v1/evaluate/flags"
EVENTS = "/ofrep/v1/events"


def routes(board: Board, streams: Streams, clock: Clock, allowed: Allowed) -> list[Route]:
    """Return the routes; `allowed` says which models a caller may read.

    They are plain ASGI: a framework's reading and checking of each request would take longer than the answer.
    """
    single, bulk = Single(board, clock.now, allowed), Bulk(board, clock.now, allowed, EVENTS)
    return [
        Route(FLAGS + "/{key:path}", single, methods=["POST"]),
        Route(FLAGS, bulk, methods=["POST"]),
        Route(EVENTS, streams, methods=["GET"]),
    ]
