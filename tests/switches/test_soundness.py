"""While the decision log does not verify, it pages and nothing is given back; pulling goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from switches.desk import CARDS, DAY, HOUR, Desk, desk

from governance.engine import switching
from governance.engine.soundness import Watch, check
from governance.errors import Denied
from governance.store.database import Database

SAID = {"because": "x", "actor": "ana"}


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    made = desk(*CARDS, database=Database(f"sqlite:///{tmp_path / 'governance.db'}"))
    switching.pull(made.engine, "delay", "fallback", at=made.now, expires=HOUR, **SAID)
    switching.pull(made.engine, "credit", "fallback", at=made.now, **SAID)
    yield made
    made.engine.database.close()


def edit(tmp_path: Path, before: str, after: str) -> None:
    """Change the text of entries behind the engine's back, as who owns the file can."""
    connection = sqlite3.connect(tmp_path / "governance.db")
    with connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        rows = connection.execute("SELECT seq, content FROM log_entries").fetchall()
        for seq, content in rows:
            changed = bytes(content).replace(before.encode(), after.encode())
            connection.execute("UPDATE log_entries SET content = ? WHERE seq = ?", (changed, seq))
        for _, sql in triggers:
            connection.execute(sql)
    connection.close()


def restore(at: Desk, model: str = "delay", actor: str = "ana") -> object:
    seq = at.switch(model).seq
    return switching.restore(at.engine, model, actor=actor, because="x", at=at.now, seq=seq, confirmed=model)


def test_a_log_that_was_edited_pages_and_stops_restores_until_it_is_sound(at: Desk, tmp_path: Path) -> None:
    assert check(at.engine, at.now).ok
    asked = restore(at, "credit", "cy")
    assert isinstance(asked, switching.Requested)
    edit(tmp_path, '"actor":"ana"', '"actor":"eve"')
    assert not check(at.engine, at.now).ok
    (incident,) = at.incidents()
    assert (incident.severity, incident.model) == ("critical", "engine")
    assert "does not verify: entry" in incident.title
    for act in (
        lambda: restore(at),
        lambda: switching.approve(at.engine, asked.approval.id, actor="dee", at=at.now),
    ):
        with pytest.raises(Denied, match="gov audit verify says why"):
            act()
    switching.pull(at.engine, "delay", "stopped", at=at.now, confirmed="delay", **SAID)
    switching.break_glass(at.engine, "delay", at=at.now, confirmed="delay", **SAID)
    assert at.switch("delay").settings == ()
    assert not check(at.engine, at.now).ok
    assert len([each for each in at.incidents() if "does not verify" in each.title]) == 1, "it pages once"
    edit(tmp_path, '"actor":"eve"', '"actor":"ana"')
    assert check(at.engine, at.now).ok
    assert not [each for each in at.incidents() if "does not verify" in each.title]
    switching.approve(at.engine, asked.approval.id, actor="dee", at=at.now)
    assert at.switch("credit").settings == ()
    assert at.kinds("log") == ["log.unsound", "log.sound"]


def test_the_end_of_a_switch_is_put_off_meanwhile(at: Desk, tmp_path: Path) -> None:
    edit(tmp_path, '"actor":"ana"', '"actor":"eve"')
    check(at.engine, at.now)
    at.later(2 * HOUR)
    (setting,) = at.switch("delay").settings
    assert setting.extended == 1
    at.later(DAY)
    assert at.switch("delay").settings


def test_it_is_looked_at_when_the_engine_starts(at: Desk, tmp_path: Path) -> None:
    edit(tmp_path, '"actor":"ana"', '"actor":"eve"')
    watch = Watch(at.engine)
    watch.start()
    for _ in range(3000):
        if at.incidents():
            break
        watch.join(0.01)
    watch.stop()
    watch.join(10)
    assert not watch.is_alive()
    assert "does not verify" in at.incidents()[0].title
