"""A run of twelve steps whose process dies anywhere ends as the undisturbed one, and each key took effect once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from runs.site import MINUTE, SECOND, START, Counting, ReadingBack, Site, World, plainly, runbook, site
from sqlalchemy import Connection

from governance.core import run_acts
from governance.core.performance import Outcome, Request
from governance.core.run import Answer
from governance.engine.dispatch import dispatch
from governance.errors import Conflict
from governance.store import decision_log, effects, runs, switches
from governance.store.database import Database
from governance.testing.collector import Collector

UNDO = {"undo": {"act": "x.back", "with": {"version": "{card.versions.serving}"}}}
STORY = runbook(
    {"step": "look", "instruct": "Is {card.model} sound?", "timeout": "15m"},
    {"step": "sound", "check": "metrics.errors < 0.1", "timeout": "30m"},
    {"step": "consent", "approve": {"people": 2}, "timeout": "1h"},
    {"step": "first", "act": "x.do", "with": {"version": "{card.versions.rollback_to}"}, **UNDO},
    {"step": "rest", "wait": "10m"},
    {"step": "flaky", "act": "x.do", "retry": {"times": 3, "backoff": "10s"}, **UNDO},
    {"step": "never", "act": "x.do", "when": "metrics.errors > 0.5"},
    {"step": "tell", "notify": {"message": "{card.model} serves {card.versions.rollback_to}"}},
    {"step": "pull", "act": "switch.pull", "with": {"mode": "fallback", "reason": "{run.id}"}},
    {"step": "told", "act": "y.do", "undo": {"act": "y.back"}},
    {"step": "doomed", "act": "x.do", "retry": {"times": 1, "backoff": "10s"}},
    {"step": "last", "act": "x.do"},
)
IDEMPOTENT = frozenset({"do", "back"})


SOAK = int(os.environ.get("SOAK", "0"))
"""Whether each place is cut before it and after it; 0 cuts every other transaction, and takes turns."""


class Died(BaseException):
    """The process ends here."""


class Mortal(Database):
    """Dies at the nth transaction that moves a run: before its commit when `before`, else right after it."""

    nth, before = 0, True

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin one, as far as it goes."""
        dies = False
        with super().transaction() as connection:
            was = self._versions(connection)
            yield connection
            if self._versions(connection) != was:
                self.nth -= 1
                dies = self.nth == 0
            if dies and self.before:
                raise Died
        if dies:
            raise Died

    def _versions(self, connection: Connection) -> int:
        known = connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'run'").scalar()
        found = connection.exec_driver_sql("SELECT sum(version) FROM run").scalar() if known else 0
        return int(found or 0)


class Story:
    """Twelve steps, and what people do meanwhile; `dies` is called before each act of the world, and after it."""

    def __init__(self, dies: Callable[[Request, str], None] = lambda *_: None) -> None:
        self.database = Mortal("sqlite://")
        self.database.create_tables()
        self.world, self.pager = World(), Collector()
        self.x = Dying(dies, REPEATS=IDEMPOTENT)
        self.y = DyingReader(dies)
        self.x.fails = {"RUN-1/flaky/1": START + 11 * MINUTE + 30 * SECOND, "RUN-1/doomed/1": START + 99 * MINUTE}
        self.deaths = 0
        self.here = self.started()

    def started(self) -> Site:
        """Return what a new process makes of the database."""
        here = site(STORY, database=self.database, system=self.x, world=self.world)
        here.engine.acts = {"x": self.x, "y": self.y}
        here.engine.notifiers = {"pager": self.pager}
        return here

    def survive(self, act: Callable[[], object]) -> None:
        """Do something; when the process dies of it, start another and do it again."""
        while True:
            try:
                act()
            except Died:
                self.deaths += 1
                now = self.here.now
                self.here = self.started()
                self.here.now = now
            else:
                return

    def person(self, act: Any, *given: Any, **more: Any) -> None:
        """Let a person act, who tries again where they got no answer, and is told that it is done already."""
        try:
            self.here.act(act, *given, **more)
        except Conflict:
            if not self.deaths:
                raise

    def look(self, after: timedelta = timedelta(0)) -> None:
        """Let time pass, and the engine look."""
        self.here.now += after
        self.survive(self._looked)

    def _looked(self) -> None:
        self.here.drive()
        dispatch(self.here.engine, self.here.now)

    def play(self) -> None:
        """Play all of it."""
        self.world.values["errors"] = 0.3
        self.survive(self._begin)
        self.look()
        self.survive(lambda: self.person(run_acts.ticked, "bo", self.here.now, step="look"))
        self.look()
        self.world.values["errors"] = 0.05
        self.look(MINUTE)
        for who in ("bo", "cy"):
            answer = Answer(who, self.here.now, approved=True)
            self.survive(lambda given=answer: self.person(run_acts.answered, given, step="consent"))
        self.look()
        self.look(10 * MINUTE)
        for _ in range(8):
            self.look(15 * SECOND)
        self.survive(lambda: self.person(run_acts.cancelled, "bo", self.here.now, because="enough"))
        self.look()

    def _begin(self) -> None:
        with self.database.read() as connection:
            known = runs.listed(connection, state="all")
        if not known:
            self.here.begin()

    def outcome(self) -> dict[str, object]:
        """Return everything that is known in the end."""
        decision_log.seal(self.database, self.here.now)
        checked = decision_log.verify(self.database)
        assert checked.ok, checked.findings
        entries = [each.decision for each in decision_log.tail(self.database, 1000)]
        with self.database.read() as connection:
            switch = switches.get(connection, "m")
            told = [each.key for each in effects.of_incident(connection, 0)]
        return {
            "run": self.here.run(),
            "entries": sorted((each.kind, each.id, repr(each.body)) for each in entries),
            "effects": {**self.x.effects, **self.y.effects},
            "order": self.x.order,
            "switch": [(each.mode, each.reason, each.seq) for each in switch.settings],
            "told": told,
            "heard": sorted({each.key for each in self.pager.effects}),
        }


