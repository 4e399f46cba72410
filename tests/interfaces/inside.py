"""The API in this process: the real app over a real engine, with a clock that a test turns."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from interfaces.serving import FILES, prepared

from governance.api.app import Service, app
from governance.api.feed import Feed
from governance.api.gate import Doors, SignOn
from governance.api.limits import Buckets
from governance.api.ofrep.events import Streams
from governance.api.pulse import Pulse
from governance.bootstrap import engine as built
from governance.engine import pushing, tokens
from governance.engine.board import Board
from governance.engine.cycle import run_cycle
from governance.engine.keyring import Keyring
from governance.engine.parts import Engine
from governance.engine.refusals import Refusals
from governance.settings import Settings
from governance.store.pushed import PushedSample

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ORG = """
kind: org
people: {ana: {email: ana@example.com}, bob: {email: bob@example.com}, vic: {}, out: {}}
teams: {t: {members: [ana], leads: [ana]}}
roles:
  - {role: responder, who: [bob]}
  - {role: viewer, who: [vic]}
sources: {pushed: {kind: push}}
cycle: {every: 1s}
"""
OTHER = """
kind: card
model: fraud
owners: {team: t}
metrics: {errors: {source: pushed, query: error_rate, every: 1s, stale_after: 1h}}
rules: [{rule: errors-high, when: metrics.errors > 0.5}]
"""
CARDS = {"org.yaml": ORG, "loans.yaml": FILES["loans.yaml"], "fraud.yaml": OTHER}


class Clock:
    """The time, as a test says it is."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        """Return it."""
        return self.time

    def on(self, **by: float) -> datetime:
        """Let it go on."""
        self.time += timedelta(**by)
        return self.time


class Client:
    """Asks the app in this process, each time in a loop of its own."""

    def __init__(self, asked: FastAPI, address: str) -> None:
        self._app, self._address = asked, address

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return the answer, as a client over the network would get it."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False, client=(self._address, 4321))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Get."""
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Post."""
        return self.request("POST", path, **more)


@dataclass
class Inside:
    """The app, its engine, its clock, and clients who ask."""

    engine: Engine
    clock: Clock
    service: Service
    client: Client
    ticks: list[float]
    count: Any

    def token(self, for_: str, *, actor: str = "ana", **more: Any) -> str:
        """Make a token and return its secret."""
        more = {"kind": "person", **more}
        _, secret = tokens.create(
            self.engine, for_, actor=actor if more["kind"] == "service" else for_, at=self.clock.now(), **more
        )
        self.later()
        return secret

    def later(self, seconds: float = 2) -> None:
        """Let the time of the machine go on, by which memory grows old."""
        self.ticks[0] += seconds

    def as_(self, secret: str, method: str, path: str, **more: Any) -> Any:
        """Ask with a token."""
        headers = {"Authorization": f"Bearer {secret}", **more.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **more)

    def judge(self, *values: float, model: str = "loans") -> None:
        """Push values of a model's error rate, one a second, and judge each."""
        for value in values:
            at = self.clock.on(seconds=1)
            sample = PushedSample(model, "error_rate", at, value)
            pushing.push(self.engine, "pushed", [sample], key=f"k{next(self.count)}", actor="test", at=at)
            run_cycle(self.engine, at)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of entries of a kind."""
        from governance.store import decision_log

        return [dict(each.decision.body) for each in decision_log.tail(self.engine.database, 1000, kind)]


def inside(
    directory: Path,
    files: dict[str, str] = CARDS,
    *,
    sign_on: SignOn | None = None,
    address: str = "127.0.0.1",
    ticks: list[float] | None = None,
) -> Inside:
    """Build it."""
    prepared(directory, files)
    clock, made_ticks = Clock(), ticks if ticks is not None else [0.0]
    settings = Settings(home=directory / ".gov", policies=directory / "policies")
    engine = built(settings, clock=clock, base=directory)
    keyring = Keyring(engine, lambda: made_ticks[0])
    machine = {"monotonic": lambda: made_ticks[0]}
    failures, writes = Buckets(20, 0.5, **machine), Buckets(300, 50, **machine)
    doors = Doors(keyring, Refusals(engine), "login", clock.now, sign_on, failures=failures, writes=writes)
    board = Board(engine)
    service = Service(doors, Feed(engine), Pulse(), board, Streams(board, 1000), timedelta(seconds=1))
    client = Client(app(engine, service), address)
    return Inside(engine, clock, service, client, made_ticks, itertools.count())
