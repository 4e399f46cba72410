"""Disks that fill up: nothing is half written, and all goes on when there is room again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from scenarios.story import START, Collector, Story
from sqlalchemy import event

from governance.engine import operations
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.errors import Conflict, Unavailable
from governance.store import alerts, decision_log, effects, incidents
from governance.store.database import Database

EVERY = timedelta(minutes=10)
STORY = {
    "every": "10m",
    "card": {
        "model": "m",
        "owners": {"team": "t"},
        "metrics": {"x": {"source": "test", "query": "x", "labels": ["feature"]}},
        "rules": [{"rule": "high", "when": "metrics.x > 0.5", "summary": "{labels.feature} is high " + "x" * 1000}],
    },
    "series": {f'x{{feature="f{n}"}}': "0.1 0.9x2" for n in range(12)},
    "org": {"people": {"ana": {}}, "incidents": {"group_by": ["model", "rule"]}},
    "expect": [],
}


class SmallDisk:
    """A database whose file may grow by `pages` pages and no more; None is no limit."""

    def __init__(self, path: Path) -> None:
        self.database = Database(f"sqlite:///{path}")
        self.database.create_tables()
        self.pages: int | None = None
        event.listen(self.database._engine, "checkout", self._limit)

    @contextmanager
    def full_after(self, pages: int) -> Iterator[None]:
        with self.database.read() as connection:
            self.pages = pages + int(connection.exec_driver_sql("PRAGMA page_count").scalar_one())
        try:
            yield
        finally:
            self.pages = None

    def _limit(self, raw: sqlite3.Connection, *_: object) -> None:
        raw.execute(f"PRAGMA max_page_count = {self.pages or 2**30}")


def state(database: Database) -> tuple[Any, ...]:
    """Return what is known: alerts, incidents, what was told, and the decisions, sealed or waiting."""
    with database.read() as connection:
        firing = {key for key, alert in alerts.active(connection).items() if alert.state == "firing"}
        found = incidents.listed(connection)
        told = sorted(effect.key for each in found for effect in effects.of_incident(connection, each.id))
    story = [(each.id, each.status, each.version, each.findings) for each in found]
    decided = sorted((each.decision.kind, each.decision.id) for each in decision_log.tail(database, 1000))
    return firing, story, told, decided


def check_log(database: Database) -> None:
    """Seal what waits, and check that the log is whole and holds each decision once."""
    decision_log.seal(database, START + timedelta(days=1))
    checked = decision_log.verify(database)
    assert checked.ok, checked.findings
    decided = [number for _, number in state(database)[3]]
    assert len(decided) == len(set(decided))


def check_findings(database: Database) -> None:
    """Check that what fires is what incidents hold, that each was opened by a decision, and that somebody is told."""
    firing, _, told, decided = state(database)
    with database.read() as connection:
        found = incidents.listed(connection)
    assert {finding.key for each in found for finding in each.firing} == firing
    assert sum(kind == "incident.opened" for kind, _ in decided) == len(found)
    assert len(told) >= len(found)


def story(disk: SmallDisk, collector: Collector | None = None) -> Story:
    return Story(STORY, database=disk.database, collector=collector)


def cycles(played: Story, *indices: int) -> None:
    for index in indices:
        run_cycle(played.engine, START + index * EVERY)
        dispatch(played.engine, START + index * EVERY)


def refusal(act: Callable[[], object]) -> bool:
    """Tell whether a full disk keeps an act from being done; it says so."""
    try:
        act()
    except Unavailable as error:
        return "is full; free some space" in str(error) or pytest.fail(str(error))
    return False


def until_it_fits(tmp_path: Path, attempt: Callable[[SmallDisk, int], bool]) -> int:
    """Try with ever more room on the disk until it is enough; return how often it was not."""
    for pages in range(0, 100, 2):
        disk = SmallDisk(tmp_path / f"{pages}.db")
        try:
            if attempt(disk, pages):
                return pages
        finally:
            disk.database.close()
    pytest.fail("it never fitted")


def test_a_disk_that_fills_up_in_a_cycle(tmp_path: Path) -> None:
    plenty = SmallDisk(tmp_path / "plenty.db")
    cycles(story(plenty), 0, 1, 2)
    undisturbed = state(plenty.database)
    plenty.database.close()

    def attempt(disk: SmallDisk, pages: int) -> bool:
        collector = Collector()
        played = story(disk, collector)
        cycles(played, 0)
        with disk.full_after(pages):
            refused = refusal(lambda: cycles(played, 1))
        check_log(disk.database)
        check_findings(disk.database)
        cycles(played, 1, 2)
        check_log(disk.database)
        assert state(disk.database) == undisturbed
        assert [each.message.reason for each in collector.effects] == ["first"]
        return not refused

    assert until_it_fits(tmp_path, attempt) > 3


def test_a_disk_that_fills_up_in_an_act_or_its_sealing(tmp_path: Path) -> None:
    outcomes = set()

    def attempt(disk: SmallDisk, pages: int) -> bool:
        played = story(disk)
        cycles(played, 0, 1)
        act = {"actor": "ana", "because": "noise " * 8000, "at": START + EVERY}
        with disk.full_after(pages):
            refused = refusal(lambda: operations.resolve(played.engine, 1, **act))
        with disk.database.read() as connection:
            status = incidents.listed(connection)[0].status
        check_log(disk.database)
        entries = [kind for kind, _ in state(disk.database)[3]]
        assert entries.count("incident.resolved") == (status == "resolved")
        outcomes.add((bool(refused), status))
        if status == "resolved":  # it was committed; perhaps only its sealing had no room
            with pytest.raises(Conflict, match="was resolved by ana"):
                operations.resolve(played.engine, 1, **act)
        else:
            operations.resolve(played.engine, 1, **act)
        check_log(disk.database)
        return not refused

    until_it_fits(tmp_path, attempt)
    assert outcomes == {(True, "triggered"), (True, "resolved"), (False, "resolved")}
