"""Jobs that runbooks start elsewhere, in Airflow and in GitHub Actions: found again by their key, and waited for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from contract.acts.airflow_case import AirflowCase, dag_run
from contract.acts.case import AT, SECRET
from contract.acts.github_case import GithubCase, workflow_run
from contract.acts.world import Asked, Reply, World, world

from governance.actions.airflow import Airflow, AirflowConfig
from governance.core.performance import Outcome


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("CASE_SECRET", SECRET)
    with world() as found:
        yield found


def test_a_run_of_airflow_has_an_id_made_of_the_key_and_carries_it(server: World) -> None:
    case = AirflowCase(server)
    done = case.system.perform(case.request("trigger"))
    assert (done.state, done.outputs) == ("done", {"run_id": "governance.RUN-12.roll-back.1", "state": "queued"})
    assert server.got[0].json == {
        "dag_run_id": "governance.RUN-12.roll-back.1",
        "logical_date": None,
        "conf": {"model": "flight-delay", "days": 90},
        "note": "governance RUN-12/roll-back/1",
    }


def test_a_run_of_another_engine_with_the_same_id_is_not_taken_for_ours(server: World) -> None:
    case = AirflowCase(server)
    case.runs["governance.RUN-12.roll-back.1"] = dag_run("retrain", {"dag_run_id": "x", "conf": {"model": "spam"}})
    for found in (case.system.perform(case.request("trigger")), case.system.read_back(case.request("trigger"))):
        assert found is not None
        assert (found.state, found.again) == ("failed", False)
        assert "two engines need two values of `prefix`" in found.detail


@pytest.mark.parametrize(
    ("state", "outcome", "again"),
    [("queued", "failed", True), ("running", "failed", True), ("failed", "failed", False), ("success", "done", True)],
)
def test_a_run_of_airflow_is_waited_for(server: World, state: str, outcome: str, again: bool) -> None:
    case = AirflowCase(server)
    case.runs["yesterday"]["state"] = state
    found = case.system.perform(case.request("finished"))
    assert (found.state, found.again, found.outputs["state"]) == (outcome, again, state)
    assert found.detail == f"run yesterday of retrain: {state}"
    assert found.wait == (None if outcome == "done" else timedelta(seconds=30))


def test_a_paused_dag_and_one_that_is_none_are_found_in_the_dry_run(server: World) -> None:
    case = AirflowCase(server)
    case.paused = True
    assert "is paused" in case.system.dry_run(case.request("trigger")).detail
    assert case.system.dry_run(case.request("trigger", dag="retrian")).detail == "Airflow has no DAG 'retrian'"
    gone = case.system.perform(case.request("trigger", dag="retrian"))
    assert (gone.state, gone.again) == ("failed", False)


def by_password(server: World, token: Reply) -> tuple[AirflowCase, Outcome]:
    case = AirflowCase(server)
    config = AirflowConfig(address=server.address, user="gov", password_env="CASE_SECRET", timeout="20s")  # noqa: S106
    server.told = lambda each: token if each.path == "/auth/token" else case.answer(each)
    return case, Airflow(config).perform(case.request("trigger"))


def test_user_and_password_are_exchanged_for_a_token(server: World) -> None:
    _, found = by_password(server, Reply(201, {"access_token": "lent"}))
    assert found.state == "done"
    login, asked = server.got
    assert login.json == {"username": "gov", "password": SECRET}
    assert asked.headers["authorization"] == "Bearer lent"


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (Reply(401, {"detail": f"no {SECRET}"}), "HTTP 401"),
        (Reply(201, {"token": "x"}), "Airflow gave no token"),
        (Reply(201, {"access_token": "a\r\nX-B: c"}), "Airflow gave no token"),
        (Reply(200, b"<html>sign in</html>"), "is no JSON"),
    ],
)
def test_without_a_token_nothing_is_asked_of_a_dag(server: World, token: Reply, said: str) -> None:
    _, found = by_password(server, token)
    assert found.state == "failed"
    assert said in found.detail
    assert SECRET not in repr(found)
    assert [each.path for each in server.got] == ["/auth/token"]


def test_a_dispatch_says_which_run_it_started(server: World) -> None:
    case = GithubCase(server)
    done = case.system.perform(case.request("dispatch"))
    url = "https://github.com/acme/models/actions/runs/101"
    assert (done.state, done.outputs) == ("done", {"run_id": "101", "url": url})
    assert done.detail == "started retrain.yml on main, run 101"
    posted = next(each for each in server.got if each.method == "POST")
    inputs = {"days": "90", "key": "RUN-12/roll-back/1"}
    assert posted.json == {"ref": "main", "inputs": inputs, "return_run_details": True}


def test_a_server_that_tells_no_run_has_started_it_all_the_same(server: World) -> None:
    case = GithubCase(server)
    case.details = False
    done = case.system.perform(case.request("dispatch"))
    assert (done.state, done.outputs) == ("done", {"run_id": "", "url": ""})
    back = case.system.read_back(case.request("dispatch"))
    assert back is not None
    assert back.outputs["run_id"] == "101"


def test_the_run_of_a_key_is_not_that_of_a_longer_one_and_is_found_on_a_later_page(server: World) -> None:
    case = GithubCase(server)
    others = [workflow_run(1000 + each, f"retrain RUN-12/roll-back/1{each}") for each in range(120)]
    case.runs = [*others, workflow_run(7, "retrain RUN-12/roll-back/1"), *case.runs]
    found = case.system.read_back(case.request("dispatch"))
    assert found is not None
    assert found.outputs["run_id"] == "7"
    del case.runs[120]
    assert case.system.read_back(case.request("dispatch")) is None
    assert case.system.read_back(case.request("dispatch", key_input="")) is None, "nothing tells whose run it is"


@pytest.mark.parametrize(
    ("more", "outcome", "again"),
    [
        ({"status": "in_progress"}, "failed", True),
        ({"status": "completed", "conclusion": "failure"}, "failed", False),
        ({"status": "completed", "conclusion": "cancelled"}, "failed", False),
        ({"status": "completed", "conclusion": "success"}, "done", True),
    ],
)
def test_a_run_of_github_is_waited_for(server: World, more, outcome: str, again: bool) -> None:
    case = GithubCase(server)
    case.runs = [workflow_run(6, "retrain", **more)]
    found = case.system.perform(case.request("finished"))
    assert (found.state, found.again) == (outcome, again)
    assert found.detail == f"run 6 is {more.get('conclusion') or more['status']}"


def test_what_is_not_there_is_found_in_the_dry_run(server: World) -> None:
    case = GithubCase(server)
    dry = [case.system.dry_run(case.request("dispatch", **each)) for each in ({"workflow": "x.yml"}, {"ref": "gone"})]
    assert [each.detail for each in dry] == ["acme/models has no workflow x.yml", "acme/models shows no ref 'gone'"]
    case.state = "disabled_manually"
    found = case.system.dry_run(case.request("dispatch"))
    assert found.detail == "the workflow retrain.yml is disabled_manually, not active"


def test_an_input_that_the_workflow_does_not_have_is_its_refusal(server: World) -> None:
    case = GithubCase(server)
    found = case.system.perform(case.request("dispatch", inputs={"dyas": 3}))
    assert (found.state, found.again) == ("failed", False)
    assert "Unexpected inputs provided: ['dyas']" in found.detail


@pytest.mark.parametrize(
    ("headers", "again", "wait"),
    [
        ({}, False, None),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(AT.timestamp()) + 60)}, True, 60),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, False, None),
        ({"Retry-After": "5"}, True, 5),
    ],
)
def test_a_limit_of_github_is_no_refusal(server: World, headers, again: bool, wait: int | None) -> None:
    case = GithubCase(server)

    def limited(asked: Asked) -> Reply:
        return Reply(403, {"message": "no"}, headers) if asked.method == "POST" else case.answer(asked)

    server.told = limited
    found = case.system.perform(case.request("dispatch"))
    assert (found.state, found.again) == ("failed", again)
    assert found.wait == (timedelta(seconds=wait) if wait else None)
