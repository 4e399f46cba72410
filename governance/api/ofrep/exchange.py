"""What goes in and out of the routes of OFREP, as ASGI messages: they are asked too often for a framework's checks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from starlette.types import Receive, Send

from governance.core.flag import Request, UnfitContext, request_of
from governance.core.problem import printable

Code = Literal["PARSE_ERROR", "INVALID_CONTEXT", "FLAG_NOT_FOUND", "GENERAL"]
Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
FRESH: Header = (b"cache-control", b"no-store")
"""What a switch says must not be answered by a cache on the way."""
_LONGEST = 200
"""Characters of a flag's name that are repeated in an answer."""


class Refused(Exception):
    """A request that cannot be evaluated; every client reads `errorDetails`, and some break without it."""

    def __init__(self, status: int, code: Code, details: str) -> None:
        """Say why, for people."""
        super().__init__(details)
        self.status, self.code, self.details = status, code, details

    def body(self, key: str | None) -> bytes:
        """Return it as OFREP writes it, about one flag or (None) about all."""
        about = {} if key is None else {"key": printable(key[:_LONGEST])}
        return json.dumps({**about, "errorCode": self.code, "errorDetails": self.details}).encode()


@dataclass(frozen=True, slots=True)
class Asked:
    """The context of a request, as it was sent and as we read it."""

    context: Mapping[str, Any]
    request: Request


NOTHING = Asked({}, Request(labels={}))


async def asked(receive: Receive) -> Asked | None:
    """Read the body; None: the client has gone.

    :raises Refused: when it is no JSON object, or its context cannot be read.
    """
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
    if message["type"] != "http.request":
        return None
    return _read(body) if body else NOTHING


def _read(body: bytes) -> Asked:
    try:
        document = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "PARSE_ERROR", f"the body is no JSON: {printable(str(error))[:_LONGEST]}") from error
    if not isinstance(document, dict):
        raise Refused(400, "PARSE_ERROR", 'the body must be a JSON object, such as {"context": {"targetingKey": "k"}}')
    context = document.get("context")
    if context is None:
        return NOTHING
    if not isinstance(context, dict):
        raise Refused(400, "INVALID_CONTEXT", "`context` must be an object, or left out")
    try:
        return Asked(context, request_of(context))
    except UnfitContext as error:
        raise Refused(400, "INVALID_CONTEXT", str(error)) from error


async def answer(send: Send, status: int, body: bytes, headers: Iterable[Header] = ()) -> None:
    """Send an answer whole."""
    about = [JSON, (b"content-length", str(len(body)).encode())] if body else []
    await send({"type": "http.response.start", "status": status, "headers": [*about, FRESH, *headers]})
    await send({"type": "http.response.body", "body": body})


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
