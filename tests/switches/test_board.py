"""The board that serving processes read: what it follows, what it keeps, and who has confirmed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from switches.desk import CARDS, HOUR, Desk, desk

from governance.core.switch import Scope, Setting, Switch, changed
from governance.engine import confirmations, switching
from governance.engine.board import Board, Snapshot
from governance.engine.confirmations import Holders
from governance.errors import Unavailable
from governance.store import switches
from governance.store.database import Database
from governance.store.watch import Watch

SECOND = timedelta(seconds=1)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Desk]:
    made = desk(database=Database(f"sqlite:///{tmp_path / 'governance.db'}"))
    yield made
    made.engine.database.close()


def pull(at: Desk, model: str = "delay") -> int:
    done = switching.pull(at.engine, model, "fallback", actor="ana", because="wrong", at=at.now, expires=HOUR)
    return done.switch.seq


def test_it_knows_every_model_from_the_start_and_each_change_after_a_look(at: Desk) -> None:
    first = pull(at)
    board = Board(at.engine)
    assert list(board.switches) == sorted(each["model"] for each in CARDS)
    assert (board.seq, board.switches["delay"].seq, board.switches["spam"]) == (first, first, Switch("spam"))
    told: list[Snapshot] = []
    board.subscribe(told.append)
    board.refresh()
    assert told == []
    pull(at, "spam")
    assert board.switches["spam"].worst is None
    board.refresh()
    assert [each.seq for each in told] == [first + 1]
    assert board.switches["spam"].worst is not None


def test_a_state_of_the_same_number_from_elsewhere_is_another_state(at: Desk) -> None:
    pull(at)
    board = Board(at.engine)
    before = board.snapshot
    with at.engine.database.transaction() as connection:
        setting = Setting(Scope(), "stopped", 1.0, "other", "bo", at.now)
        other = changed(Switch("delay"), Scope(), setting, seq=before.seq, at=at.now)
        switches.save(connection, other)
    board.refresh(whole=True)
    assert (board.seq, board.snapshot.digest != before.digest) == (before.seq, True)
    assert board.switches["delay"] == other


def test_a_backup_that_was_put_back_is_followed_too(at: Desk) -> None:
    board = Board(at.engine)
    pull(at)
    pull(at, "spam")
    board.refresh()
    with at.engine.database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM switch WHERE model = 'spam'")
    board.refresh()
    assert (board.seq, board.switches["spam"]) == (1, Switch("spam"))


def test_it_keeps_what_it_knew_while_the_database_cannot_be_read(at: Desk) -> None:
    pull(at)
    board = Board(at.engine)
    before = board.snapshot
    assert at.engine.database.path is not None
    at.engine.database.close()
    for each in at.engine.database.path.parent.glob("governance.db*"):
        each.unlink()
    at.engine.database.path.mkdir()
    with pytest.raises(Unavailable):
        board.refresh()
    assert board.snapshot is before


def test_the_watch_tells_commits_of_others_and_another_file(tmp_path: Path) -> None:
    path = tmp_path / "watched.db"
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("CREATE TABLE t (x)")
        watch = Watch(path)
        first = watch.stamp()
        assert watch.stamp() == first
        with writer:
            writer.execute("INSERT INTO t VALUES (1)")
        second = watch.stamp()
        assert second is not None
        assert first is not None
        assert (second[:2], second != first) == (first[:2], True)
    path.rename(tmp_path / "aside.db")
    with pytest.raises(Unavailable, match="cannot be watched"):
        watch.stamp()
    with closing(sqlite3.connect(path)) as writer, writer:
        writer.execute("CREATE TABLE t (x)")
    third = watch.stamp()
    assert third is not None
    assert third[:2] != first[:2]
    watch.close()
    assert Watch(None).stamp() is None


def test_who_holds_the_latest_change_is_counted_not_assumed(at: Desk) -> None:
    seq = pull(at)
    board = Board(at.engine)
    assert board.confirmations("delay", at.now) == confirmations.Confirmations(0, 0, (), (), None)
    board.confirm("pod-1", seq, ["delay", "no such model"], at.now)
    board.confirm("pod-2", seq - 1, ["delay"], at.now)
    board.confirm("pod-3", seq + 5, ["delay"], at.now)  # it has seen a state that this engine never had
    board.confirm("pod-4", seq, ["spam"], at.now)
    found = board.confirmations("delay", at.now)
    assert (found.total, found.confirmed, found.late, found.silent) == (3, 1, ("pod-2", "pod-3"), ())
    board.confirm("pod-2", seq, ["delay"], at.now + 30 * SECOND)
    found = board.confirmations("delay", at.now + 60 * SECOND)
    assert (found.total, found.confirmed, found.late, found.silent) == (3, 1, (), ("pod-1", "pod-3"))
    assert found.last_read == at.now + 30 * SECOND
    assert board.confirmations("delay", at.now + 11 * 60 * SECOND).total == 0
    assert board.confirmations("no such model", at.now).last_read is None


def test_who_asks_for_everything_has_read_each_model(at: Desk) -> None:
    holders = Holders()
    holders.read("delay", at.now)
    holders.read_all(at.now + SECOND)
    holders.read("spam", at.now + 2 * SECOND)
    read = [holders.of(model, 0, 0, at.now).last_read for model in ("delay", "credit", "spam")]
    assert read == [at.now + SECOND, at.now + SECOND, at.now + 2 * SECOND]


def test_only_so_many_instances_are_remembered(at: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmations, "MOST", 3)
    holders = Holders()
    for number in range(5):
        holders.confirm(f"pod-{number}", 1, ["delay"], at.now)
    holders.confirm("pod-2", 1, ["delay"], at.now)
    holders.confirm("pod-5", 1, ["delay"], at.now)
    assert holders.of("delay", 2, 2, at.now).late == ("pod-2", "pod-4", "pod-5")
