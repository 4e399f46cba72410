"""What becomes of consent that is given twice, by the wrong person, too early, too late, or while nobody looks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from running.house import House

from governance.core.authority import Actor
from governance.engine import consent, running, switching
from governance.engine.clock import stepped
from governance.engine.refused_acts import note
from governance.engine.running.driving import drive
from governance.errors import Conflict, Denied


@pytest.fixture
def at(home: House) -> House:
    """A run of ana's that waits for consent."""
    home.starts("ana")
    home.does("bo", "tick", step="look")
    return home


def answers(at: House, who: str, how: str = "approve", request: str = "APR-1", **body: Any) -> Any:
    answer = at.as_(who, "POST", f"/v1/approvals/{request}/{how}", body)
    at.drive()
    return answer


def refused(at: House, answer: Any, status: int, said: str, who: str, run: str = "RUN-1") -> None:
    """Check an answer that does not count: its sentence, and the entry about it."""
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    entry = at.entries("act.refused")[-1]
    assert entry["actor"] == who
    assert entry["subject"] == {"model": "loans", "run": run, "step": "consent"}
    assert entry["body"]["act"] == "runbook.approve"


def test_the_first_valid_answer_counts_and_says_who_gave_it(at: House) -> None:
    (waiting,) = at.as_("flo", "GET", "/v1/approvals").json()["items"]
    assert (waiting["kind"], waiting["run"], waiting["step"]) == ("runbook.approve", "RUN-1", "consent")
    assert (waiting["text"], waiting["who_may"]) == ("May we stop loans?", ["cy", "flo"])
    done = answers(at, "flo", because="the shadow agrees")
    assert done.status_code == 200
    assert done.json()["approval"]["state"] == "approved"
    entry = at.entries("runbook.approved")[-1]
    assert (entry["seq"], entry["actor"]) == (done.json()["entry"], "flo")
    assert entry["subject"] == {"model": "loans", "run": "RUN-1", "runbook": "careful"}
    assert entry["body"]["because"] == "the shadow agrees"
    assert at.step("consent")["by"] == "flo"
    assert at.run()["number"] == 3
    assert at.as_("flo", "GET", "/v1/approvals").json()["items"] == []


def test_given_again_by_the_same_person(at: House) -> None:
    answers(at, "flo")
    at.api.clock.on(minutes=3)
    refused(at, answers(at, "flo"), 409, "APR-1 was approved at 2026-01-31 12:00 UTC (3 m ago)", "flo")
    assert at.kinds().count("approved") == 1


def test_given_by_a_second_person_when_one_was_enough(at: House) -> None:
    answers(at, "flo")
    at.api.clock.on(minutes=3)
    refused(at, answers(at, "cy"), 409, "approved by flo", "cy")
    assert at.kinds().count("approved") == 1


def test_given_twice_by_the_same_person_where_two_are_needed_in_any_mix_of_channels(at: House) -> None:
    at.starts("ana", "two")
    request = at.step("consent", "RUN-2")["approval"]
    assert answers(at, "flo", request=request).status_code == 200
    waits = at.run("RUN-2")
    assert waits["summary"] == "step 1 of 2: consent – waits for an approver (cy)"
    again = answers(at, "flo", request=request)
    refused(at, again, 409, "flo has answered step 'consent' of RUN-2 already", "flo", run="RUN-2")
    for channel in ("cli", "slack", "tui"):
        with pytest.raises(Conflict, match="has answered step"):
            running.approve(at.api.engine, "RUN-2", actor=Actor("flo", channel=channel), at=at.api.clock.now())
    assert answers(at, "cy", request=request).status_code == 200
    assert at.step("consent", "RUN-2")["detail"] == "approved by flo and cy"


def test_given_by_the_starter(home: House) -> None:
    at = home
    at.starts("flo")
    at.does("bo", "tick", step="look")
    assert at.step("consent")["who_may"] == ["cy"]
    refused(at, answers(at, "flo"), 403, "flo started RUN-1; somebody else must consent: cy", "flo")
    assert answers(at, "cy").status_code == 200


def test_given_by_somebody_without_the_role(at: House) -> None:
    for who in ("bo", "eve", "out"):
        answer = answers(at, who)
        rule = "it needs the role approver for loans; these people may: cy, flo"
        if who != "out":  # who may read of nothing is not told what there is
            refused(at, answer, 403, rule, who)
        assert answer.status_code == 403
    assert at.run()["number"] == 2


