"""Many clients in one process: each hears of changes, asks for its model at once, and says when it has the answer.

    python subscribers.py PORT COUNT MODEL    prints "ready", then for each answer one line: its seq, and when (seconds)

They do as our provider does on the wire, and nothing else, so that hundreds of them leave the machine to the engine:
they take a change over that leads on from the state they hold, and ask otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import sys
import time

SEQ = re.compile(rb'"metadata":\{"seq":(\d+),"state":"(\w+)"\}\}$')
CHANGE = re.compile(
    rb'event: switches\ndata: (\S+)\ndata: (\{"since":"(\w+)","state":"(\w+)","seq":(\d+),"etag":"\\"(.*?)\\"".*)\n'
)
ASK = re.compile(rb'"refetchEvaluation","etag":"\\"(\w+)\\""')


class Asking(asyncio.Protocol):
    """Asks for the flags whenever it is told to, on one connection that is kept."""

    def __init__(self, model: str) -> None:
        """Ask for one model."""
        self.model, self.tag, self.state, self.got = model, "", b"", b""
        self.busy = self.again = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask first."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Ask now, or once more when the answer that is under way has come."""
        if self.busy:
            self.again = True
            return
        self.busy, self.again = True, False
        known = f"If-None-Match: {self.tag}\r\n" if self.tag else ""
        head = f"POST /ofrep/v1/evaluate/flags?model={self.model} HTTP/1.1\r\nHost: localhost\r\n{known}"
        self.transport.write(
            f'{head}Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{{"context":{{}}}}'.encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take an answer, or a part of one."""
        self.got += data
        head, found, body = self.got.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not found or (length is not None and len(body) < int(length[1])):
            return
        self.got, self.busy = b"", False
        tag, seq = re.search(rb"(?i)etag: (\S+)", head), SEQ.search(body)
        self.tag = tag[1].decode() if tag is not None else ""
        if seq is not None:
            self.state = seq[2]
            print(int(seq[1]), time.monotonic(), flush=True)
        if self.again:
            self.ask()


class Listening(asyncio.Protocol):
    """Hears of changes."""

    def __init__(self, asking: Asking) -> None:
        """Let somebody ask at each that cannot be taken over."""
        self.asking, self.got = asking, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Open the stream."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(
            f"GET /ofrep/v1/events?model={self.asking.model}&changes=true HTTP/1.1\r\nHost: localhost\r\n"
            "Accept: text/event-stream\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take changes over, and ask when told to and the state is another."""
        *events, self.got = (self.got + data).split(b"\n\n")
        asking = self.asking
        for each in events:
            change, ask = CHANGE.search(each + b"\n"), ASK.search(each)
            if change is not None and change[3] == asking.state and not asking.busy:
                digest = base64.b64encode(hashlib.sha256(change[2]).digest())
                if digest == change[1]:
                    asking.state, asking.tag = change[4], f'"{change[6].decode()}"'
                    print(int(change[5]), time.monotonic(), flush=True)
            elif ask is not None and ask[1] != asking.state:
                asking.ask()


async def main(port: int, count: int, model: str) -> None:
    """Open them all, and go on until killed."""
    loop = asyncio.get_running_loop()
    for _ in range(count):
        _, asking = await loop.create_connection(lambda: Asking(model), "127.0.0.1", port)
        await loop.create_connection(lambda asking=asking: Listening(asking), "127.0.0.1", port)  # type: ignore[misc]
    print("ready", flush=True)
    await loop.create_future()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
