"""A TCP proxy that can be told to fail as networks do: late, cut, garbled, silent, or one byte at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Literal

Fault = Literal["none", "latency", "reset", "corrupt", "black hole", "drip", "refuse"]
FAULTS: tuple[Fault, ...] = ("none", "latency", "reset", "corrupt", "black hole", "drip", "refuse")
PART = 65536


class FaultProxy:
    """Passes on what comes to its port to another one; faults hit open connections, too.

    `seconds` is the delay of `latency` for each part and of `drip` for each byte; `corrupted` garbles an answer.
    """

    def __init__(self, to: int, *, seconds: float = 0.05) -> None:
        """Begin without a fault."""
        self.fault: Fault = "none"
        self.seconds = seconds
        self.corrupted: Callable[[bytes], bytes] = flipped
        self.passed = 0
        self._to = to
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        started = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(started, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def point(self, to: int) -> None:
        """Pass on to another port from the next connection on."""
        self._to = to

    def cut(self) -> None:
        """Reset every open connection."""
        self._loop.call_soon_threadsafe(lambda: [each.transport.abort() for each in list(self._open)])

    def close(self) -> None:
        """Stop, and reset every open connection."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        passing = [task for task in asyncio.all_tasks() if task is not mine]
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.fault == "refuse":
            writer.transport.abort()
            return
        self._open.add(writer)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            self._open.discard(writer)
            return
        self._open.add(back)
        ways = [
            asyncio.ensure_future(self._pass(reader, back, answers=False)),
            asyncio.ensure_future(self._pass(there, writer, answers=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # the proxy stops
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, back):
                self._open.discard(end)
                end.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        while part := await reader.read(PART):
            while self.fault == "black hole":
                await asyncio.sleep(0.05)
            await self._spoil(part, writer, answers=answers)
            self.passed += len(part)

    async def _spoil(self, part: bytes, writer: asyncio.StreamWriter, *, answers: bool) -> None:
        fault = self.fault
        if answers and fault == "latency":
            await asyncio.sleep(self.seconds)
        elif answers and fault == "reset":
            writer.write(part[: len(part) // 2])
            await writer.drain()
            raise ConnectionResetError
        elif answers and fault == "corrupt":
            part = self.corrupted(part)
        elif answers and fault == "drip":
            await self._drip(part, writer)
            return
        writer.write(part)
        await writer.drain()

    async def _drip(self, part: bytes, writer: asyncio.StreamWriter) -> None:
        for number in range(len(part)):
            if self.fault != "drip":
                writer.write(part[number:])
                break
            writer.write(part[number : number + 1])
            await writer.drain()
            await asyncio.sleep(self.seconds)
        await writer.drain()


def flipped(part: bytes) -> bytes:
    """Turn what an answer says into its opposite, so that it still reads as JSON of the same length."""
    swaps = ((b'"live"', b'"l\xefve"'), (b": false", b": true "), (b'"stopped"', b'"fallbac"'), (b": true", b": 1   "))
    for before, after in swaps:
        if before in part:
            return part.replace(before, after)
    return part
