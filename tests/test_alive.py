"""The dead-man's-switch is pinged after a full cycle, and never after one of which a part failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from test_canary import MINUTE, START, Told

from governance.bootstrap import engine
from governance.core.alive import Alive
from governance.core.incident import Incident
from governance.engine import pushing
from governance.engine.alive import Pinger, ping
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.policies import policies
from governance.settings import Settings
from governance.store import incidents, progress
from governance.store.pushed import PushedSample

ORG = """\
kind: org
sources: {pushed: {kind: push}, shop: {kind: sql, address: "sqlite:///nowhere/shop.db"}}
notifiers: {ops: {kind: console}}
alive: {address: "https://hc.example.com/uuid", every: 1m}
"""
CARD = """\
kind: card
model: loans
owners: {team: t}
metrics: {errors: {source: %s, query: %s}}
rules: [{rule: errors-high, when: metrics.errors > 0.5, severity: critical, no_data: {then: ok}}]
"""


@dataclass
class World:
    """An engine with a dead-man's-switch, told minute by minute, and what the switch heard."""

    engine: Engine
    ops: Told = field(default_factory=Told)
    answer: str = ""
    pings: list[int] = field(default_factory=list)
    minute: int = 0

    def __post_init__(self) -> None:
        self.engine.notifiers = {"ops": self.ops}
        self.pinger = Pinger(self.engine, self.ping)

    def ping(self, alive: Alive) -> str:
        assert alive.every == MINUTE
        self.pings.append(self.minute)
        return self.answer

    def go(self, minutes: int = 1) -> None:
        for _ in range(minutes):
            at = START + self.minute * MINUTE
            step(self.engine, at)
            self.pinger.look(at)
            self.pinger.look(at)  # the same cycle is told once
            self.minute += 1

    def push(self, value: float) -> None:
        at = START + self.minute * MINUTE
        pushing.push(
            self.engine, "pushed", [PushedSample("loans", "errors", at, value)], key=at.isoformat(), actor="p", at=at
        )

    def incidents(self) -> list[Incident]:
        with self.engine.database.read() as connection:
            return list(incidents.listed(connection, model="engine"))


def made(directory: Path, source: str, query: str) -> World:
    (directory / "policies").mkdir()
    (directory / "policies" / "org.yaml").write_text(ORG)
    (directory / "policies" / "loans.yaml").write_text(CARD % (source, query))
    return World(engine(Settings(home=directory / ".gov", policies=directory / "policies"), base=directory))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = made(tmp_path, "pushed", "errors")
    yield built
    built.engine.database.close()


def test_each_full_cycle_is_told_once(world: World) -> None:
    world.push(0.1)
    world.go(3)
    assert world.pings == [0, 1, 2]
    assert world.engine.standing.silence == ""
    world.pinger.look(START + 2 * MINUTE)
    assert world.pings == [0, 1, 2]


def test_a_notification_that_is_not_accepted_is_followed_by_no_ping(world: World) -> None:
    world.push(0.9)
    world.ops.down = True
    world.go(2)
    assert world.pings == []
    assert world.engine.standing.silence == "ops did not accept a notification of INC-1 (HTTP 503)"
    world.ops.down = False
    world.go(3)
    assert world.pings


def test_a_metric_that_cannot_be_read_is_followed_by_no_ping(tmp_path: Path) -> None:
    world = made(tmp_path, "shop", "SELECT 1")
    world.go(2)
    assert world.pings == []
    assert world.engine.standing.silence == "the source shop fails"
    world.engine.database.close()


def test_an_engine_that_stands_still_does_not_ping(world: World) -> None:
    world.push(0.1)
    world.go()
    world.pinger.look(START + 10 * MINUTE)
    assert world.pings == [0]
    assert world.engine.standing.silence.startswith("the last complete cycle is of 2026-01-31 12:00:00Z")


def test_a_log_that_does_not_verify_and_a_late_canary_are_followed_by_no_ping(world: World) -> None:
    step(world.engine, START)
    world.engine.standing.canary = "its rule has not tripped"
    assert not world.pinger.look(START)
    assert world.engine.standing.silence == "the canary does not go the whole way: its rule has not tripped"
    world.engine.standing.canary = ""
    with world.engine.database.transaction() as connection:
        progress.set_last(connection, progress.UNSOUND, START)
    assert not world.pinger.look(START)
    assert world.engine.standing.silence == "the decision log does not verify"
    assert world.pings == []


def test_a_ping_that_is_not_taken_is_told_where_people_look(world: World) -> None:
    world.push(0.1)
    world.answer = "HTTP 404"
    world.go(5)
    assert world.pings == [0, 1, 2, 3, 4]
    assert [each.title for each in world.incidents()] == ["the dead-man's-switch takes no ping: HTTP 404"]
    world.answer = ""
    world.go(2)
    assert [each.status for each in world.incidents()] == ["resolved"]


class Switch(BaseHTTPRequestHandler):
    """A dead-man's-switch that takes pings at /up and knows nothing else."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        self.send_response(200 if self.path == "/up" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 (the name in the standard library)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the standard library)
        """Say nothing."""


def test_the_address_is_asked_over_http_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Switch) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://localhost:{server.server_address[1]}"
        assert ping(Alive(address=f"{address}/up", loopback=True)) == ""
        assert ping(Alive(address=f"{address}/up", loopback=True, method="post")) == ""
        monkeypatch.setenv("HC", f"{address}/gone?key=hunter2")
        assert ping(Alive(address_env="HC", loopback=True)) == "HTTP 404"
        server.shutdown()
    assert Switch.asked == ["GET /up", "POST /up", "GET /gone?key=hunter2"]
    said = ping(Alive(address_env="HC", loopback=True))
    assert "hunter2" not in said
    assert said
    assert ping(Alive(address_env="UNSET")) == "UNSET is not set"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{every: 1m}", "give either `address` or `address_env`"),
        ('{address: "ftp://x"}', "must begin with http:// or https://"),
        ("{address_env: HC, every: 0s}", "at least 1s"),
    ],
)
def test_a_switch_that_cannot_be_is_refused_where_it_is_written(tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "org.yaml").write_text(ORG.replace('{address: "https://hc.example.com/uuid", every: 1m}', written))
    (problem,) = policies([tmp_path]).problems
    assert (problem.position.line, said in problem.message) == (4, True), problem
