"""Incidents that runs are about: open while one is, looked at when it ends, and told of each change."""

from __future__ import annotations

from typing import Any

import pytest
from running.house import House


@pytest.fixture
def at(home: House) -> House:
    """An incident, and a run of ana's about it that waits for somebody to look."""
    home.api.judge(0.9)
    home.starts("ana", incident=1)
    return home


def incident(at: House, number: int = 1) -> dict[str, Any]:
    return dict(at.as_("bo", "GET", f"/v1/incidents/{number}").json())


def lines(at: House, number: int = 1) -> list[str]:
    found = at.as_("bo", "GET", f"/v1/incidents/{number}/timeline").json()["items"]
    return [f"{each['actor']}: {each['text']}" for each in found if not each["kind"].startswith("notification")]


def test_it_is_not_resolved_by_itself_while_a_run_is_open_and_looked_at_when_that_ends(at: House) -> None:
    at.api.judge(0.1)
    found = incident(at)
    assert (found["status"], found["findings"][0]["ended"] is not None) == ("triggered", True)
    assert [each["id"] for each in found["runs"]] == ["RUN-1"]
    assert found["runs"][0]["summary"].startswith("step 1 of 4: look – waits for somebody")
    assert at.as_("bo", "GET", "/v1/incidents/1/why").json()["runs"] == found["runs"]
    assert lines(at)[-1].endswith("nothing fires any more; it stays open until RUN-1 ended")
    at.does("bo", "cancel", because="it mended itself")
    found = incident(at)
    assert (found["status"], found["resolved_by"]) == ("resolved", "engine")
    assert found["runs"][0]["summary"].startswith("cancelled after")
    assert lines(at)[-1] == "engine: resolved"


def test_what_fires_again_meanwhile_is_the_same_incident(at: House) -> None:
    at.api.judge(0.1)
    at.api.judge(0.9)
    assert (incident(at)["findings"][0]["times"], incident(at)["reopened"]) == (2, 0)
    at.does("bo", "cancel", because="it is something else")
    assert incident(at)["status"] == "triggered"
    at.api.judge(0.1)
    assert incident(at)["status"] == "resolved"


def test_it_waits_for_the_last_of_its_runs(at: House) -> None:
    at.starts("ana", "two", incident=1)
    at.api.judge(0.1)
    at.does("bo", "cancel", because="x")
    assert incident(at)["status"] == "triggered"
    at.does("bo", "cancel", "RUN-2", because="x")
    assert incident(at)["status"] == "resolved"


def test_a_run_is_about_no_incident_of_another_model(at: House) -> None:
    at.api.judge(0.9, model="fraud")
    answer = at.as_("bo", "POST", "/v1/models/loans/runs", {"runbook": "two", "because": "x", "incident": 2})
    assert answer.status_code == 422
    assert "INC-2 is about fraud, not about loans" in answer.json()["detail"]


def test_who_closes_it_by_hand_hears_what_goes_on(at: House) -> None:
    version = incident(at)["version"]
    done = at.as_("bo", "POST", "/v1/incidents/1/resolve", {"version": version, "because": "known"})
    assert (done.status_code, done.json()["under_way"]) == (200, ["RUN-1"])
    assert at.run()["state"] == "waiting"
    at.does("bo", "cancel", because="x")
    assert incident(at)["resolved_by"] == "bo"


def test_merging_moves_runs_along(at: House) -> None:
    at.api.judge(0.9, model="fraud")
    body = {"version": 1, "into": 2, "because": "one feed"}
    assert at.as_("cy", "POST", "/v1/incidents/1/merge", body).status_code == 200
    assert (at.run()["incident"], incident(at)["runs"]) == (2, [])
    assert [each["id"] for each in incident(at, 2)["runs"]] == ["RUN-1"]
    at.api.judge(0.1)
    at.api.judge(0.1, model="fraud")
    assert incident(at, 2)["status"] == "triggered"
    at.does("bo", "cancel", because="x")
    assert incident(at, 2)["status"] == "resolved"


def test_the_timeline_tells_the_run_in_words(at: House) -> None:
    at.does("bo", "tick", because="the feed is late")
    at.as_("eve", "POST", "/v1/approvals/APR-1/approve", {})
    at.as_("flo", "POST", "/v1/approvals/APR-1/approve", {"because": "the shadow agrees"})
    at.drive()
    told = [each for each in lines(at) if "RUN-1" in each or "refused" in each or "careful" in each]
    assert told == [
        "ana: started careful as RUN-1: errors",
        "engine: RUN-1 begins look – Look at loans, ticket none.",
        "bo: RUN-1: look is done: the feed is late",
        "engine: RUN-1 begins consent – May we stop loans?",
        "eve: was refused: it needs the role approver for loans",
        "flo: consented to consent of RUN-1: the shadow agrees",
        "flo: RUN-1: consent is done: approved by flo",
        "engine: RUN-1 begins settle-down – wait 10m",
    ]
    page = at.as_("bo", "GET", "/v1/incidents/1/postmortem").text
    assert "**flo** (api): consented to consent of RUN-1: the shadow agrees" in page
