"""Transactions, snapshots, layout versions, and errors of the disk as sentences."""

# ruff: noqa: PT012  a transaction and what happens in it are one act

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.sources.postgresql import server
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from store.databases import KINDS, fresh_url, laid_out_url, url_of

from governance.core.metric import Sample
from governance.errors import InvalidDocument, NotFound, Unavailable
from governance.store import incidents, postgresql, runs, samples, turns
from governance.store.database import SCHEMA_VERSION, Database

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    database = Database(fresh_url("sqlite", tmp_path))
    database.create_tables()
    yield database
    database.close()


def is_file(database: Database) -> bool:
    return database.path is not None


def scalar(database: Database, statement: str) -> object:
    with database.read() as connection:
        return connection.execute(text(statement)).scalar()


def test_a_file_that_is_moved_away_is_missed_and_not_made_anew(file: Database) -> None:
    database = file
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
    if not is_file(database):
        with database.transaction() as connection:
            shown = [connection.execute(text(f"SHOW {each}")).scalar() for each in ("synchronous_commit", "timezone")]
        assert shown == ["on", "UTC"]
        return
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
        connection.execute(text("CREATE TABLE u (x INTEGER)"))
        connection.execute(text("DELETE FROM t"))
        raise KeyError
    assert scalar(database, "SELECT count(*) FROM t") == 3
    with pytest.raises(DBAPIError, match=r"no such table|does not exist"):
        scalar(database, "SELECT * FROM u")


def test_numbers_may_be_large(database: Database) -> None:
    with pytest.raises(NotFound, match="no incident 123456789012345"), database.read() as connection:
        incidents.get(connection, 123456789012345)
    sample = Sample(1.0, AT, count=5_000_000_000)
    with database.transaction() as connection:
        samples.record(connection, {"key": [sample]})
    with database.read() as connection:
        assert samples.between(connection, ["key"], AT - timedelta(1), AT) == {"key": [sample]}


def test_what_a_server_cannot_hold_is_the_mistake_of_who_sent_it(tmp_path: Path) -> None:
    database = Database(laid_out_url("postgresql", tmp_path))
    with pytest.raises(InvalidDocument, match=r"cannot hold .*: .*cannot contain NUL"), database.read() as connection:
        incidents.listed(connection, model="m\x00")
    with pytest.raises(InvalidDocument, match=r"cannot hold .*: .*out of range"), database.read() as connection:
        runs.get(connection, "RUN-" + "9" * 30)
    database.close()


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


def test_an_error_that_is_passed_over_keeps_all_of_it_from_being_committed(tmp_path: Path) -> None:
    database = Database(fresh_url("postgresql", tmp_path))
    fill(database)
    with pytest.raises(RuntimeError, match="passed over"), database.transaction() as connection:
        connection.execute(text("DELETE FROM t WHERE x = 0"))
        with suppress(IntegrityError):
            connection.execute(text("INSERT INTO t VALUES (1)"))
    assert scalar(database, "SELECT count(*) FROM t") == 3  # PostgreSQL alone would have rolled back without a word
    database.close()


def test_locked_by_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.01)
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


def test_locked_by_another_program_on_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = fresh_url("postgresql", tmp_path)
    other = Database(url)
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.05)
    database = Database(url)
    with other.transaction(), pytest.raises(Unavailable, match="locked for") as refused, database.transaction():
        pass
    assert isinstance(refused.value.__cause__, OperationalError)
    with database.transaction():
        pass
    for each in (database, other):
        each.close()


def test_a_server_that_goes_away_and_comes_back() -> None:
    database = Database(url_of(server(), "postgres"))
    with database.read() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    with pytest.raises(Unavailable, match="ended the connection"), database.transaction() as connection:
        server().execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres' "
                         "AND pid <> pg_backend_pid() AND state = 'idle in transaction'")  # fmt: skip
        connection.execute(text("SELECT 1"))
    assert scalar(database, "SELECT 1") == 1
    database.close()


