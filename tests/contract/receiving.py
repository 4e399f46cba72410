"""A real HTTP server that keeps what it was sent and answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATIENCE = 20.0
"""Seconds that a test waits for what must come."""


@dataclass(frozen=True)
class Reply:
    """One answer; with `hangs` it is given only once the event is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    hangs: threading.Event | None = None


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)

    @property
    def key(self) -> str:
        """The key that a receiver drops repeats by."""
        return self.headers.get("idempotency-key", "")


@dataclass
class Receiver:
    """Gives the replies of `script`, then `otherwise`."""

    script: list[Reply] = field(default_factory=list)
    otherwise: Reply = field(default_factory=Reply)
    got: list[Request] = field(default_factory=list)
    address: str = ""

    def next(self) -> Reply:
        """Return the next reply."""
        return self.script.pop(0) if self.script else self.otherwise


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run one on a free port of this machine."""
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = kept.next()
            kept.got.append(Request(self.path, headers, content))
            if reply.hangs is not None:
                reply.hangs.wait(PATIENCE)
            body = reply.body.encode()
            self.send_response_only(reply.status)  # without a date of its own
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):  # who asked has heard enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