class Dying(Counting):
    """A system at whose door the process may die."""

    def __init__(self, dies: Callable[[Request, str], None], **fields: Any) -> None:
        super().__init__(**fields)
        self.dies = dies
        self.fails: dict[str, datetime] = {}

    def perform(self, request: Request) -> Any:
        """Act; the process may die before it is asked, or before its answer is heard. Some fails until its time."""
        self.dies(request, "before")
        if request.at < self.fails.get(plainly(request).key, request.at):
            outcome = Outcome("failed", "not yet")
        else:
            outcome = super().perform(request)
        self.dies(request, "after")
        return outcome


class DyingReader(Dying, ReadingBack):
    """One that can be asked later."""


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, object]:
    story = Story()
    story.play()
    run = story.here.run()
    assert run.state == "cancelled"
    assert [(each.step, each.state) for each in run.visits] == [
        ("look", "done"), ("sound", "done"), ("consent", "done"), ("first", "undone"), ("rest", "done"),
        ("flaky", "undone"), ("never", "skipped"), ("tell", "done"), ("pull", "done"), ("told", "undone"),
        ("doomed", "failed"), ("told", "done"), ("flaky", "done"), ("first", "done"),
    ]  # fmt: skip
    assert story.x.order == [f"RUN-1/{each}" for each in ("first/1", "flaky/1", "flaky/1/undo", "first/1/undo")]
    return story.outcome()


def _same(found: dict[str, object], expected: dict[str, object], where: str) -> None:
    for name, value in expected.items():
        assert found[name] == value, f"{name} after a death {where}"
    assert isinstance(found["effects"], dict)
    assert set(found["effects"].values()) == {1}


def test_death_at_every_transaction(undisturbed: dict[str, object]) -> None:
    for nth in range(1, 200, 1 if SOAK else 2):
        for before in (True, False) if SOAK else (nth % 4 == 1,):
            story = Story()
            story.database.nth, story.database.before = nth, before
            story.play()
            _same(story.outcome(), undisturbed, f"{'before' if before else 'after'} transaction {nth}")
        if not story.deaths:
            break
    else:
        pytest.fail("the story has more transactions than were cut")
    assert nth > 30, "the story is too short to prove anything"


def test_death_at_every_act(undisturbed: dict[str, object]) -> None:
    for nth in range(1, 30):
        for side in ("before", "after") if SOAK else (("before", "after")[nth % 2],):
            story = Story(_at(nth, side))
            story.play()
            _same(story.outcome(), undisturbed, f"{side} act {nth}")
        if not story.deaths:
            break
    assert nth > 8, "the story acts too seldom to prove anything"


def _at(nth: int, side: str) -> Callable[[Request, str], None]:
    """Return what lets the process die at the nth act of all: before it, or before its answer is heard."""
    left = [nth]

    def dies(_: Request, where: str) -> None:
        left[0] -= where == side
        if left[0] == 0 and where == side:
            raise Died

    return dies
