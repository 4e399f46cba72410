"""Transactions, snapshots, layout versions, and errors of the disk as sentences."""

# ruff: noqa: PT012  a transaction and what happens in it are one act

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError, OperationalError

from governance.errors import Unavailable
from governance.store import sqlite
from governance.store.database import SCHEMA_VERSION, Database
from governance.store.log_tables import HEADS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/folder with % and ?/gov.db")
    database.create_tables()
    yield database
    database.close()


def scalar(database: Database, statement: str) -> object:
    with database.read() as connection:
        return connection.execute(text(statement)).scalar()


def test_a_file_that_is_moved_away_is_missed_and_not_made_anew(database: Database) -> None:
    fill(database)
    path = database.path
    assert path is not None
    aside = path.rename(path.with_suffix(".aside"))
    with database.read() as first:  # the pool has one connection; the next is opened now
        assert first.execute(text("SELECT count(*) FROM t")).scalar() == 3
        with pytest.raises(Unavailable, match="cannot be opened"), database.read():
            pass
    assert not path.exists()
    aside.rename(path)
    assert scalar(database, "SELECT count(*) FROM t") == 3


def fill(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER UNIQUE)"))
        connection.execute(text("INSERT INTO t VALUES (:x)"), [{"x": x} for x in range(3)])


def test_every_connection_is_set_up(database: Database) -> None:
    assert scalar(database, "PRAGMA journal_mode") == "wal"
    assert scalar(database, "PRAGMA synchronous") == 2
    assert scalar(database, "PRAGMA foreign_keys") == 1
    assert scalar(database, "PRAGMA busy_timeout") == 5000


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_in_memory(url: str) -> None:
    database = Database(url)
    database.create_tables()
    fill(database)
    assert scalar(database, "SELECT count(*) FROM t") == 3
    with database.read(), pytest.raises(RuntimeError, match="one connection"), database.transaction():
        pass
    assert scalar(database, "SELECT count(*) FROM t") == 3
    database.close()


def test_an_exception_rolls_everything_back(database: Database) -> None:
    fill(database)
    with pytest.raises(KeyError), database.transaction() as connection:
        connection.execute(text("CREATE TABLE u (x)"))
        connection.execute(text("DELETE FROM t"))
        raise KeyError
    assert scalar(database, "SELECT count(*) FROM t") == 3
    with pytest.raises(OperationalError, match="no such table"):
        scalar(database, "SELECT * FROM u")


def test_a_read_is_one_snapshot_and_does_not_wait_for_the_writer(database: Database) -> None:
    fill(database)
    with database.read() as reader:
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 3
        with database.transaction() as writer:
            writer.execute(text("INSERT INTO t VALUES (9)"))
        assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 3
    assert scalar(database, "SELECT count(*) FROM t") == 4


def test_a_read_cannot_write_and_the_next_transaction_can(database: Database) -> None:
    fill(database)
    with pytest.raises(Unavailable, match="read-only"), database.read() as connection:
        connection.execute(text("DELETE FROM t"))
    with database.transaction() as connection:
        connection.execute(text("DELETE FROM t"))
    assert scalar(database, "SELECT count(*) FROM t") == 0


def test_writers_take_turns(database: Database) -> None:
    fill(database)

    def increase() -> None:
        for _ in range(20):
            with database.transaction() as connection:
                top = connection.execute(text("SELECT max(x) FROM t")).scalar()
                connection.execute(text("INSERT INTO t VALUES (:x)"), {"x": int(str(top)) + 1})

    threads = [threading.Thread(target=increase) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scalar(database, "SELECT max(x) FROM t") == 62


def test_a_broken_constraint_stays_what_it_is(database: Database) -> None:
    fill(database)
    with pytest.raises(IntegrityError), database.transaction() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))


def test_locked_by_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.01)
    database = Database(f"sqlite:///{tmp_path}/gov.db")
    database.create_tables()
    other = sqlite3.connect(tmp_path / "gov.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match=r"gov\.db locked") as refused, database.transaction():
        pass
    assert isinstance(refused.value.__cause__, OperationalError)
    other.close()
    with database.transaction():
        pass
    database.close()


def test_a_full_disk(database: Database) -> None:
    fill(database)
    with pytest.raises(Unavailable, match="is full; free some space"), database.transaction() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.execute(text("CREATE TABLE large AS SELECT randomblob(1000000)"))
    assert scalar(database, "SELECT count(*) FROM t") == 3


def test_no_database_at_all(tmp_path: Path) -> None:
    (tmp_path / "gov.db").write_text("these are my notes, " * 100)
    for url, sentence in [
        (f"sqlite:///{tmp_path}/gov.db", "no SQLite database"),
        (f"sqlite:///{tmp_path}/gov.db/below/x.db", "folder of the database"),
    ]:
        with pytest.raises(Unavailable, match=sentence):
            Database(url).create_tables()
    with pytest.raises(Unavailable, match="cannot be opened"), Database(f"sqlite:///{tmp_path}/no/x.db").read():
        pass


@pytest.mark.parametrize("url", ["postgresql://user:secret@host/db", "gov.db", ""])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(Unavailable, match="sqlite:///path") as refused:
        Database(url)
    assert "secret" not in str(refused.value)


def test_a_newer_layout_is_refused_and_left_alone(database: Database) -> None:
    database.create_tables()
    assert scalar(database, "SELECT count(*) FROM schema_version") == 1
    with database.transaction() as connection:
        connection.execute(text("UPDATE schema_version SET version = :v"), {"v": SCHEMA_VERSION + 1})
        connection.execute(text("DROP TABLE log_heads"))
    with pytest.raises(Unavailable, match="install that newer version"):
        database.create_tables()
    with pytest.raises(OperationalError):
        scalar(database, "SELECT * FROM log_heads")


def test_read_only(database: Database) -> None:
    fill(database)
    reader = Database(f"sqlite:///{database.path}", read_only=True)
    assert scalar(reader, "SELECT count(*) FROM t") == 3
    with pytest.raises(Unavailable, match="read-only"), reader.transaction() as connection:
        connection.execute(text("DELETE FROM t"))
    reader.close()


def test_dropped_and_altered_triggers_come_back(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute(text("DROP TRIGGER log_heads_no_delete"))
        connection.execute(text("DROP TRIGGER log_heads_in_order"))
        connection.execute(
            text("CREATE TRIGGER log_heads_in_order BEFORE INSERT ON log_heads WHEN false BEGIN SELECT 1; END")
        )
    database.create_tables()
    head = {"root": b"", "at": None}
    with pytest.raises(IntegrityError, match="takes only the next row"), database.transaction() as connection:
        connection.execute(insert(HEADS), [head | {"size": -3}])


def test_two_processes_may_create_the_tables_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from governance.store import log_tables; from governance.store.database import Database; "
        "Database(sys.argv[1]).create_tables()"
    )
    for trial in range(2):
        command = [sys.executable, "-c", program, f"sqlite:///{tmp_path}/{trial}.db"]
        running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
        assert [(process.communicate()[1], process.returncode) for process in running] == [(b"", 0)] * 3
