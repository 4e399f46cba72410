"""What is looked at before a request is read: whom it was meant for, and how large it is."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.api.problems import problem, too_large

MOST_BYTES = 2**20
MOST_DRAINED = 2**24
"""Up to here the rest of a refused body is thrown away, as a connection closed earlier may lose the answer."""
_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Refuses bodies over a limit before they are read whole, and requests meant for another host.

    A page in a browser can have its name point to loopback; the name it was asked by then gives it away.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before this app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        announced = int(length[:20]) if length.isdecimal() else 0
        close = _CLOSE if announced > MOST_DRAINED else {}
        if _host(headers.get("host", "")) not in _NAMES:
            said = "this server answers on loopback only; ask for 127.0.0.1 or localhost"
            return await problem(HTTPStatus.MISDIRECTED_REQUEST, said, close)(scope, receive, send)
        if announced > MOST_BYTES:
            refused = too_large(MOST_BYTES)
            answer = problem(HTTPStatus(refused.status_code), refused.detail, close)
            return await answer(scope, receive, send)
        return await self._app(scope, _counted(receive), send)


_CLOSE = {"Connection": "close"}


def _counted(receive: Receive) -> Receive:
    """Return a `receive` that stops at the limit, for a body that does not say how long it is."""
    count = 0

    async def counted() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > MOST_BYTES:
            raise too_large(MOST_BYTES)
        return message

    return counted


def _host(text: str) -> str:
    """Return the name in a Host header, without its port and the brackets of IPv6."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].lower()
