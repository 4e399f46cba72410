"""Runs as they are stored: what was frozen stays, the latest version wins, and what is due is found by an index."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from governance.core.run import Answer, Run, Visit
from governance.core.runbook import Runbook
from governance.errors import Conflict, NotFound, Unavailable
from governance.store import runs
from governance.store.database import Database

T = datetime(2026, 3, 1, 9, tzinfo=UTC)
RUNBOOK = Runbook.model_validate(
    {
        "runbook": "roll-back",
        "description": "d",
        "steps": [
            {"step": "ok", "approve": {"not": "nobody"}, "timeout": "20m"},
            {
                "step": "act",
                "act": "x.do",
                "with": {"a": [1, "{b}"]},
                "retry": {},
                "then": {"step": "ok", "at_most": 2},
            },
        ],
    }
)


@pytest.fixture
def database() -> Database:
    made = Database("sqlite://")
    made.create_tables()
    return made


def a_run(connection: Connection, **fields: Any) -> Run:
    given = {"model": "m", "incident": 7, "next_at": T, "state": "running", **fields}
    card = {"model": given["model"], "owners": {"team": "t"}}
    run = Run(
        runs.next_id(connection), RUNBOOK, card=card, parameters={"to": "7"}, started_by="ana", started_at=T,
        because="b", **given,
    )  # fmt: skip
    runs.save(connection, run)
    return run


def test_a_run_is_read_as_it_was_written(database: Database) -> None:
    answer = Answer("bo", T, approved=True, because="ü", channel="slack")
    visit = Visit("ok", 1, "waiting", T, deadline=T + timedelta(minutes=20), answers=(answer,), asked={"a": [1, None]})
    with database.transaction() as connection:
        run = a_run(connection, visits=(visit,), labels=(("region", "eu"),), rule="drift/psi")
    with database.read() as connection:
        assert runs.get(connection, "RUN-1") == run
        assert runs.get(connection, "run-1").runbook.steps[1].then == RUNBOOK.steps[1].then


def test_runs_are_counted_up_and_an_unknown_one_is_said_so(database: Database) -> None:
    with database.transaction() as connection:
        with pytest.raises(NotFound, match="no run 'RUN-1'; there are none yet"):
            runs.get(connection, "RUN-1")
        assert [a_run(connection).id for _ in range(3)] == ["RUN-1", "RUN-2", "RUN-3"]
        with pytest.raises(NotFound, match="no run 'x'; the newest is RUN-3"):
            runs.get(connection, "x")


def test_only_who_saw_the_latest_version_changes_a_run(database: Database) -> None:
    with database.transaction() as connection:
        run = a_run(connection)
        runs.save(connection, replace(run, state="paused", version=2))
        with pytest.raises(Conflict, match="RUN-1 was changed by somebody else"):
            runs.save(connection, replace(run, state="stopped", version=2))
        assert runs.get(connection, "RUN-1").state == "paused"


def test_what_is_due_comes_in_order_and_leaves_out_what_waits(database: Database) -> None:
    with database.transaction() as connection:
        for minutes in (3, 1, 2, 9, None):
            a_run(connection, next_at=None if minutes is None else T + timedelta(minutes=minutes))
        at = T + timedelta(minutes=5)
        assert [each.id for each in runs.due(connection, at, 10)] == ["RUN-2", "RUN-3", "RUN-1"]
        assert [each.id for each in runs.due(connection, at, 1, without=["RUN-2"])] == ["RUN-3"]
        assert runs.next_due(connection) == T + timedelta(minutes=1)


def test_runs_are_found_by_what_they_are_about(database: Database) -> None:
    with database.transaction() as connection:
        a_run(connection)
        a_run(connection, model="n", state="done", next_at=None)
        a_run(connection, incident=8, state="stopped", next_at=None)
        assert [each.id for each in runs.listed(connection)] == ["RUN-3", "RUN-1"]
        assert [each.id for each in runs.listed(connection, state="ended")] == ["RUN-2"]
        assert [each.id for each in runs.listed(connection, state="all", incident=7)] == ["RUN-2", "RUN-1"]
        assert [each.id for each in runs.listed(connection, model="m")] == ["RUN-3", "RUN-1"]
        assert [each.id for each in runs.of_incident(connection, 7)] == ["RUN-1", "RUN-2"]
        found = runs.open_of(connection, "m", "roll-back")
        assert (found and found.id, runs.open_of(connection, "n", "roll-back")) == ("RUN-1", None)
        assert (runs.any_open(connection, 8), runs.any_open(connection, 9)) == (True, False)
        assert runs.counts(connection) == {"done": 1, "running": 1, "stopped": 1}
        runs.move(connection, 7, 9)
        moved = runs.get(connection, "RUN-1")
        assert (moved.incident, moved.version, runs.of_incident(connection, 7)) == (9, 2, [])


def test_what_is_frozen_is_stored_once(database: Database) -> None:
    with database.transaction() as connection:
        for model in ("m", "m", "n"):
            a_run(connection, model=model)
        assert connection.exec_driver_sql("SELECT count(*) FROM run_frozen").scalar() == 3
        text = connection.exec_driver_sql("SELECT document FROM run WHERE number = 1").scalar()
    assert "roll-back" not in str(text), "each step would write the runbook again"


def test_what_was_frozen_cannot_be_exchanged(database: Database) -> None:
    with database.transaction() as connection:
        a_run(connection, model="exchanged")
        documents = "SELECT document FROM run_frozen WHERE digest = (SELECT runbook_digest FROM run)"
        connection.exec_driver_sql(
            f"UPDATE run_frozen SET document = ({documents}) WHERE digest = (SELECT card_digest FROM run)"
        )
        with pytest.raises(Unavailable, match="was changed since it was written"):
            runs.get(connection, "RUN-1")


def test_many_that_wait_cost_nothing(database: Database) -> None:
    with database.transaction() as connection:
        a_run(connection)
        plan = " ".join(
            row[3] for row in connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM run WHERE next_at <= 1.0 ORDER BY next_at, number LIMIT 50"
            )
        )  # fmt: skip
    assert "ix_run_next_at" in plan
