"""GET /v1/events: the decision log as it grows, as server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from governance.api.feed import Event, Feed
from governance.api.gate import login_of
from governance.core.decision import timestamp
from governance.engine.keyring import Login
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.errors import Unavailable

HEARTBEAT = 1.0
"""Seconds of silence after which a comment says that the stream lives."""
MOST = 500
MOST_EACH = 50
"""Streams at once, and of one caller: each is a connection and some memory."""
_STREAM = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
_DOCUMENTED: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "Events."}
}

LastId = Annotated[str, Header(max_length=20, description="Go on after this one.")]
After = Annotated[int | None, Query(ge=-1, lt=2**53, description="Begin after this entry; otherwise with what is new.")]


def routes(engine: Engine, feed: Feed) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["decision log"])
    streams: Counter[str] = Counter()

    @router.get("/v1/events", responses=_DOCUMENTED, response_class=StreamingResponse)
    async def events(request: Request, after: After = None, last_event_id: LastId = "") -> StreamingResponse:
        """Follow the decision log: `id` is the entry's place, `event` its kind; a comment comes when nothing is new."""
        login = login_of(request)
        readable = await run_in_threadpool(permit_any, engine, login.actor)
        if streams.total() >= MOST or streams[login.by] >= MOST_EACH:
            raise Unavailable(f"there are {streams.total()} event streams already; close one, or ask for /v1/log")
        since = int(last_event_id) if last_event_id.isdecimal() else after
        stream = _Stream(engine, feed, login, readable, feed.last if since is None else min(since, feed.last))
        return StreamingResponse(_counted(stream.text(), streams, login.by), 200, _STREAM, "text/event-stream")

    return router


async def _counted(text: AsyncIterator[str], streams: Counter[str], name: str) -> AsyncIterator[str]:
    streams[name] += 1
    try:
        async for part in text:
            yield part
    finally:
        streams[name] -= 1
        if not streams[name]:
            del streams[name]


class _Stream:
    """One listener: where it is, and what it may read."""

    def __init__(
        self, engine: Engine, feed: Feed, login: Login, readable: Callable[[str | None], bool], seq: int
    ) -> None:
        self._engine, self._feed, self._login, self._seq = engine, feed, login, seq
        self._readable = readable

    async def text(self) -> AsyncIterator[str]:
        """Yield the stream until the token ends, the engine does, or the listener goes."""
        yield "retry: 1000\n\n"
        while not self._feed.is_over and self._holds():
            found = self._feed.after(self._seq)
            if found is None:
                found = await run_in_threadpool(self._feed.stored, self._seq)
            for each in found:
                self._seq = each.seq
                if self._readable(each.subject.get("model")):
                    yield _written(each)
            if not found:
                before = self._feed.last
                await self._feed.news(HEARTBEAT)
                if self._feed.last == before:
                    yield ": nothing new\n\n"

    def _holds(self) -> bool:
        expires = self._login.expires_at
        return expires is None or self._engine.clock.now() < expires


def _written(event: Event) -> str:
    data = json.dumps({**asdict(event), "at": timestamp(event.at)})
    return f"id: {event.seq}\nevent: {event.kind}\ndata: {data}\n\n"