def test_what_a_server_refuses_is_a_sentence_without_a_password() -> None:
    for url, sentence in [
        (url_of(server(), "postgres", password="wr/ong"), "password authentication failed"),  # noqa: S106
        (url_of(server(), "no-such"), 'database "no-such" does not exist'),
        (url_of(server(), "postgres") + "?sslmod=require", 'cannot be used: invalid connection option "sslmod"'),
        ("postgresql://me:wr%2Fong@127.0.0.1:1/x?password=wr%2Fong", "does not answer: .*refused"),
    ]:
        database = Database(url)
        with pytest.raises(Unavailable, match=sentence) as refused, database.read():
            pass
        assert not re.search("wr/ong|wr%2Fong|s3cr3t", str(refused.value))
        with pytest.raises(Unavailable, match=sentence):
            database.exists()
        with pytest.raises(Unavailable, match=sentence):
            database.watch().stamp()


def test_the_driver_of_a_server_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Unavailable, match=r"pip install 'model-governance\[postgresql\]'") as refused:
        Database("postgresql://me:secret@host/x")
    assert "secret" not in str(refused.value)


def test_the_watch_of_a_server_tells_commits_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_POLL_SECONDS", 0)
    database = Database(fresh_url("postgresql", tmp_path))
    fill(database)
    watch = database.watch()
    first = watch.stamp()
    with database.read() as connection:
        connection.execute(text("SELECT * FROM t"))
    assert first is not None
    assert watch.stamp() == first
    with database.transaction() as connection:
        connection.execute(text("INSERT INTO t VALUES (9)"))
    second = watch.stamp()
    assert second is not None
    assert (second[:2] == first[:2], second == first) == (True, False)
    watch.close()
    database.close()


def test_a_full_disk(file: Database) -> None:
    database = file
    fill(database)
    with pytest.raises(Unavailable, match="is full; free some space"), database.transaction() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
        connection.execute(text("CREATE TABLE large AS SELECT randomblob(1000000)"))
    assert scalar(database, "SELECT count(*) FROM t") == 3


def test_no_database_at_all(tmp_path: Path) -> None:
    (tmp_path / "gov.db").write_text("these are my notes, " * 100)
    for url, sentence in [
        (f"sqlite:///{tmp_path}/gov.db", "no SQLite database"),
        (f"sqlite:///{tmp_path}/gov.db/below/x.db", "cannot be created: Not a directory"),
    ]:
        with pytest.raises(Unavailable, match=sentence):
            Database(url).create_tables()
    with pytest.raises(Unavailable, match="cannot be opened"), Database(f"sqlite:///{tmp_path}/no/x.db").read():
        pass


@pytest.mark.parametrize("url", ["mysql://user:secret@host/db", "postgres:user:secret@host", "gov.db", ""])
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
    with pytest.raises(DBAPIError):
        scalar(database, "SELECT * FROM log_heads")


@pytest.mark.parametrize("kind", KINDS)
def test_read_only(kind: str, tmp_path: Path) -> None:
    url = laid_out_url(kind, tmp_path)
    database = Database(url)
    database.create_tables()
    fill(database)
    reader = Database(url, read_only=True)
    assert scalar(reader, "SELECT count(*) FROM t") == 3
    with pytest.raises(Unavailable, match="read-only"), reader.transaction() as connection:
        connection.execute(text("DELETE FROM t"))
    reader.close()
    database.close()


def test_two_processes_may_create_the_tables_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from governance.store import log_tables; from governance.store.database import Database; "
        "Database(sys.argv[1]).create_tables()"
    )
    command = [sys.executable, "-c", program, fresh_url("sqlite", tmp_path)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [(b"", 0)] * 3


def test_tables_may_be_created_at_once_on_a_server(tmp_path: Path) -> None:
    url = fresh_url("postgresql", tmp_path)

    def create() -> bool:
        with closing(Database(url)) as database:  # its own connections and turns, as another process has
            database.create_tables()
            return database.exists()

    with ThreadPoolExecutor(3) as pool:
        assert [each.result() for each in [pool.submit(create) for _ in range(3)]] == [True] * 3
