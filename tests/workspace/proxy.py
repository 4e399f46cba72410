"""A small proxy in front of a Slack server: it encloses the server, notes what is asked, and makes it fail."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from workspace.enclosure import enclose
from workspace.faults import Fault, Faults, Wrong
from workspace.frames import TEXT, read_frame, text_frame

PATIENCE = 20.0
"""Seconds that a server may take to start."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request to a method of the Web API: when (seconds since the epoch), with what, and what came of it."""

    at: float
    method: str
    args: dict[str, Any]
    status: int
    answer: dict[str, Any]


class Proxy:
    """The address of a Slack server for the code under test; the server is in a network of its own where possible."""

    def __init__(self, inner_port: int) -> None:
        self.faults = Faults()
        self.calls: list[Call] = []
        self.envelopes: list[dict[str, Any]] = []
        self.enclosed = False
        self._inner = inner_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._sockets: set[asyncio.StreamWriter] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name="slack proxy")
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._command: Sequence[str | Path] = ()
        self._log = Path()

    @property
    def url(self) -> str:
        """The address of the server's root."""
        return f"http://127.0.0.1:{self.port}/"

    def start(self, command: Sequence[str | Path], log: Path) -> None:
        """Start the server and wait until it answers."""
        self._command, self._log = command, log
        self._thread.start()
        self._started.wait(PATIENCE + 5)
        if self._failure:
            raise self._failure

    def stop(self) -> None:
        """End the server and the proxy."""
        self.faults.end()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if self._process:
            self._process.kill()
            self._process.wait()
        self._listener.close()

    def cut(self) -> int:
        """Close every Socket Mode connection without a word, as a lost network does; return how many."""
        lost = list(self._sockets)
        for writer in lost:
            self._loop.call_soon_threadsafe(writer.transport.abort)
        return len(lost)

    @property
    def connected(self) -> int:
        """How many Socket Mode connections are open."""
        return len(self._sockets)

    def deliver(self, envelope: dict[str, Any]) -> None:
        """Send an envelope over Socket Mode, again or for the first time."""
        frame = text_frame(json.dumps(envelope), masked=False)
        for writer in list(self._sockets):
            self._loop.call_soon_threadsafe(writer.write, frame)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self.enclosed = enclose()
            with self._log.open("wb") as output:
                self._process = subprocess.Popen(self._command, stdout=output, stderr=subprocess.STDOUT)
            self._loop.run_until_complete(self._ready())
            serving = self._loop.run_until_complete(asyncio.start_server(self._accept, sock=self._listener))
        except BaseException as failure:  # noqa: BLE001 (the starting thread raises it)
            self._failure = failure
            return
        finally:
            self._started.set()
        self._loop.run_forever()
        serving.close()
        self._finish()

    def _finish(self) -> None:
        open_ones = asyncio.all_tasks(self._loop)
        for task in open_ones:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*open_ones, return_exceptions=True))
        self._loop.close()

    async def _ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process and self._process.poll() is None:
            with suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self._inner)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"the server did not start; it says:\n{self._log.read_text(errors='replace')[-2000:]}")

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._exchange(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either side left, or the test ended
        finally:
            writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, headers = _head(head)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        path = self._path(first.split(" ")[1])
        method = _method(path)
        if headers.get("upgrade", "").lower() == "websocket":
            await self._socket(head, path, method, reader, writer)
            return
        fault = self.faults.next(method) if method else None
        if fault and fault.wrong is not Wrong.UNANSWERED:
            await self._fail(fault, method, _args(path, headers, body), writer)
            return
        answer = await self._ask(head, path, body)
        if method:
            self._note(method, _args(path, headers, body), answer)
        if not fault:
            writer.write(answer)
            await writer.drain()

    async def _fail(self, fault: Fault, method: str, args: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        if fault.wrong is Wrong.HOLE:
            while not fault.over.is_set():
                await asyncio.sleep(0.05)
        status = {Wrong.LIMITED: 429, Wrong.BROKEN: 500}.get(fault.wrong, 0)
        self.calls.append(Call(time.time(), method, args, status, {}))
        if status == 429:
            writer.write(_response("429 Too Many Requests", '{"ok":false,"error":"ratelimited"}', fault.retry_after))
        elif status:
            writer.write(_response("500 Internal Server Error", "<html>Something went wrong</html>"))
        await writer.drain()

    async def _ask(self, head: bytes, path: str, body: bytes) -> bytes:
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"expect:"))]
        lines[0] = b" ".join([lines[0].split(b" ")[0], path.encode(), b"HTTP/1.1"])
        lines.insert(1, b"Connection: close")
        reader, writer = await asyncio.open_connection("127.0.0.1", self._inner)
        try:
            writer.write(b"\r\n".join(lines) + body)
            return await _answer(reader)
        finally:
            writer.close()

    def _note(self, method: str, args: dict[str, Any], answer: bytes) -> None:
        head, _, body = answer.partition(b"\r\n\r\n")
        said: dict[str, Any] = {}
        with suppress(ValueError):
            said = json.loads(body)
        self.calls.append(Call(time.time(), method, args, int(head.split(b" ")[1]), said))

    async def _socket(
        self, head: bytes, path: str, method: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if method and self.faults.next(method):
            return
        below_reader, below = await asyncio.open_connection("127.0.0.1", self._inner)
        first = head.split(b"\r\n")[0].split(b" ")
        below.write(b" ".join([first[0], path.encode(), first[2]]) + head[head.index(b"\r\n") :])
        writer.write(await below_reader.readuntil(b"\r\n\r\n"))
        if method:
            self._sockets.add(writer)
        up = asyncio.ensure_future(_copy(reader, below))
        try:
            while True:
                kind, said, frame = await read_frame(below_reader)
                if method and kind == TEXT and b"envelope_id" in said:
                    self.envelopes.append(json.loads(said))
                writer.write(frame)
                await writer.drain()
        finally:
            self._sockets.discard(writer)
            up.cancel()
            below.transport.abort()

    def _path(self, path: str) -> str:
        """Return a path without the part that says through whom the server is reached (see `through`)."""
        return path.removeprefix(f"/through:{self._inner}")

    @property
    def through(self) -> str:
        """The host for a server that writes `host:port` of its own into the addresses that it gives out."""
        return f"127.0.0.1:{self.port}/through"


def _head(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines if line]
    return first, {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer by its own length, for the server may leave the connection open for seconds."""
    head = await reader.readuntil(b"\r\n\r\n")
    _, headers = _head(head)
    if "chunked" not in headers.get("transfer-encoding", ""):
        return head + await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    kept = [line for line in head.split(b"\r\n") if line and not line.lower().startswith(b"transfer-encoding:")]
    return b"\r\n".join([*kept, b"Content-Length: %d" % len(body), b"", b""]) + body


def _method(path: str) -> str:
    """Return the method of the Web API, `socket`, `response_url` or `upload`, or `` for what the tests ask."""
    place = urlsplit(path).path
    if place.startswith("/api/"):
        return place.removeprefix("/api/")
    begins = {"/socket/": "socket", "/_hooks/": "response_url", "/upload/": "upload"}
    return next((name for begin, name in begins.items() if place.startswith(begin)), "")


def _args(path: str, headers: dict[str, str], body: bytes) -> dict[str, Any]:
    args: dict[str, Any] = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
    kind = headers.get("content-type", "")
    with suppress(ValueError, UnicodeDecodeError):
        if "json" in kind:
            args |= json.loads(body)
        elif "form-urlencoded" in kind:
            args |= {name: _value(values[0]) for name, values in parse_qs(body.decode()).items()}
    return args


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text[:1] in "[{" else text
    except ValueError:
        return text


def _response(status: str, body: str, retry_after: int | None = None) -> bytes:
    kind = "application/json" if body.startswith("{") else "text/html"
    limit = f"Retry-After: {retry_after}\r\n" if retry_after is not None else ""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{limit}Connection: close\r\n"
    return f"{head}\r\n{body}".encode()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()
