"""How long a client may take: who sends or reads too slowly loses the connection, as it costs us one."""

from __future__ import annotations

import asyncio
import socket

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

IDLE = 75.0
HEADERS = 10.0
BODY = 30.0
READING = 30.0
"""Seconds: before the first request, from its first byte to the last header, until the end of its body, and until an
answer is read that did not fit into the buffers."""


class Patience(H11Protocol):
    """The protocol of uvicorn, which itself waits for ever."""

    _deadline: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None
    _phase = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Wait for the first request; send each piece of an answer at once.

        The loop does that by itself only for sockets made for TCP by name. Without it a body waits up to 40 ms for the
        client to acknowledge the head before it.
        """
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._wait("idle", IDLE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        self._wait("", 0)
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, then see what is still missing."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Go on with the next request, of which a part may be there already."""
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Wait until the client reads on."""
        super().pause_writing()
        self._reading = self.loop.call_later(READING, self.transport.abort)

    def resume_writing(self) -> None:
        """Send on."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def _look(self) -> None:
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait("body", BODY)
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._wait("headers", HEADERS)
        else:
            self._wait("", 0)

    def _wait(self, phase: str, seconds: float) -> None:
        """Set the deadline of a phase once: a byte now and then does not move it."""
        if phase == self._phase:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._phase = phase
        self._deadline = self.loop.call_later(seconds, self.transport.abort) if phase else None
