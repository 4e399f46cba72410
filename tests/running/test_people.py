"""What people do with runs: each act with its entry, who may, who was first, and how a run is shown."""

from __future__ import annotations

from typing import Any

import pytest
from running.house import House

ACTS: dict[str, dict[str, Any]] = {
    "tick": {"because": "seen"},
    "skip": {"because": "nothing to see"},
    "pause": {"because": "lunch"},
    "cancel": {"because": "it mended itself"},
}


@pytest.fixture
def at(home: House) -> House:
    """A run of ana's that waits for somebody to look."""
    home.starts("ana", parameters={"ticket": "T-7"})
    return home


def post(at: House, who: str, act: str, run: str = "RUN-1", **body: Any) -> Any:
    return at.as_(who, "POST", f"/v1/runs/{run}/{act}", body)


# --- starting


def test_a_start_says_what_runs_and_who_may_go_on(at: House) -> None:
    run = at.run()
    assert (run["id"], run["state"], run["number"], run["total"]) == ("RUN-1", "waiting", 1, 4)
    assert run["summary"] == "step 1 of 4: look – waits for somebody to do it and tick it (ana, bo, cy, flo)"
    assert [(each["glyph"], each["state"]) for each in run["steps"]] == [("▶", "waiting"), *[("○", "to come")] * 3]
    assert run["steps"][0]["text"] == "Look at loans, ticket T-7."
    assert (run["steps"][1]["text"], run["steps"][1]["does"]) == (
        "May we stop loans?",
        "asks an approver, not the starter",
    )
    assert (run["can"], run["parameters"]) == (["pause", "cancel"], {"ticket": "T-7"})
    (entry,) = at.entries("runbook.started")
    assert (entry["actor"], entry["body"]["because"], entry["body"]["channel"]) == ("ana", "errors", "api")


def test_a_second_start_is_told_of_the_first(at: House) -> None:
    at.api.clock.on(minutes=3)
    answer = at.as_("bo", "POST", "/v1/models/loans/runs", {"runbook": "careful", "because": "errors"})
    assert answer.status_code == 409
    assert "RUN-1" in answer.json()["detail"]
    assert "started by ana" in answer.json()["detail"]
    known = {each["runbook"]: each for each in at.as_("bo", "GET", "/v1/runbooks?model=loans").json()["items"]}
    assert known["careful"]["refused"] == "RUN-1 is under way"
    assert (known["two"]["refused"], known["two"]["source"]) == (
        "",
        str(at.api.engine.plan.runbooks["two"].source.file),
    )
    assert known["careful"]["parameters"]["ticket"]["default"] == "none"
    assert (known["two"]["may"]["allowed"], known["two"]["may"]["because"]) == (True, "bo is responder of loans")
    denied = at.as_("eve", "GET", "/v1/runbooks?model=loans").json()["items"][0]["may"]
    assert denied["because"].startswith("'eve' may not start runbooks: it needs the role responder for loans")
    every = {each["runbook"]: each for each in at.as_("eve", "GET", "/v1/runbooks").json()["items"]}
    assert (every["careful"]["refused"], every["careful"]["may"]) == ("", None), "of no model nothing is refused"
    assert set(every) == set(known)


@pytest.mark.parametrize(
    ("who", "model", "body", "status", "said"),
    [
        ("eve", "loans", {"runbook": "two"}, 403, "'eve' may not start runbooks: it needs the role responder"),
        ("bo", "loans", {"runbook": "carefull"}, 404, "no runbook 'carefull'; did you mean 'careful'?"),
        ("bo", "loan", {"runbook": "two"}, 404, "no card declares the model 'loan'"),
        ("bo", "loans", {"runbook": "two", "incident": 9}, 404, "no incident 9"),
        ("bo", "loans", {"runbook": "two", "parameters": {"x": 1}}, 422, "parameters.x"),
        ("bo", "loans", {"runbook": "needs"}, 422, "parameters.version"),
        ("bo", "loans", {"runbook": "two", "because": " "}, 422, "because"),
        ("bo", "loans", {"runbook": "two", "then": "x"}, 422, "then"),
    ],
)
def test_what_cannot_be_started_says_why(
    home: House, who: str, model: str, body: dict[str, Any], status: int, said: str
) -> None:
    answer = home.as_(who, "POST", f"/v1/models/{model}/runs", {"because": "errors", **body})
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert home.as_("bo", "GET", "/v1/runs?state=all").json()["items"] == []


