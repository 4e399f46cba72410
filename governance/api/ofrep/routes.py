"""The routes of OFREP."""

from __future__ import annotations

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from governance.api.ofrep.evaluation import Allowed, Bulk, Single
from governance.api.ofrep.events import Streams
from governance.api.ofrep.exchange import Refused, answer
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
        Route(EVENTS, Heard(streams, allowed), methods=["GET"]),
    ]


class Heard:
    """The event streams, for callers who may read a flag at all."""

    def __init__(self, streams: Streams, allowed: Allowed) -> None:
        """Let those hear whom `allowed` does not refuse."""
        self._streams, self._allowed = streams, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, or answer 403."""
        try:
            self._allowed(scope)
        except Refused as error:
            return await answer(send, error.status, error.body(None))
        return await self._streams(scope, receive, send)
