"""A beat cut off anywhere ends, after a restart, in the same place as an undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from scenarios.story import START, Collector, Story
from sqlalchemy import Connection
from store.databases import laid_out_url

from governance.core.metric import Query
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.engine.loop import MOST_LATE, step
from governance.engine.own import OwnMetrics
from governance.store import alerts, decision_log, effects, incidents
from governance.store.database import Database

EVERY = timedelta(minutes=10)
STORY = {
    "every": "10m",
    "card": {
        "model": "m",
        "owners": {"team": "t"},
        "metrics": {
            "x": {"source": "test", "query": "x", "labels": ["feature"]},
            "y": {"source": "test", "query": "y"},
            "w": {"source": "test", "query": "w"},
            "z": {
                "source": "test",
                "query": "z",
                "every": "30m",
            },  # not due when the source begins to fail, or to answer
        },
        "rules": [
            {"rule": "high", "when": "metrics.x > 0.5", "for": "10m"},
            {"rule": "low", "when": {"warning": "metrics.y < 0.5", "critical": "metrics.y < 0.2"}},
            {"rule": "wide", "when": "metrics.w > 0.5"},
            {"rule": "slow", "when": "metrics.z > 0.5"},
        ],
    },
    "series": {
        'x{feature="a"}': "0.1 0.9x2 0.1",
        'x{feature="b"}': "0.9x2 0.1x1",
        "y": "0.9 0.4 0.1 0.9 0.9",
        "w": "0.1 down 0.1x2",
        "z": "0.1 down 0.1x2",
    },
    "org": {"incidents": {"group_by": ["model", "rule"]}},
    "expect": [],
}


class Cut(BaseException):
    """The process dies here."""


class MortalDatabase(Database):
    """Dies at the nth transaction: before its commit when `before`, else right after it."""

    def __init__(self, url: str, nth: int, *, before: bool, home: Path | None = None) -> None:
        super().__init__(url, home=home)
        self._left, self._before = nth, before

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._left -= 1
        dies = self._left == 0
        with super().transaction() as connection:
            yield connection
            if dies and self._before:
                raise Cut
        if dies:
            raise Cut


def _outcome(database: Database, sent: list[str]) -> tuple[object, ...]:
    with database.read() as connection:
        states = {key: alert.state for key, alert in alerts.active(connection).items()}
        found = incidents.listed(connection)
        told = sorted(effect.key for each in found for effect in effects.of_incident(connection, each.id))
    decided = [each.decision for each in decision_log.tail(database, 1000)]
    entries = sorted((each.kind, each.id, repr(each.body)) for each in decided)
    story = [(each.id, each.group, each.status, each.version, each.findings) for each in found]
    return states, story, told, entries, sorted(set(sent))


def _played(folder: Path, nth: int, *, before: bool, kind: str = "sqlite") -> tuple[tuple[object, ...], int]:
    """Play the story; after a cut start a new engine on the same database and repeat the step that was cut off."""
    url = laid_out_url(kind, folder)
    database: Database = MortalDatabase(url, nth + 3, before=before, home=folder) if nth else Database(url, home=folder)
    database.create_tables()
    collector, cuts = Collector(), 0
    for index in range(5):
        at = START + index * EVERY
        while True:
            engine = Story(STORY, database=database, collector=collector).engine
            try:
                run_cycle(engine, at)
                dispatch(engine, at)
                break
            except Cut:
                cuts += 1
                database.close()
                database = Database(url, home=folder)
                database.create_tables()
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    outcome = _outcome(database, [each.key for each in collector.effects])
    database.close()
    return outcome, cuts


@pytest.mark.parametrize("before", [True, False], ids=["before its commit", "after its commit"])
def test_death_at_every_transaction(tmp_path: Path, before: bool) -> None:
    undisturbed, _ = _played(tmp_path, 0, before=before)
    for nth in range(1, 60):
        folder = tmp_path / str(nth)
        folder.mkdir()
        outcome, cuts = _played(folder, nth, before=before)
        assert outcome == undisturbed, f"cut at transaction {nth}"
        if not cuts:
            break
    else:
        pytest.fail("the story has more transactions than were cut")
    assert nth > 15, "the story is too short to prove anything"


def test_death_on_a_server_ends_in_the_same_place(tmp_path: Path) -> None:
    undisturbed, _ = _played(tmp_path, 0, before=True)
    for nth, before in ((0, True), (2, True), (6, True), (7, False)):
        folder = tmp_path / str(nth)
        folder.mkdir()
        outcome, cuts = _played(folder, nth, before=before, kind="postgresql")
        assert outcome == undisturbed, f"cut at transaction {nth}"
        assert cuts == bool(nth)
        assert (folder / "governance.heads").read_bytes().endswith(b"\n")


PAST = {**STORY, "past": True, "series": {**STORY["series"], "w": "0.1", "z": "0.1"}}  # type: ignore[dict-item]
AWAY = 130
"""Missed cycles: more than are made up for, so that only every third is."""


def _caught_up(database: Database, *beats: int) -> list[tuple[datetime, object]]:
    """Look in these cycles; where a look is cut off, look again. Return the instants judged, with what was found."""
    for index in beats:
        while True:
            try:
                step(Story(PAST, database=database).engine, START + index * EVERY)
                break
            except Cut:
                continue
    entries = decision_log.tail(database, 1000, kind="cycle")
    return [(each.decision.at, each.decision.body) for each in entries]


def test_the_same_instants_are_made_up_for_wherever_catching_up_is_cut_off(tmp_path: Path) -> None:
    whole = Database(f"sqlite:///{tmp_path}/whole.db")
    whole.create_tables()
    undisturbed = _caught_up(whole, 0, AWAY + 1)
    assert AWAY // 3 < len(undisturbed) < MOST_LATE
    for nth in range(5, 110, 35):
        database = MortalDatabase(f"sqlite:///{tmp_path}/{nth}.db", nth, before=False)
        database.create_tables()
        assert _caught_up(database, 0, AWAY + 1) == undisturbed, f"cut at transaction {nth}"
        assert database._left <= 0, "it was never cut off"


def test_each_absence_is_as_long_as_it_is(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gov.db")
    database.create_tables()
    _caught_up(database, 0, 4, 7)
    query = Query("engine", text="away")
    (sample,) = OwnMetrics(database).sample([query], at=START + 7 * EVERY)[query].samples
    assert sample.value == 3 * EVERY.total_seconds()
