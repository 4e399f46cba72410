"""Runs that act on real servers and on the engine: once each, and no credential in anything that is written of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from contract.acts.airflow_case import AirflowCase
from contract.acts.case import SECRET, Case
from contract.acts.http_case import HttpCase
from contract.acts.mlflow_case import MlflowCase
from contract.acts.world import world
from runs.site import Site, runbook, site

from governance.store import decision_log, switches


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("CASE_SECRET", SECRET)
    with ExitStack() as stack:
        yield {each.kind: each(stack.enter_context(world())) for each in (AirflowCase, HttpCase, MlflowCase)}


def arranged(cases: dict[str, Any], *steps: dict[str, Any]) -> Site:
    here = site(runbook(*steps))
    here.engine.acts = {name: each.system for name, each in cases.items()}
    here.begin()
    return here


def written(here: Site) -> str:
    """Return all that is in the database."""
    decision_log.seal(here.engine.database, here.now)
    with here.engine.database.read() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return repr([list(connection.exec_driver_sql(f"SELECT * FROM {each}")) for each in tables])


def job(case: Case) -> dict[str, Any]:
    return {"step": "job", "act": "http.request", "with": case.asks["request"], "retry": {"times": 3}}


def test_a_run_acts_on_four_systems_once_each_though_an_answer_is_lost(cases: dict[str, Any]) -> None:
    here = arranged(
        cases,
        job(cases["http"]),
        {"step": "pull", "act": "switch.pull", "with": {"mode": "fallback", "reason": "job {steps.job.job}"}},
        {
            "step": "roll-back",
            "act": "mlflow.set_alias",
            "with": {"name": "flight-delay", "alias": "champion", "version": "1"},
            "undo": {"act": "mlflow.set_alias", "with": {"name": "a", "alias": "champion", "version": "2"}},
        },
        {"step": "retrain", "act": "airflow.trigger", "with": {"dag": "retrain", "conf": {"model": "{card.model}"}}},
        {
            "step": "trained",
            "act": "airflow.finished",
            "with": {"dag": "retrain", "run_id": "{steps.retrain.run_id}"},
            "retry": {"times": 5, "backoff": "1m"},
        },
    )
    with cases["http"].world.broken("lost"):
        here.drive()
    assert here.place() == ("running", "trained", "active"), here.run()
    cases["airflow"].runs[f"governance.{here.run().mark}.retrain.1"]["state"] = "success"
    here.drive(timedelta(minutes=2))
    assert here.run().state == "done", here.run()
    assert {name: each.effects for name, each in cases.items()} == {"airflow": 1, "http": 1, "mlflow": 1}
    assert cases["mlflow"].aliases == {"champion": "1"}
    with here.engine.database.read() as connection:
        (setting,) = switches.get(connection, "m").settings
    assert (setting.mode, setting.reason, setting.set_by) == ("fallback", f"job {here.run().mark}/job/1", "ana")
    assert SECRET not in written(here)
    assert decision_log.verify(here.engine.database).ok


def test_what_never_arrived_is_asked_again_under_the_same_key(cases: dict[str, Any]) -> None:
    here = arranged(cases, job(cases["http"]))
    with cases["http"].world.broken("never"):
        here.drive()
    assert cases["http"].effects == 0
    here.drive(timedelta(minutes=1))
    assert here.run().state == "done", here.run()
    posted = [each.key for each in cases["http"].world.got if each.method == "POST"]
    assert posted == [f"{here.run().mark}/job/1"] * 2
    assert cases["http"].effects == 1


@pytest.mark.parametrize(("fault", "state"), [("error", "unknown"), ("html", "unknown"), ("moved", "stopped")])
def test_a_run_stops_at_a_hostile_answer_and_keeps_no_credential(cases: dict[str, Any], fault, state) -> None:
    here = arranged(cases, job(cases["http"]))
    with cases["http"].world.broken(fault, everything=True):
        here.drive()
    assert here.run().state == state, here.run()
    assert "HTTP " in here.run().visits[-1].detail
    assert SECRET not in written(here)


def test_a_drill_changes_nothing_anywhere(cases: dict[str, Any]) -> None:
    here = site(
        runbook(
            job(cases["http"]),
            {"step": "pull", "act": "switch.pull", "with": {"mode": "fallback", "reason": "a drill"}},
            {"step": "retrain", "act": "airflow.trigger", "with": {"dag": "retrain"}},
            {
                "step": "trained",
                "act": "airflow.finished",
                "with": {"dag": "retrain", "run_id": "{steps.retrain.run_id}"},
            },
        )
    )
    here.engine.acts = {name: each.system for name, each in cases.items()}
    here.begin(mode="dry_run")
    here.drive()
    assert here.run().state == "done", here.run()
    assert all(each.effects == 0 for each in cases.values())
    assert [each.detail for each in here.run().visits][1:3] == [
        "m is in fallback", f"DAG 'retrain' is there; its run would be governance.{here.run().mark}.retrain.1"
    ]  # fmt: skip
    with here.engine.database.read() as connection:
        assert switches.get(connection, "m").settings == ()
