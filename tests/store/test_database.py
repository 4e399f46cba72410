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
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from contract.sources.postgresql import server
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from store.databases import KINDS, fresh_url, laid_out_url, url_of

from governance.core.decision import Decision
from governance.core.metric import Sample
from governance.errors import InvalidDocument, NotFound, Unavailable
from governance.store import decision_log, incidents, postgresql, runs, samples, turns
from governance.store.condition import condition
from governance.store.database import SCHEMA_VERSION, Database
from governance.store.log_tables import HEADS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    database = Database(laid_out_url(request.param, tmp_path))
    database.create_tables()
    yield database
    database.close()


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


def test_dropped_and_altered_triggers_come_back(database: Database) -> None:
    with database.transaction() as connection:
        if is_file(database):
            for statement in (
                "DROP TRIGGER log_heads_no_delete",
                "DROP TRIGGER log_heads_in_order",
                "CREATE TRIGGER log_heads_in_order BEFORE INSERT ON log_heads WHEN false BEGIN SELECT 1; END",
            ):
                connection.execute(text(statement))
        else:
            for statement in (
                "DROP TRIGGER log_heads_no_change ON log_heads",
                "ALTER TABLE log_heads DISABLE TRIGGER log_heads_in_order",
            ):
                connection.execute(text(statement))
    assert len(condition(database).unguarded) == 2
    database.create_tables()
    assert condition(database).unguarded == ()
    head = {"root": b"", "at": None}
    with pytest.raises(IntegrityError, match="takes only the next row"), database.transaction() as connection:
        connection.execute(insert(HEADS), [head | {"size": -3}])


def test_a_function_that_was_altered_comes_back(tmp_path: Path) -> None:
    database = Database(laid_out_url("postgresql", tmp_path))
    with database.transaction() as connection:
        connection.execute(
            text("CREATE OR REPLACE FUNCTION log_entries_guard() RETURNS trigger LANGUAGE plpgsql "
                 "AS $$ BEGIN RETURN NEW; END $$")
        )  # fmt: skip
    assert condition(database).unguarded == ("log_entries_no_change", "log_entries_in_order")
    database.create_tables()
    assert condition(database).unguarded == ()
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE log_heads SET root = 'x'",
        "DELETE FROM log_heads",
        "DELETE FROM log_heads WHERE size = 77",
        "TRUNCATE log_heads, log_nodes",
        "INSERT INTO log_heads VALUES (3, 'x', 'y') ON CONFLICT (size) DO UPDATE SET root = 'forged'",
        "INSERT INTO log_heads VALUES (2, 'x', 'y')",
        "INSERT INTO log_entries SELECT 5, 'd', 'a', 'k', NULL, '', ''",
        "INSERT INTO log_nodes VALUES (1, 1, 'x')",
        "CREATE TEMPORARY TABLE log_nodes (level int, position int); INSERT INTO public.log_nodes VALUES (1, 7, 'x')",
    ],
)
def test_a_server_refuses_to_change_the_log(log_on_a_server: Database, statement: str) -> None:
    refused = pytest.raises(IntegrityError, match=r"append-only|only the next row")
    with refused, log_on_a_server.transaction() as connection:
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


def test_the_role_of_the_docs_can_add_to_the_log_and_nothing_else(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/postgresql.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    server().execute("CREATE ROLE gov LOGIN PASSWORD 'app'")
    url = fresh_url("postgresql", tmp_path)
    with owned(url) as owner:
        owner.exec_driver_sql("GRANT CREATE, USAGE ON SCHEMA public TO gov")
    database = Database(url_of(server(), url.rpartition("/")[2], user="gov", password="app"))  # noqa: S106
    database.create_tables()
    assert set(condition(database).changeable) == {"log_entries", "log_nodes", "log_heads", "evidence"}
    with owned(url) as owner:
        owner.exec_driver_sql(statements, execution_options={"no_parameters": True})
    database.create_tables()  # as each start of the engine does
    assert (condition(database).changeable, condition(database).unguarded) == ((), ())
    with database.transaction() as connection:
        decision_log.append(connection, [Decision(AT, "test.made", "me", {}, {})])
    assert decision_log.seal(database, AT, tmp_path / "heads") == 1
    assert decision_log.verify(database, tmp_path / "heads").ok
    for statement in ("DROP TABLE log_heads CASCADE", "ALTER TABLE log_heads DISABLE TRIGGER ALL",
                      "DROP FUNCTION log_heads_guard() CASCADE", "UPDATE log_heads SET size = 9"):  # fmt: skip
        with pytest.raises(Unavailable, match="may not do that"), database.transaction() as connection:
            connection.execute(text(statement))
    database.close()
    server().execute(f"DROP DATABASE {url.rpartition('/')[2]}", "DROP ROLE gov", "DROP ROLE gov_log")


@contextmanager
def owned(url: str) -> Iterator[Connection]:
    owner = Database(url)
    with owner.transaction() as connection:
        yield connection
    owner.close()


@pytest.fixture(scope="module")
def log_on_a_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(laid_out_url("postgresql", tmp_path_factory.mktemp("log")))
    with database.transaction() as connection:
        connection.execute(text("INSERT INTO log_heads VALUES (3, 'x', 'y')"))
    yield database
    with database.read() as connection:
        assert connection.execute(text("SELECT size, convert_from(root, 'UTF8') FROM log_heads")).all() == [(3, "x")]
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
