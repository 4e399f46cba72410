"""A real HTTP server that does what it is asked, counts it, and fails in every way that a real one does."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Fault = Literal["", "lost", "never", "silent", "huge", "drip", "html", "moved", "error", "busy"]
FAULTS: tuple[Fault, ...] = ("lost", "never", "silent", "huge", "drip", "html", "moved", "error", "busy")
"""`lost`: it acts, and hangs up. `never`: it hangs up before it acts. The others act, but for `moved` and `busy`."""


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON, or as a form."""
        if self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return dict(parse_qsl(self.content.decode()))
        return json.loads(self.content or b"{}")

    @property
    def key(self) -> str:
        """The key that a receiver drops repeats by."""
        return self.headers.get("idempotency-key", "")


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        return (
            b"" if self.body is None else self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        )


@dataclass
class World:
    """Acts as `told` says; with a `fault` what `acts` goes wrong, or `everything`. `echo` is sent along."""

    told: Callable[[Asked], Reply] = lambda _: Reply()
    fault: Fault = ""
    everything: bool = False
    acts: Callable[[Asked], bool] = lambda asked: asked.method not in ("GET", "HEAD")
    echo: str = ""
    got: list[Asked] = field(default_factory=list)
    did: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    leave: Callable[[], None] = lambda: None

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def broken(self, fault: Fault, *, everything: bool = False) -> Iterator[None]:
        """Have a fault for a while."""
        self.fault, self.everything = fault, everything
        try:
            yield
        finally:
            self.fault, self.everything = "", False


@contextmanager
def world() -> Iterator[World]:
    """Run one on a free port of this machine."""
    kept = World()

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, unquote(parts.path), dict(parse_qsl(parts.query)), headers, content)
            kept.got.append(asked)
            with suppress(OSError):  # who asked has heard enough
                _answer(kept, self, asked)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 (the names of the library)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()

    def leave() -> None:
        kept.over.set()
        server.shutdown()
        thread.join()
        server.server_close()

    kept.leave = leave
    try:
        yield kept
    finally:
        leave()


def _answer(kept: World, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
    fault = kept.fault if kept.everything or kept.acts(asked) else ""
    if fault == "never":
        handler.close_connection = True
    elif fault == "moved":
        _send(handler, Reply(307, headers={"Location": f"{kept.address}/elsewhere?{kept.echo}"}))
    elif fault == "busy":
        _send(handler, Reply(429, {"error": f"slow down {kept.echo}"}, {"Retry-After": "7"}))
    else:
        reply = kept.told(asked)
        _send_faulty(kept, handler, fault, reply)


def _send_faulty(kept: World, handler: BaseHTTPRequestHandler, fault: Fault, reply: Reply) -> None:
    if fault == "lost":
        handler.close_connection = True
    elif fault == "silent":
        kept.over.wait(timeout=20)
    elif fault == "drip":
        _drip(kept, handler)
    elif fault == "huge":
        _send(handler, Reply(200, b'{"a": "' + b"x" * (3 << 20) + b'"}'))
    elif fault == "html":
        _send(handler, Reply(200, f"<html>sign in, {kept.echo}\x1b[31m</html>".encode()))
    elif fault == "error":
        _send(handler, Reply(500, f"Traceback: {kept.echo}".encode()))
    else:
        _send(handler, reply)


def _drip(kept: World, handler: BaseHTTPRequestHandler) -> None:
    """Send a status, and then an endless header, byte by byte."""
    end = time.monotonic() + 20
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not kept.over.is_set() and kept.fault == "drip" and time.monotonic() < end:
        handler.wfile.write(b"x")
        kept.over.wait(timeout=0.02)
    handler.close_connection = True


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response_only(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(reply.content)))
    handler.end_headers()
    handler.wfile.write(reply.content)
