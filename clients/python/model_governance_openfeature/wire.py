"""The engine over HTTP. Each exchange has one deadline for all of it, from looking the name up to the last byte."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Collection
from typing import Any, TypeVar

import httpx

from model_governance_openfeature.answer import Held, held_of
from model_governance_openfeature.deadline import Late, within
from model_governance_openfeature.options import Options
from model_governance_openfeature.switch import Unreadable

LARGEST_ANSWER = 64 * 2**20
LARGEST_EVENT = 64 * 1024
T = TypeVar("T")


class Unreachable(Exception):
    """The engine did not answer, or not with what it should; the message says what happened."""


class Wire:
    """A connection to one engine; it lives in one event loop."""

    def __init__(self, options: Options) -> None:
        """Prepare it; nothing is sent yet."""
        url, token, timeout = options.url, options.token, options.timeout
        self._timeout = timeout
        self._asked_for = httpx.QueryParams({"model": sorted(options.models)} if options.models else {})
        self.stream: socket.socket | None = None
        """What the events come through."""
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": "model-governance-openfeature",
                **({"Authorization": f"Bearer {token}"} if token else {}),
            },
            timeout=httpx.Timeout(timeout, read=None),  # reads end by the deadline of the exchange
            verify=options.trust or _trust(url),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def fetch(self, before: Held | None) -> Held | None:
        """Return the present state; None when it is the one held before.

        :raises Unreachable: when that could not be learnt.
        """
        return await self._within(self._fetch(before), self._timeout)

    async def confirm(self, instance: str, seq: int, models: Collection[str]) -> None:
        """Tell the engine which change this process holds.

        :raises Unreachable: when it could not be told.
        """
        said = {"instance": instance, "seq": seq, "models": sorted(models)}
        await self._within(self._exchange("/v1/confirmations", said), self._timeout)

    async def events(self, url: str, last: str, silence: float) -> AsyncGenerator[tuple[str, str], None]:
        """Yield the lines of an event stream as (name, value), first ("open", ""); its heartbeats have no name.

        `silence` in seconds is after how long without a line the stream is taken for dead.

        :raises Unreachable: when it ends.
        """
        target = self._client.base_url.join(url)
        if self.is_engine(url):
            target = target.copy_merge_params(self._asked_for.set("changes", "true"))
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        request = self._client.build_request("GET", target, headers=headers)
        if _origin(target) != _origin(self._client.base_url):
            request.headers.pop("Authorization", None)  # the token is for the engine alone
        response = await self._within(self._client.send(request, stream=True), self._timeout)
        try:
            if response.status_code != httpx.codes.OK:
                raise Unreachable(f"it answered {response.status_code} at {url}{_hint(response.status_code)}")
            self.stream = response.extensions["network_stream"].get_extra_info("socket")
            yield "open", ""
            lines = _lines(response)
            while True:
                line = await self._within(anext(lines, None), silence)
                if line is None:
                    raise Unreachable("the event stream has ended")
                name, _, value = line.partition(":")
                yield name, value.removeprefix(" ")
        finally:
            self.stream = None
            await response.aclose()

    def is_engine(self, url: str) -> bool:
        """Tell whether an address is the engine's own, so that it is believed as the engine is."""
        return _origin(self._client.base_url.join(url)) == _origin(self._client.base_url)

    async def _fetch(self, before: Held | None) -> Held | None:
        etag = before.etag if before is not None else ""
        asked = {"If-None-Match": etag} if etag else {}
        response, body = await self._exchange("/ofrep/v1/evaluate/flags", {"context": {}}, asked, self._asked_for)
        if response.status_code == httpx.codes.NOT_MODIFIED and etag:
            return None
        if response.status_code != httpx.codes.OK:
            raise Unreachable(f"it answered {response.status_code} to the question for all flags")
        _verify(response, body)
        return held_of(json.loads(body), response.headers.get("ETag", ""), before)

    async def _exchange(
        self, path: str, said: Any, headers: dict[str, str] | None = None, query: httpx.QueryParams | None = None
    ) -> tuple[httpx.Response, bytes]:
        body = bytearray()
        async with self._client.stream("POST", path, json=said, headers=headers, params=query) as response:
            async for part in response.aiter_raw():
                body += part
                if len(body) > LARGEST_ANSWER:
                    raise Unreachable(f"its answer has more than {LARGEST_ANSWER} bytes")
        if response.is_error:
            raise Unreachable(f"it answered {response.status_code} at {path}{_hint(response.status_code)}")
        return response, bytes(body)

    async def _within(self, awaited: Awaitable[T], seconds: float) -> T:
        """Await something for so long, and let every failure be one of ours."""
        try:
            return await within(awaited, seconds)
        except Late:
            raise Unreachable(f"no answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        except (ValueError, RecursionError) as error:
            raise Unreachable(f"its answer cannot be read: {error}") from error


async def _lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a response, without their ends.

    :raises Unreadable: when a line is longer than an event may be.
    """
    rest = b""
    async for part in response.aiter_raw():
        *complete, rest = re.split(rb"\r\n|\n|\r(?!$)", rest + part)
        for line in complete:
            yield line.decode("utf-8", "replace")
        if len(rest) > LARGEST_EVENT:
            raise Unreadable(f"an event has more than {LARGEST_EVENT} bytes")


def _verify(response: httpx.Response, body: bytes) -> None:
    """Check the body against its digest where there is one, source: RFC 9530.

    :raises Unreadable: when a byte of it was changed on the way.
    """
    said = re.search(r"\bsha-256=:([A-Za-z0-9+/=]+):", response.headers.get("Content-Digest", ""))
    if said is not None and said[1] != base64.b64encode(hashlib.sha256(body).digest()).decode():
        raise Unreadable("it does not have the digest that its header names")


def _trust(url: str) -> ssl.SSLContext:
    """Return whom to trust: the authorities of this machine; over plain HTTP nobody, which takes no time to load."""
    if url.startswith("https:"):
        return ssl.create_default_context()
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _hint(status: int) -> str:
    if status == httpx.codes.UNAUTHORIZED:
        return ": set a valid token (GOV_TOKEN)"
    return ": the token lacks the scope `switches`" if status == httpx.codes.FORBIDDEN else ""
