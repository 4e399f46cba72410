"""The thread that drives the runs beside the cycle: it is woken, it goes on after trouble, and it ends well."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from runs.site import Site, runbook, site

from governance.core import run_acts
from governance.engine.running import worker as module
from governance.engine.running.worker import Worker
from governance.store.database import Database

LOOK = {"step": "look", "instruct": "Look."}
ACT = {"step": "act", "act": "x.do"}


def until(holds: Callable[[], bool]) -> None:
    """Wait for something, generously."""
    latest = time.monotonic() + 20
    while not holds() and time.monotonic() < latest:
        time.sleep(0.01)
    assert holds()


def stored(folder: Path) -> Site:
    """Return a site on a file, as threads need one."""
    database = Database(f"sqlite:///{folder}/gov.db")
    database.create_tables()
    return site(runbook(LOOK, ACT), database=database)


def test_it_drives_what_people_let_go_on(tmp_path: Path) -> None:
    here, said = stored(tmp_path), list[str]()
    worker = Worker(here.engine, said.append)
    worker.start()
    here.begin()
    here.engine.runner.wake()
    until(lambda: here.place() == ("waiting", "look", "waiting"))
    here.act(run_acts.ticked, "bo", here.now)
    here.engine.runner.wake()
    until(lambda: here.run().state == "done")
    worker.stop()
    assert said == []
    assert here.system.effects == {"RUN-1/act/1": 1}


def test_it_says_what_is_wrong_once_and_goes_on(tmp_path: Path) -> None:
    here, said = stored(tmp_path), list[str]()
    with here.engine.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE run RENAME TO hidden")
    worker = Worker(here.engine, said.append)
    worker.start()
    until(lambda: bool(said))
    here.engine.runner.wake()
    with here.engine.database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE hidden RENAME TO run")
    until(lambda: said[-1] == "")
    worker.stop()
    assert len(said) == 2
    assert said[0].startswith("runs: ")


def test_after_a_leap_of_the_clock_it_waits_until_the_runs_were_moved_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = stored(tmp_path)
    worker = Worker(here.engine, print)
    ahead = module._ahead()
    monkeypatch.setattr(module, "_ahead", lambda: ahead + 3600)
    here.begin()
    worker._drive()
    assert here.place() == ("running", "look", "active")
    worker.stepped()
    worker._drive()
    assert here.place() == ("waiting", "look", "waiting")


def test_what_is_under_way_at_the_end_is_recorded(tmp_path: Path) -> None:
    import threading

    here = stored(tmp_path)
    under_way, goes_on = threading.Event(), threading.Event()

    def waits(_: object) -> None:
        under_way.set()
        goes_on.wait(20)

    here.system.before = waits
    here.begin()
    worker = Worker(here.engine, print, 20)
    worker.start()
    until(lambda: here.place()[1:] == ("look", "waiting"))
    here.act(run_acts.ticked, "bo", here.now)
    here.engine.runner.wake()
    assert under_way.wait(20)
    threading.Timer(0.05, goes_on.set).start()
    worker.stop()
    assert (here.run().state, here.system.effects) == ("done", {"RUN-1/act/1": 1})
