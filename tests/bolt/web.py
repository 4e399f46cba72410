"""Slack's Web API as far as an answer needs it: an HTTP server that writes down what it is asked, and says yes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

LIMIT = 20.0


@dataclass
class Call:
    """One request: the method, or `respond` for a response_url, and its arguments."""

    method: str
    said: dict[str, Any]

    @property
    def text(self) -> str:
        """Everything that a person reads in it."""
        return json.dumps(self.said, ensure_ascii=False)


@dataclass
class Web:
    """The server; `refusing` names methods and the error that they answer."""

    calls: list[Call] = field(default_factory=list)
    refusing: dict[str, str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                said = json.loads(raw) if raw.startswith("{") else {k: _read(v) for k, v in parse_qsl(raw)}
                answer = web.answer(self.path.rpartition("/")[2], said)
                body = json.dumps(answer).encode()
                self.send_response(200)
                for name, value in {**web.headers, "Content-Type": "application/json"}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST  # noqa: N815 (the name that the server looks for)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}/api/"

    def answer(self, method: str, said: dict[str, Any]) -> dict[str, Any]:
        """Write down and answer one request."""
        with self._changed:
            self.calls.append(Call(method, said))
            self._changed.notify_all()
            if method in self.refusing:
                return {"ok": False, "error": self.refusing[method]}
            return {"ok": True, "ts": "1.5", "channel": "C1", "view": {"id": "V1"}, **self.answers.get(method, {})}

    def wait(self, method: str, words: str = "", count: int = 1) -> Call:
        """Return the last call of a method with these words, once there are so many."""

        def found() -> list[Call]:
            return [each for each in self.calls if each.method == method and words in each.text]

        end = time.monotonic() + LIMIT
        with self._changed:
            while len(found()) < count:
                left = end - time.monotonic()
                assert left > 0, f"no {method} with {words!r} in {[(x.method, x.text[:400]) for x in self.calls]}"
                self._changed.wait(left)
            return found()[-1]

    def of(self, method: str) -> list[Call]:
        """Return the calls of a method."""
        with self._changed:
            return [each for each in self.calls if each.method == method]

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < end, "it does not come to hold"
        time.sleep(0.01)


def _read(value: str) -> Any:
    return json.loads(value) if value.startswith(("{", "[")) else value
