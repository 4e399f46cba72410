"""The routes of OFREP."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from governance.api.ofrep.changes import Changes
from governance.api.ofrep.evaluation import Allowed, Bulk, Single
from governance.api.ofrep.events import Streams
from governance.api.problems import problem
from governance.engine.board import Board
from governance.errors import Denied
from governance.ports import Clock

FLAGS = "/ofrep/v1/evaluate/flags"
EVENTS = "/ofrep/v1/events"


class Below(BaseRoute):
    """Takes whatever stands below a path as a key, as it is: a name with a line break in it is still a wrong name."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        """Let the app answer what is posted below the path."""
        self._path, self._app = f"{path}/", app

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is below the path."""
        path: str = scope.get("path", "")
        if scope["type"] != "http" or not path.startswith(self._path):
            return Match.NONE, {}
        return Match.FULL, {"path_params": {"key": path[len(self._path) :]}}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        if scope["method"] == "POST":
            return await self._app(scope, receive, send)
        return await problem(HTTPStatus.METHOD_NOT_ALLOWED, "flags are asked for by POST", {"Allow": "POST"})(
            scope, receive, send
        )


class _Admitted:
    """Lets those in who may read any switch at all."""

    def __init__(self, app: ASGIApp, allowed: Allowed) -> None:
        self._app, self._allowed = app, allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._allowed(scope)
        except Denied as error:
            return await problem(HTTPStatus.FORBIDDEN, str(error))(scope, receive, send)
        return await self._app(scope, receive, send)


def routes(
    board: Board, streams: Streams, clock: Clock, allowed: Allowed, holds: Callable[[Scope], bool]
) -> list[BaseRoute]:
    """Return the routes; `allowed` says which models a caller may read, `holds` whether its token still does.

    They are plain ASGI: a framework's reading and checking of each request would take longer than the answer.
    """
    streams.changes = Changes(allowed, holds)
    single, bulk = Single(board, clock.now, allowed), Bulk(board, clock.now, allowed, EVENTS)
    return [
        Below(FLAGS, single),
        Route(FLAGS, bulk, methods=["POST"]),
        Route(EVENTS, _Admitted(streams, allowed), methods=["GET"]),
    ]
