"""The canary goes the whole way once in each stretch of time, and the engine says so when it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

import pytest

from governance.bootstrap import engine
from governance.core.effect import Effect, Receipt
from governance.core.incident import Incident
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.policies import policies
from governance.settings import Settings
from governance.store import decision_log, incidents

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ORG = """\
kind: org
sources: {pushed: {kind: push}}
notifiers: {ops: {kind: console}, pager: {kind: console}}
canary: {notifiers: [ops], every: 2h, within: 15m}
cycle: {every: 5m}
"""


@dataclass
class Told:
    """A notifier that remembers what it was told, and refuses while it is `down`."""

    REACHES: ClassVar[frozenset[str]] = frozenset({"place"})
    heard: list[str] = field(default_factory=list)
    down: bool = False

    def perform(self, effect: Effect) -> Receipt:
        if self.down:
            return Receipt(delivered=False, detail="HTTP 503")
        self.heard.append(f"{effect.message.model} {effect.message.reason}: {effect.message.title}")
        return Receipt(delivered=True, detail="heard")


@dataclass
class World:
    """An engine with a canary, told every five minutes."""

    engine: Engine
    ops: Told = field(default_factory=Told)
    pager: Told = field(default_factory=Told)
    minute: int = 0

    def __post_init__(self) -> None:
        self.engine.notifiers = {"ops": self.ops, "pager": self.pager}

    def go(self, minutes: int) -> None:
        for _ in range(minutes // 5):
            step(self.engine, START + self.minute * MINUTE)
            self.minute += 5

    def incidents(self, model: str) -> list[Incident]:
        with self.engine.database.read() as connection:
            return list(incidents.listed(connection, model=model))

    def silent(self) -> list[Incident]:
        """Return the engine's incidents about the canary."""
        return [each for each in self.incidents("engine") if "canary" in each.title]

    def entries(self, kind: str) -> list[datetime]:
        return [each.decision.at for each in decision_log.tail(self.engine.database, 1000, kind)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(ORG)
    built = engine(Settings(home=tmp_path / ".gov", policies=tmp_path / "policies"), base=tmp_path)
    yield World(built)
    built.database.close()


def test_it_trips_is_told_and_ends_once_in_each_stretch(world: World) -> None:
    world.go(10)
    said = "Canary: a finding that is made up, to prove that one is told; it ends by itself"
    assert world.ops.heard == [f"engine-canary first: {said}", f"engine-canary resolved: {said} – due is 0 now"]
    assert [each.status for each in world.incidents("engine-canary")] == ["resolved"]
    assert world.entries("canary.proved") == [START + 5 * MINUTE]
    world.go(120)
    assert len(world.ops.heard) == 4
    assert [each.reopened for each in world.incidents("engine-canary")] == [0, 0]
    assert world.entries("canary.proved") == [START + 5 * MINUTE, START + 125 * MINUTE]
    assert world.pager.heard == []
    assert world.incidents("engine") == []


def test_who_does_not_hear_it_is_an_incident_of_the_engine_until_they_do(world: World) -> None:
    world.ops.down = True
    world.go(20)
    assert world.silent() == []
    world.go(10)
    (opened,) = world.silent()
    said = "ops was not told of its incident (HTTP 503), 15m after it was due at 2026-01-31 12:00Z"
    assert opened.title == f"the canary does not go the whole way: {said}"
    assert f"engine first: {opened.title}" in world.pager.heard
    world.ops.down = False
    world.go(40)  # a delivery is tried again at half an hour at the latest
    assert world.entries("canary.proved")
    assert [each.status for each in world.silent()] == ["resolved"]
    assert f"engine resolved: {opened.title} – the canary goes the whole way again" in world.pager.heard
    assert [each.status for each in world.incidents("engine-canary")] == ["resolved"]


def test_a_rule_that_does_not_trip_is_found_out(world: World) -> None:
    plan = world.engine.plan
    world.engine.plan = type(plan)(**{**{name: getattr(plan, name) for name in plan.__slots__}, "policies": ()})
    world.go(30)
    assert world.engine.standing.canary.startswith("its rule has not tripped, 15m after it was due")


def test_a_restart_on_its_way_neither_repeats_nor_forgets_it(world: World, tmp_path: Path) -> None:
    world.go(5)
    again = World(engine(Settings(home=tmp_path / ".gov", policies=tmp_path / "policies"), base=tmp_path), minute=5)
    again.go(15)
    assert len(world.ops.heard + again.ops.heard) == 2
    assert [each.status for each in again.incidents("engine-canary")] == ["resolved"]
    assert len(again.entries("canary.proved")) == 1
    again.engine.database.close()


def test_being_away_is_no_failure_of_the_canary(world: World) -> None:
    world.go(5)
    world.minute += 60
    world.go(20)
    assert world.silent() == []
    assert world.entries("canary.proved")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{notifiers: [op], every: 1h, within: 10m}", "no notifier 'op'"),
        ("{notifiers: [ops], every: 5m}", "shorter than `every`"),
        ("{notifiers: []}", "at least 1"),
    ],
)
def test_a_canary_that_cannot_be_is_refused_where_it_is_written(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "org.yaml"
    file.write_text(ORG.replace("{notifiers: [ops], every: 2h, within: 15m}", written))
    problems = policies([tmp_path]).problems
    assert [each.position.line for each in problems] == [4]
    assert said in problems[0].message
