"""Clients that hold event streams open, and say when each of them saw a change."""

from __future__ import annotations

import asyncio
import time


class Listener(asyncio.Protocol):
    """One event stream."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.seen: dict[int, float] = {}
        self.opened = asyncio.get_running_loop().create_future()
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"GET /ofrep/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")

    def data_received(self, data: bytes) -> None:
        """Note the instant of each event."""
        now = time.perf_counter()
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"id: "):
                self.seen[int(line[4:])] = now
                if not self.opened.done():
                    self.opened.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Say so to who waits."""
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("the stream ended"))


async def opened(port: int, count: int, together: int = 100) -> list[Listener]:
    """Open so many streams, a hundred at a time."""
    loop = asyncio.get_running_loop()
    found: list[Listener] = []
    for start in range(0, count, together):
        some = range(start, min(start + together, count))
        made = await asyncio.gather(*(loop.create_connection(Listener, "127.0.0.1", port) for _ in some))
        listeners = [each for _, each in made]
        await asyncio.gather(*(each.opened for each in listeners))
        found.extend(listeners)
    return found


async def seen(listeners: list[Listener], seq: int, seconds: float = 30) -> list[float]:
    """Return the instants at which the streams told a change, waiting until all have."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end and not all(seq in each.seen for each in listeners):
        await asyncio.sleep(0.002)
    return [each.seen[seq] for each in listeners if seq in each.seen]


async def closed(listeners: list[Listener]) -> None:
    """Close the streams."""
    for each in listeners:
        each.transport.abort()
    await asyncio.sleep(0)  # the loop closes the sockets in its next turn