def test_the_same_request_starts_one_run(at: House) -> None:
    body = {"runbook": "two", "because": "errors"}
    first, again = (at.as_("bo", "POST", "/v1/models/loans/runs", body, **{"Idempotency-Key": "k"}) for _ in "12")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"


# --- acting


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_an_entry_with_its_actor_channel_and_reason(at: House, act: str) -> None:
    done = at.does("bo", act, **ACTS[act])
    entry = next(each for each in at.entries("runbook") if each["seq"] == done["entry"])
    assert entry["actor"] == "bo"
    assert entry["subject"] == {"model": "loans", "run": "RUN-1", "runbook": "careful"}
    assert (entry["body"]["because"], entry["body"]["channel"]) == (ACTS[act]["because"], "api")
    assert done["because_allowed"] == "bo is responder of loans"


@pytest.mark.parametrize("act", [*ACTS, "retry", "resume", "settle"])
def test_every_act_is_refused_to_who_may_not_with_an_entry(at: House, act: str) -> None:
    body = {"because": "x", **({"took_effect": True} if act == "settle" else {})}
    answer = post(at, "eve", act, **body)
    assert answer.status_code == 403
    assert "it needs the role responder for loans; these people may: ana, bo, cy, flo" in answer.json()["detail"]
    entry = at.entries("act.refused")[-1]
    assert (entry["actor"], entry["body"]["act"]) == ("eve", f"runbook.{act}")
    assert entry["subject"] == {"model": "loans", "run": "RUN-1", "step": "look"}
    assert at.run()["version"] == at.run()["version"]


@pytest.mark.parametrize(
    ("act", "said"),
    [("retry", "RUN-1 has not stopped"), ("resume", "RUN-1 is not paused: it is waiting"),
     ("settle", "what became of step 'look' of RUN-1 is known")],
)  # fmt: skip
def test_what_is_not_the_moment_says_where_the_run_is(at: House, act: str, said: str) -> None:
    body = {"because": "x", **({"took_effect": True} if act == "settle" else {})}
    answer = post(at, "bo", act, **body)
    assert (answer.status_code, said in answer.json()["detail"]) == (409, True), answer.text
    assert at.entries("act.refused")[-1]["body"]["act"] == f"runbook.{act}"


def test_who_comes_second_is_told_who_was_first_and_how_long_ago(at: House) -> None:
    version = at.run()["version"]
    at.does("bo", "tick", step="look", version=version)
    at.api.clock.on(minutes=3)
    for seen in ({"step": "look"}, {"version": version}):
        answer = post(at, "cy", "tick", **seen)
        assert answer.status_code == 409
        assert "bo finished look at 2026-01-31 12:00 UTC (3 m ago)" in answer.json()["detail"]


def test_nothing_happens_to_a_run_that_has_ended(at: House) -> None:
    at.does("bo", "cancel", because="it mended itself")
    assert at.run()["state"] == "cancelled"
    for act in (*ACTS, "retry", "resume"):
        answer = post(at, "bo", act, because="x")
        assert (answer.status_code, "RUN-1 is cancelled" in answer.json()["detail"]) == (409, True)
    assert at.run()["can"] == []


