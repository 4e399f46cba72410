"""What is looked at before a request is read: whom it was meant for, who sends it, and how large and how slow it is."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.api.problems import problem, too_large, too_slow

MOST_BYTES = 2**20
MOST_BYTES_OF_POLICIES = 2**24
MOST_DRAINED = 2**24
"""Up to here the rest of a refused body is thrown away, as a connection closed earlier may lose the answer."""
SLOWEST = 20.0
"""Seconds in which a body must have arrived."""
_POLICIES = "/v1/policies/"
_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_CLOSE = {"Connection": "close"}
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
"""What every answer says to browsers: it is data, for nobody else's page, and not to be kept."""


@dataclass(frozen=True, slots=True)
class Hosts:
    """The names under which the server is asked for; `numbers`: also under any address that is a number.

    A page in a browser can have its name point to any address, but not a number.
    """

    names: frozenset[str]
    numbers: bool = False

    def know(self, name: str) -> bool:
        """Tell whether a request was meant for this server."""
        return name in self.names or (self.numbers and _is_number(name))


LOCAL = Hosts(_NAMES)


def hosts(bound: str, urls: str) -> Hosts:
    """Return the names for a server bound to an address that others reach, with those of its public URLs (by comma)."""
    public = {urlsplit(each.strip()).hostname or "" for each in urls.split(",")} - {""}
    return Hosts(frozenset({*_NAMES, bound.lower(), *public}), numbers=True)


class Guard:
    """Refuses what was meant for another host, sent by a page of another site, too large or too slow."""

    def __init__(self, app: ASGIApp, hosts: Hosts = LOCAL) -> None:
        """Stand before this app."""
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        announced = int(length[:20]) if length.isdecimal() else 0
        close = _CLOSE if announced > MOST_DRAINED else {}
        guarded = _guarded(send)
        if not self._hosts.know(_host(headers.get("host", ""))):
            said = "this server does not answer under that name; ask for 127.0.0.1 or localhost, or set GOV_PUBLIC_URL"
            return await problem(HTTPStatus.MISDIRECTED_REQUEST, said, close)(scope, receive, guarded)
        if _is_foreign(headers):
            said = "pages of other sites may not call this server"
            return await problem(HTTPStatus.FORBIDDEN, said, close)(scope, receive, guarded)
        most = MOST_BYTES_OF_POLICIES if scope["path"].startswith(_POLICIES) else MOST_BYTES
        if announced > most:
            refused = too_large(most)
            answer = problem(HTTPStatus(refused.status_code), refused.detail, close)
            return await answer(scope, receive, guarded)
        return await self._app(scope, _counted(receive, most), guarded)


def _guarded(send: Send) -> Send:
    """Return a `send` that adds the headers which every answer has."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = message.get("headers", ())
            names = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(each for each in _HEADERS if each[0] not in names)]
        await send(message)

    return guarded


def _counted(receive: Receive, most: int) -> Receive:
    """Return a `receive` that stops at the limits, for a body that does not say how long it is, or drips."""
    count, end, whole = 0, time.monotonic() + SLOWEST, False

    async def counted() -> Message:
        nonlocal count, whole
        if whole:  # what comes now is that the caller has gone, whenever that is
            return await receive()
        try:
            async with asyncio.timeout(max(end - time.monotonic(), 0)):  # no task of its own, as wait_for would take
                message = await receive()
        except TimeoutError:
            raise too_slow(SLOWEST) from None
        whole = not message.get("more_body", False)
        count += len(message.get("body", b""))
        if count > most:
            raise too_large(most)
        return message

    return counted


def _is_foreign(headers: Headers) -> bool:
    """Tell whether a browser says that a page of another site asks; programs say nothing of the kind."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return True
    return headers.get("sec-fetch-site", "none") not in ("none", "same-origin")


def _host(text: str) -> str:
    """Return the name in a Host header, without its port and the brackets of IPv6."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].lower()


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
