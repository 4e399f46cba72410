"""A cycle cut off anywhere ends, after a restart, in the same place as an undisturbed one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from scenarios.story import START, Collector, Story
from sqlalchemy import Connection

from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.store import alerts, decision_log, effects, incidents
from governance.store.database import Database

STORY = {
    "every": "10m",
    "card": {
        "model": "m",
        "owners": {"team": "t"},
        "metrics": {
            "x": {"source": "test", "query": "x", "labels": ["feature"]},
            "y": {"source": "test", "query": "y"},
        },
        "rules": [
            {"rule": "high", "when": "metrics.x > 0.5", "for": "10m"},
            {"rule": "low", "when": {"warning": "metrics.y < 0.5", "critical": "metrics.y < 0.2"}},
        ],
    },
    "series": {'x{feature="a"}': "0.1 0.9x2 0.1", 'x{feature="b"}': "0.9x2 0.1x1", "y": "0.9 0.4 0.1 0.9 0.9"},
    "org": {"incidents": {"group_by": ["model", "rule"]}},
    "expect": [],
}


class Cut(Exception):
    """The process dies here."""


class MortalDatabase(Database):
    """Dies at the nth transaction: before its commit when `before`, else right after it."""

    def __init__(self, url: str, nth: int, *, before: bool) -> None:
        super().__init__(url)
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
    entries = sorted((each.decision.kind, each.decision.id) for each in decision_log.tail(database, 1000))
    story = [(each.id, each.group, each.status, each.version, each.findings) for each in found]
    return states, story, told, entries, sorted(set(sent))


def _played(folder: Path, nth: int, *, before: bool) -> tuple[tuple[object, ...], int]:
    """Play the story; after a cut start a new engine on the same file and repeat the step that was cut off."""
    url = f"sqlite:///{folder / 'gov.db'}"
    database: Database = MortalDatabase(url, nth + 3, before=before) if nth else Database(url)
    database.create_tables()
    collector, cuts = Collector(), 0
    for index in range(5):
        at = START + index * timedelta(minutes=10)
        while True:
            engine = Story(STORY, database=database, collector=collector).engine
            try:
                run_cycle(engine, at)
                dispatch(engine, at)
                break
            except Cut:
                cuts += 1
                database = Database(url)
                database.create_tables()
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    return _outcome(database, [each.key for each in collector.effects]), cuts


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
