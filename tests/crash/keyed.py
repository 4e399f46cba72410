"""A real HTTP server that counts how often each key took effect, and knows whether its intent was committed by then."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from crash.dying import now

CALM = 780
"""The second from which on what refuses for a while does so no more."""


@dataclass
class Keyed:
    """What took effect, by key and in order, and what was told by messages.

    Under /safe a key takes effect once, however often it is sent; under /looked and /bare each request takes effect,
    and GET tells whether a key ever did. `held` are keys whose answer waits; `asked` is set when one of them came.
    """

    address: str = ""
    folder: Path = Path()
    effects: Counter[str] = field(default_factory=Counter)
    order: list[str] = field(default_factory=list)
    told: dict[str, set[bytes]] = field(default_factory=dict)
    refused: int = 0
    held: dict[str, threading.Event] = field(default_factory=dict)
    asked: threading.Event = field(default_factory=threading.Event)
    is_committed: Callable[[str], bool] = lambda _: True
    early: list[str] = field(default_factory=list)

    def begin(self, folder: Path, is_committed: Callable[[str], bool] = lambda _: True) -> None:
        """Forget what was, for another scene."""
        fresh = Keyed(self.address, folder, is_committed=is_committed)
        self.__dict__.update(fresh.__dict__)

    def take(self, path: str, key: str, body: bytes) -> int:
        """Do what is asked, unless it is refused for now, and return the answer."""
        if not self.is_committed(key):
            self.early.append(key)
        key = short(key)
        place, _, what = path.strip("/").partition("/")
        if place == "pager":
            self.told.setdefault(key, set()).add(body)
            return 200
        if what == "doomed" or (what == "train" and now(self.folder) < CALM):
            self.refused += 1
            return 503
        if not (place == "safe" and self.effects[key]):
            self.effects[key] += 1
            self.order.append(key)
        return 200

    def hold(self, key: str) -> None:
        """Keep an answer back, once, as long as that is wished."""
        held = self.held.pop(short(key), None)
        if held is not None:
            self.asked.set()
            held.wait(60)


def short(key: str) -> str:
    """Return a key without when the run began, which the scene need not know."""
    return re.sub(r"^(RUN-[0-9]+)[.][0-9]{8}T[0-9]{6}Z/", r"\1/", key)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    keyed: Keyed

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that was killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Answer an act; half a request is none."""
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:
            return
        key = self.headers["Idempotency-Key"]
        status = self.server.keyed.take(self.path, key, body)
        self.server.keyed.hold(key)
        self._answer(status)

    def do_GET(self) -> None:
        """Tell whether a key took effect."""
        key = unquote(self.path.strip("/").partition("/")[2])
        self._answer(200 if self.server.keyed.effects[short(key)] else 404)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "1")  # which says that it was not taken
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name is http.server's)
        """Say nothing."""


@contextmanager
def counting() -> Iterator[Keyed]:
    """Listen on a free port of this machine."""
    keyed = Keyed()
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.keyed = keyed
        keyed.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield keyed
        finally:
            server.shutdown()
            thread.join()
