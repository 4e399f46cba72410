"""Answers of a real engine, written down once and played to the real client: the same on every machine, at every hour.

`make recorded` writes them anew, by letting the app go through all its screens over the engine of `scene`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from governance.client import TERMINAL_APP, Client
from tui.feed import POINTS

REFUSED = "[Errno 111] Connection refused"
"""What is said of an engine that is not reached, at each try."""
RECORDED = Path(__file__).parent / "recorded.json"


def asked(who: str, request: httpx.Request) -> str:
    """Return by what an answer is known."""
    query = request.url.query.decode()
    return f"{who} {request.method} {request.url.path}{f'?{query}' if query else ''}"


class Beats(httpx.SyncByteStream):
    """The stream of events of an engine in which nothing is decided."""

    def __init__(self, lost: Callable[[], bool]) -> None:
        self._ended, self._lost = threading.Event(), lost

    def __iter__(self) -> Iterator[bytes]:
        """Give signs of life."""
        while not self._ended.wait(0.1):
            if self._lost():
                raise httpx.ConnectError(REFUSED)
            yield b":\n\n"

    def close(self) -> None:
        """End."""
        self._ended.set()


class Played(httpx.BaseTransport):
    """Answers as the engine did; what was never asked is noted. While `lost`, nothing is reached."""

    def __init__(self, who: str, answers: dict[str, Any]) -> None:
        self.who, self.answers = who, answers
        self.after = self.lost = False
        self.missing: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer."""
        if self.lost:
            raise httpx.ConnectError(REFUSED)
        if request.url.path == "/v1/events":
            return httpx.Response(200, stream=Beats(lambda: self.lost))
        name = asked(self.who, request)
        found = self.answers.get(f"{name} (after)") if self.after else None
        found = found or self.answers.get(name) or self._unchanged(request)
        if found is None:
            self.missing.add(name)
            return httpx.Response(404, json={"detail": f"nothing is recorded of: {name}"})
        status, body = found
        return httpx.Response(status, json=body)

    def _unchanged(self, request: httpx.Request) -> Any:
        """Return what is said where nothing has changed: on a slow machine that is asked for in between."""
        if request.url.path == "/v1/log" and "after" in request.url.params:
            return [200, {"items": [], "next": None}]
        whole = self.answers.get(f"{self.who} GET /v1/fleet?limit=500&points={POINTS}")
        if request.url.path != "/v1/fleet" or "since" not in request.url.params or whole is None:
            return None
        return [whole[0], {**whole[1], "items": [], "whole": False}]


def client_of(transport: httpx.BaseTransport) -> Client:
    """Return the real client over a transport."""
    made = Client("http://engine:8750", agent=TERMINAL_APP)
    made._http = httpx.Client(base_url=made.url, headers={"User-Agent": TERMINAL_APP}, transport=transport)
    return made


def recorded() -> dict[str, Any]:
    """Return the answers by what was asked."""
    return dict(json.loads(RECORDED.read_text(encoding="utf-8")))