def test_given_before_the_step_is_reached(home: House) -> None:
    at = home
    at.starts("ana")
    engine, now = at.api.engine, at.api.clock.now()
    with pytest.raises(
        Conflict, match="step 'consent' of RUN-1 cannot be approved now: it is not reached yet"
    ) as early:
        running.approve(engine, "RUN-1", actor=Actor("flo", channel="cli"), at=now)
    note(early.value)  # type: ignore[arg-type]  # as each channel does
    entry = at.entries("act.refused")[-1]
    assert (entry["actor"], entry["subject"]["step"]) == ("flo", "consent")
    assert answers(at, "flo").status_code == 404
    at.does("bo", "tick")
    assert at.step("consent")["answers"] == []


def test_given_after_the_time_out_that_the_engine_saw(at: House) -> None:
    at.drive(minutes=21)
    assert at.run()["state"] == "stopped"
    refused(at, answers(at, "flo"), 409, "APR-1 was voided at 2026-01-31 12:21 UTC (just now): nobody answered", "flo")
    assert "step_timed_out" in at.kinds()


def test_given_after_the_time_out_that_nobody_saw_yet(at: House) -> None:
    at.api.clock.on(minutes=21)
    answer = at.as_("flo", "POST", "/v1/approvals/APR-1/approve", {})
    refused(at, answer, 409, "step 'consent' of RUN-1 timed out at 2026-01-31 12:20:00 UTC", "flo")
    at.drive()
    assert at.run()["state"] == "stopped"


def test_given_in_time_while_the_engine_is_down(at: House) -> None:
    at.api.clock.on(minutes=19)
    assert at.as_("flo", "POST", "/v1/approvals/APR-1/approve", {}).status_code == 200
    at.api.clock.on(minutes=60)
    drive(at.api.engine, at.api.clock.now())
    assert at.step("consent")["state"] == "done"
    assert at.run()["number"] >= 3
    assert "step_timed_out" not in at.kinds()


def test_given_too_late_while_the_engine_is_down(at: House) -> None:
    at.api.clock.on(minutes=60)
    answer = at.as_("flo", "POST", "/v1/approvals/APR-1/approve", {})
    refused(at, answer, 409, "timed out at 2026-01-31 12:20:00 UTC", "flo")
    drive(at.api.engine, at.api.clock.now())
    assert at.step("consent")["state"] == "timed_out"


def test_given_by_a_service(at: House) -> None:
    robot = Actor("robot", "service", channel="api")
    with pytest.raises(Denied, match="people decide this, not services; these people may: cy, flo") as refusal:
        running.approve_request(at.api.engine, "APR-1", actor=robot, at=at.api.clock.now())
    note(refusal.value)  # type: ignore[arg-type]  # as each channel does
    entry = at.entries("act.refused")[-1]
    assert (entry["actor"], entry["subject"]["run"]) == ("robot", "RUN-1")
    assert list(entry["body"]["rules"]) == ["people decide this, not services"]


def test_refused_then_approved(at: House) -> None:
    done = answers(at, "cy", "refuse", because="the feed is down, not the model")
    assert (done.status_code, done.json()["approval"]["state"]) == (200, "refused")
    assert at.run()["state"] == "stopped"
    refused(at, answers(at, "flo"), 409, "APR-1 was refused at 2026-01-31 12:00 UTC (just now)", "flo")
    at.does("bo", "retry", because="the feed is back")
    again = at.step("consent")
    assert (again["visit"], again["approval"]) == (2, "APR-2")
    assert answers(at, "flo").status_code == 409
    assert answers(at, "flo", request="APR-2").status_code == 200


def test_the_time_for_it_moves_along_with_the_clock_of_the_machine(at: House) -> None:
    at.api.clock.on(hours=1)
    stepped(at.api.engine, timedelta(hours=1), at=at.api.clock.now())
    (waiting,) = at.as_("flo", "GET", "/v1/approvals").json()["items"]
    assert (waiting["id"], waiting["expires_at"]) == ("APR-1", "2026-01-31T13:20:00Z")
    assert answers(at, "flo").status_code == 200


def test_consent_is_never_skipped(at: House) -> None:
    answer = at.as_("bo", "POST", "/v1/runs/RUN-1/skip", {"because": "nobody is there"})
    assert answer.status_code == 409
    assert "asks for consent, which cannot be skipped" in answer.json()["detail"]
    assert at.step("consent")["can"] == ["approve", "refuse"]


def test_nobody_consents_by_another_kind_of_request(at: House) -> None:
    for kind in (consent, switching):
        with pytest.raises(Conflict, match="answer it with gov runbook approve or refuse"):
            kind.approve(at.api.engine, "APR-1", actor="flo", at=at.api.clock.now())
        with pytest.raises(Conflict, match="answer it with gov runbook approve or refuse"):
            kind.refuse(at.api.engine, "APR-1", actor="flo", because="x", at=at.api.clock.now())