def test_a_paused_run_begins_nothing_until_somebody_resumes_it(at: House) -> None:
    at.does("bo", "pause", because="lunch")
    assert at.run()["summary"].startswith("step 1 of 4: look – paused; somebody resumes it (ana, bo, cy, flo)")
    at.does("bo", "tick")
    assert (at.run()["state"], at.run()["number"], at.step("consent")["approval"]) == ("paused", 2, "")
    at.does("cy", "resume")
    assert at.step("consent")["approval"] == "APR-1"


def test_the_way_to_the_end_is_shown_step_by_step(at: House) -> None:
    at.does("bo", "tick", because="the feed is late")
    assert at.run()["summary"] == "step 2 of 4: consent – waits for an approver (cy, flo) until 12:20"
    at.as_("cy", "POST", "/v1/approvals/APR-1/approve", {})
    at.drive()
    assert at.run()["summary"] == "step 3 of 4: settle-down – waits until 12:10"
    at.drive(minutes=10)
    at.does("bo", "tick", step="tell")
    run = at.run()
    assert (run["state"], run["summary"]) == ("done", "done after 10 m")
    assert [each["glyph"] for each in run["steps"]] == ["✓"] * 4
    assert at.kinds() == [
        "started", "step_begun", "step_done", "step_begun", "approved", "step_done", "step_begun", "step_done",
        "step_begun", "step_done", "finished",
    ]  # fmt: skip


def test_runs_are_listed_by_model_and_state(at: House) -> None:
    at.starts("bo", "two")
    at.does("bo", "cancel", because="x")

    def listed(query: str) -> list[str]:
        return [each["id"] for each in at.as_("bo", "GET", f"/v1/runs?{query}").json()["items"]]

    assert (listed(""), listed("state=ended"), listed("state=all")) == (["RUN-2"], ["RUN-1"], ["RUN-2", "RUN-1"])
    assert (listed("model=fraud"), listed("incident=3")) == ([], [])
    page = at.as_("bo", "GET", "/v1/runs?state=all&limit=1").json()
    assert [each["id"] for each in page["items"]] == ["RUN-2"]
    rest = at.as_("bo", "GET", f"/v1/runs?state=all&limit=1&cursor={page['next']}").json()
    assert ([each["id"] for each in rest["items"]], rest["next"]) == (["RUN-1"], None)
    assert at.as_("out", "GET", "/v1/runs/RUN-1").status_code == 403
    assert at.as_("bo", "GET", "/v1/runs/RUN-9").status_code == 404


def test_a_runbook_is_simulated_without_a_trace(at: House) -> None:
    body = {"model": "loans", "parameters": {"ticket": "T-8"}, "assume": {"consent": "refused"}}
    found = at.as_("eve", "POST", "/v1/runbooks/careful/simulate", body).json()
    assert [(each["step"], each["outcome"]) for each in found["steps"]] == [("look", "done"), ("consent", "failed")]
    assert (found["ending"]["state"], found["parameters"]) == ("stopped", {"ticket": "T-8"})
    assert at.as_("eve", "POST", "/v1/runbooks/careful/simulate", {**body, "assume": {"x": "holds"}}).status_code == 422
    assert [each["id"] for each in at.as_("eve", "GET", "/v1/runs?state=all").json()["items"]] == ["RUN-1"]


def test_a_dry_run_says_whom_it_would_ask(at: House) -> None:
    at.does("bo", "cancel", because="x")
    at.starts("ana", dry_run=True)
    run = at.run("RUN-2")
    assert (run["mode"], run["state"], [each["glyph"] for each in run["steps"]]) == ("dry_run", "done", ["↷"] * 4)
    assert at.step("consent", "RUN-2")["detail"] == "would ask for the consent of cy, flo"
    assert at.as_("flo", "GET", "/v1/approvals").json()["items"] == []


def test_who_listens_hears_of_each_change_of_a_run(at: House) -> None:
    at.api.service.feed.look()
    heard = at.api.service.feed.after(-1)
    assert heard is not None
    (started,) = [each for each in heard if each.kind == "runbook.started"]
    assert started.subject == {"model": "loans", "run": "RUN-1", "runbook": "careful"}
