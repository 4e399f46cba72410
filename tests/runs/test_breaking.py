"""Runs as the engine drives them while something breaks: acts, answers, the database, the engine itself."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from runs.site import MINUTE, Counting, ReadingBack, runbook, site

from governance.core import run_acts, run_steps
from governance.engine.running.driving import drive
from governance.engine.running.performing import perform
from governance.engine.running.writing import write
from governance.errors import Unavailable
from governance.store import lease, runs
from governance.store.database import Database

LOOK = {"step": "look", "instruct": "Is {card.model} sound?", "timeout": "15m"}
ACT = {"step": "act", "act": "x.do", "with": {"version": "{card.versions.rollback_to}", "n": "{1 + 1}"}}
TELL: dict[str, object] = {"step": "tell", "act": "x.do", "with": {}}


def test_a_run_that_breaks_stops_and_the_others_go_on() -> None:
    here = site(runbook(ACT), runbook(TELL, name="other"))
    here.begin()
    here.begin("other")
    with here.engine.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE run SET model = 'm', document = replace(document, '\"model\":\"m\"', "
                                   "'\"model\":\"gone\"') WHERE number = 1")  # fmt: skip
    here.drive()
    assert here.place() == ("stopped", "act", "failed")
    assert here.run().said == "no card declares the model 'gone' any more"
    assert here.run("RUN-2").state == "done"


@pytest.mark.parametrize(
    ("system", "answer", "state", "effects"),
    [
        (Counting(), "unknown", "unknown", 1),
        (Counting(REPEATS=frozenset({"do"})), "unknown", "running", 1),
        (ReadingBack(), "unknown", "done", 1),
        (ReadingBack(), "lost", "stopped", 0),
    ],
)
def test_an_act_whose_answer_is_lost(system: Counting, answer: str, state: str, effects: int) -> None:
    here = site(runbook(ACT), system=system)
    system.answers["RUN-1/act/1"] = [answer]
    here.begin()
    here.drive()
    assert here.run().state == state
    assert system.effects.get("RUN-1/act/1", 0) == effects
    if state == "running":
        here.drive(MINUTE)
        assert (here.run().state, system.effects) == ("done", {"RUN-1/act/1": 1})
    if state == "unknown":
        here.act(run_acts.settled, "bo", here.now, took_effect=True)
        here.drive()
        assert (here.run().state, system.effects) == ("done", {"RUN-1/act/1": 1})


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", [False, True], ids=["before it took effect", "after"])
@pytest.mark.parametrize(
    ("system", "state"),
    [
        (Counting(), "unknown"),
        (Counting(REPEATS=frozenset({"do"})), "done"),
        (ReadingBack(), "done"),
    ],
)
def test_a_death_within_an_act(system: Counting, state: str, after: bool) -> None:
    here = site(runbook(ACT), system=system)
    here.begin()

    def dies(request: Any) -> None:
        if after:
            system.effects[request.key] = 1
            system.order.append(request.key)
        system.before = None
        raise Died

    system.before = dies
    with pytest.raises(Died):
        here.drive()
    again = site(runbook(ACT), database=here.engine.database, system=system)
    again.drive()
    assert again.run().state == state
    if state == "done":
        assert system.effects == {"RUN-1/act/1": 1}


def test_an_act_that_hangs_delays_no_other_run_and_is_given_up() -> None:
    here = site(runbook(ACT), runbook(TELL, name="other"))
    here.engine.runner._limit = 0.2
    hangs = threading.Event()
    here.system.before = lambda request: hangs.wait(20) if request.key == "RUN-1/act/1" else None
    here.begin()
    here.begin("other")
    with here.engine.runner.apart(0):
        latest = time.monotonic() + 20
        while here.run("RUN-2").state != "done" and time.monotonic() < latest:
            drive(here.engine, here.now)
            time.sleep(0.01)
        assert (here.place(), here.run("RUN-2").state) == (("running", "act", "acting"), "done")
        while here.run().state != "unknown" and time.monotonic() < latest:
            drive(here.engine, here.now)
            time.sleep(0.01)
    hangs.set()
    assert here.run().said == "it has not answered within a minute"


def test_a_damaged_run_hides_no_other() -> None:
    here = site(runbook(ACT), runbook(TELL, name="other"))
    here.begin()
    here.begin("other")
    with here.engine.database.transaction() as connection:
        connection.exec_driver_sql("UPDATE run SET document = '{' WHERE number = 1")
    with pytest.raises(Unavailable, match="RUN-1 cannot be read, and the engine leaves it alone"):
        here.drive()
    assert here.run("RUN-2").state == "done"
    here.drive()  # it is told once
    assert "unreadable" in here.entries()
    with here.engine.database.read() as connection:
        assert [each.id for each in runs.listed(connection, state="all")] == ["RUN-2"]
        with pytest.raises(Unavailable, match="RUN-1 cannot be read"):
            runs.get(connection, "RUN-1")


def test_what_cannot_be_written_now_is_recorded_later(monkeypatch: pytest.MonkeyPatch) -> None:
    here, goes_on = site(runbook(ACT)), threading.Event()
    here.system.before = lambda _: goes_on.wait(20)
    here.begin()
    with here.engine.runner.apart(20):
        here.drive()
        goes_on.set()
        assert here.engine.runner.idle(20)
        with monkeypatch.context() as full:
            full.setattr("governance.engine.running.driving.write", _full)
            with pytest.raises(Unavailable, match="the disk is full"):
                here.drive()
        assert here.place() == ("running", "act", "acting")
        here.drive()
    assert (here.run().state, here.system.effects) == ("done", {"RUN-1/act/1": 1})
    assert len(here.system.asked["RUN-1/act/1"]) == 1


def _full(*_: Any) -> None:
    raise Unavailable("the disk is full")


def test_an_act_on_the_engine_that_breaks_has_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    here = site(runbook({"step": "pull", "act": "switch.pull", "with": {"mode": "stopped", "reason": "x"}}))
    here.begin()

    def breaks(connection: Any, *_: Any) -> None:
        connection.exec_driver_sql("DELETE FROM run_frozen")
        raise KeyError("x")

    monkeypatch.setattr("governance.engine.running.own_acts.perform", breaks)
    here.drive()
    assert (here.place(), here.run().said) == (("stopped", "pull", "failed"), "KeyError: 'x'")


def test_who_was_taken_over_acts_no_more(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/gov.db")
    database.create_tables()
    here = site(runbook(ACT), database=database)
    here.begin()
    held = lease.take(database, "one", timedelta(seconds=10))
    assert held is not None

    with database.lead(held):
        run = here.run()
        change = run_steps.entered(run, run_steps.Facts(), here.now)
        with database.transaction() as connection:
            write(connection, here.engine, change, here.now)
        assert lease.take(database, "two", timedelta(seconds=10), alone=True) is not None
        outcome = perform(here.engine, here.run(), here.now)
    assert (outcome.state, outcome.detail[:46]) == ("failed", "it was not begun: this process leads no more: ")
    assert not here.system.asked


def test_a_look_that_found_the_database_away_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = site(runbook({"step": "sound", "check": "metrics.errors < 0.1"}))
    here.begin()
    with here.engine.runner.apart(20):
        with monkeypatch.context() as away:
            away.setattr("governance.engine.running.driving.seen", _full)
            here.drive()
            assert here.engine.runner.idle(20)
            here.drive()
            assert here.engine.runner.idle(20)
        latest = time.monotonic() + 20
        while here.run().is_open and time.monotonic() < latest:
            here.drive()
            here.engine.runner.idle(20)
    assert here.run().state == "done"
