"""A real HTTP server that is told of incidents, refuses some messages, and knows what was committed by then."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One request: its key and body, the answer, and whether its effect was in the database when it came."""

    key: str
    body: bytes
    answer: int
    committed: bool


@dataclass
class Receiver:
    """What was heard, in order; a message is refused in some cycles, always the same ones."""

    database: Path
    address: str = ""
    heard: list[Heard] = field(default_factory=list)

    def hear(self, path: str, key: str, body: bytes) -> int:
        """Keep a request and return the answer to it."""
        cycle = int(path.rpartition("/")[2])
        answer = 503 if (zlib.crc32(key.encode()) + cycle) % 3 == 0 else 200
        self.heard.append(Heard(key, body, answer, self._committed(key)))
        return answer

    def _committed(self, key: str) -> bool:
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            return connection.execute("select 1 from effect where key = ?", (key,)).fetchone() is not None


class _Server(ThreadingHTTPServer):
    receiver: Receiver

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that was killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer a message; half a message is none."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) == length:
            self.send_response(self.server.receiver.hear(self.path, self.headers["Idempotency-Key"], body))
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
        """Say nothing."""


@contextmanager
def listening(database: Path) -> Iterator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver(database)
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.receiver = receiver
        receiver.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()
