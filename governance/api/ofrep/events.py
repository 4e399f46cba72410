"""GET /ofrep/v1/events: server-sent events that tell when to ask again.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, and ADR 0008 of OFREP
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from governance.api.ofrep.changes import Changes
from governance.api.ofrep.evaluation import state
from governance.api.problems import problem
from governance.engine.board import Board, Snapshot

HEARTBEAT = 4.0
"""Seconds after which a quiet stream says that it is alive; a client may give up after five."""
MOST = 10_000
RETRY = (1_000, 3_000)
"""Milliseconds after which clients come back, spread so that after a restart not all do so at once."""
TOGETHER = 100
"""Streams that are told at once; between two such groups others have their turn."""
_HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # a proxy before us must pass each event on at once
]


class Streams:
    """All open event streams of this process."""

    def __init__(self, board: Board, room: int) -> None:
        """Tell the changes of this board; they take at most half of the `room` for connections that there is."""
        self._board, self._most = board, min(MOST, room // 2)
        self._open: dict[asyncio.Event, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._telling: set[asyncio.Task[None]] = set()
        self._closed = False
        self._served = self.refused = 0
        self.changes: Changes | None = None
        """Tells what has changed, where clients ask for it."""
        board.subscribe(self._changed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the client goes or the server stops; beyond the limit, refuse with 503."""
        if len(self._open) >= self._most or self._closed:
            self.refused += 1
            said = f"there are {len(self._open):,} open event streams, and no more are served; poll, or try again later"
            refused = problem(HTTPStatus.SERVICE_UNAVAILABLE, said, {"Retry-After": "30", "Connection": "close"})
            return await refused(scope, receive, send)
        self._loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        gone = asyncio.create_task(_gone(receive, woken))
        self._open[woken] = None
        try:
            await self._stream(scope, send, woken, gone)
        finally:
            del self._open[woken]
            gone.cancel()

    @property
    def open(self) -> int:
        """How many streams are open."""
        return len(self._open)

    def close(self) -> None:
        """End every stream, as the server stops; called in its loop."""
        self._closed = True
        for woken in self._open:
            woken.set()

    async def _stream(self, scope: Scope, send: Send, woken: asyncio.Event, gone: asyncio.Task[None]) -> None:
        loop = asyncio.get_running_loop()
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        self._served += 1
        text = b"retry: %d\n" % (RETRY[0] + self._served * 619 % (RETRY[1] - RETRY[0]))
        told: Snapshot | None = None
        while not (gone.done() or self._closed):
            snapshot = self._board.snapshot
            if told is not None and snapshot is not told and self.changes is not None:
                text += self.changes.event(scope, told, snapshot)  # first: who takes it need not ask
            text += event(snapshot) if snapshot is not told else b": %d\n\n" % snapshot.seq
            told = snapshot
            await send({"type": "http.response.body", "body": text, "more_body": True})
            text = b""
            timer = loop.call_later(HEARTBEAT, woken.set)
            await woken.wait()
            timer.cancel()
            woken.clear()
        await send({"type": "http.response.body", "body": b""})

    def _changed(self, snapshot: Snapshot) -> None:  # noqa: ARG002 (each stream takes the newest)
        """Wake the streams; called in another thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        task = asyncio.ensure_future(self._tell_all())
        self._telling.add(task)  # the loop itself holds tasks only weakly
        task.add_done_callback(self._telling.discard)

    async def _tell_all(self) -> None:
        for number, woken in enumerate(list(self._open), 1):
            woken.set()
            if number % TOGETHER == 0:
                await asyncio.sleep(0)


def event(snapshot: Snapshot) -> bytes:
    """Return the event that lets a client ask again; it is the first of every connection, so that nothing is missed."""
    data = {
        "type": "refetchEvaluation",
        "etag": f'"{state(snapshot)}"',
        "lastModified": int(snapshot.at.timestamp()),
        "seq": snapshot.seq,
    }
    return b"id: %d\ndata: %b\n\n" % (snapshot.seq, json.dumps(data, separators=(",", ":")).encode())


async def _gone(receive: Receive, woken: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    woken.set()
