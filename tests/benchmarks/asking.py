"""A client that asks one question over and over on kept-alive connections, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time


class Connection(asyncio.Protocol):
    """Sends a request, waits for its answer, and sends the next."""

    def __init__(self, request: bytes, until: float) -> None:
        """Ask until an instant of the monotonic clock."""
        self.request, self.until = request, until
        self.seconds: list[float] = []
        self.wrong = 0
        self.done = asyncio.get_running_loop().create_future()
        self.got = b""
        self.asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask first."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Take an answer, or a part of one."""
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        now = time.monotonic()
        self.seconds.append(now - self.asked)
        self.wrong += not head.startswith(b"HTTP/1.1 200")
        self.got = b""
        if now < self.until:
            self._ask()
        else:
            self.transport.close()
            self.done.set_result(None)

    def _ask(self) -> None:
        self.asked = time.monotonic()
        self.transport.write(self.request)


async def asked(host: str, port: int, request: bytes, connections: int, seconds: float) -> tuple[list[float], int]:
    """Return the seconds of each answer, and how many were not 200."""
    loop = asyncio.get_running_loop()
    until = time.monotonic() + seconds
    made = [
        (await loop.create_connection(lambda: Connection(request, until), host, port))[1] for _ in range(connections)
    ]
    await asyncio.gather(*(each.done for each in made))
    return [second for each in made for second in each.seconds], sum(each.wrong for each in made)


def main() -> None:
    """Ask as the arguments say, and print what came of it as JSON."""
    host, port, connections, seconds, core = sys.argv[1:6]
    os.sched_setaffinity(0, {int(core)})
    request = sys.stdin.buffer.read()
    found, wrong = asyncio.run(asked(host, int(port), request, int(connections), float(seconds)))
    found.sort()
    print(
        json.dumps(
            {
                "answers": len(found),
                "wrong": wrong,
                "p50": found[len(found) // 2],
                "p99": found[len(found) * 99 // 100],
                "worst": found[-1],
            }
        )
    )


if __name__ == "__main__":
    main()
