"""What keeps the decision log as it was written: triggers that come back, and roles that may only add."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from contract.sources.postgresql import server
from sqlalchemy import Connection, insert, text
from sqlalchemy.exc import IntegrityError
from store.databases import fresh_url, laid_out_url, url_of

from governance.core.decision import Decision
from governance.errors import Unavailable
from governance.store import decision_log
from governance.store.condition import condition
from governance.store.database import Database
from governance.store.log_tables import HEADS

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def is_file(database: Database) -> bool:
    return database.path is not None


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
