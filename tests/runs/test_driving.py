"""Runs as the engine drives them, on a real database: what is asked of the world, when, and what is recorded of it."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from runs.site import MINUTE, SECOND, runbook, site

from governance.core import run_acts
from governance.core.run import Answer
from governance.engine.dispatch import dispatch
from governance.engine.running.driving import drive
from governance.errors import Conflict, InvalidDocument
from governance.store import decision_log, runs, switches
from governance.testing.collector import Collector

LOOK = {"step": "look", "instruct": "Is {card.model} sound?", "timeout": "15m"}
ACT = {"step": "act", "act": "x.do", "with": {"version": "{card.versions.rollback_to}", "n": "{1 + 1}"}}
TELL = {"step": "tell", "act": "x.do", "with": {"text": "it was number {steps.act.number}"}}


def test_a_run_goes_as_far_as_it_can() -> None:
    here = site(runbook(ACT, TELL, LOOK))
    here.begin()
    here.drive()
    assert here.place() == ("waiting", "look", "waiting")
    assert here.system.effects == {"RUN-1/act/1": 1, "RUN-1/tell/1": 1}
    assert here.system.asked["RUN-1/act/1"] == [{"version": "6", "n": 2}]
    assert here.system.asked["RUN-1/tell/1"] == [{"text": "it was number 1"}]
    run = here.run()
    assert (run.visits[-1].text, run.visits[0].outputs["number"]) == ("Is m sound?", 1)
    here.act(run_acts.ticked, "bo", here.now)
    here.drive()
    assert here.run().state == "done"
    assert here.entries() == [
        "started", "step_begun act", "step_done act", "step_begun tell", "step_done tell", "step_begun look",
        "step_done look", "finished",
    ]  # fmt: skip
    assert decision_log.verify(here.engine.database).ok


def test_the_intent_is_recorded_before_the_act() -> None:
    here = site(runbook(ACT))
    seen: list[Any] = []
    here.system.before = lambda _: seen.append((here.place(), here.entries()))
    here.begin()
    here.drive()
    assert seen == [(("running", "act", "acting"), ["started", "step_begun act"])]


def test_what_is_not_due_is_left_alone() -> None:
    here = site(runbook({"step": "rest", "wait": "10m"}, ACT))
    here.begin()
    here.drive()
    assert drive(here.engine, here.now + 9 * MINUTE) == 0
    here.drive(11 * MINUTE)
    assert here.run().state == "done"


def test_a_failing_act_is_tried_again_under_its_key_when_that_is_due() -> None:
    here = site(runbook({**ACT, "retry": {"times": 2, "backoff": "10s"}}))
    here.system.answers["RUN-1/act/1"] = ["failed", "failed"]
    here.begin()
    here.drive()
    assert here.place() == ("running", "act", "active")
    here.drive(5 * SECOND)
    assert len(here.system.asked["RUN-1/act/1"]) == 1
    here.drive(10 * SECOND)
    here.drive(30 * SECOND)
    assert here.run().state == "done"
    assert len(here.system.asked["RUN-1/act/1"]) == 3
    assert here.entries() == [
        "started", "step_begun act", "step_failed act", "step_failed act", "step_done act", "finished",
    ]  # fmt: skip


def test_a_check_waits_for_the_metric() -> None:
    here = site(runbook({"step": "sound", "check": "metrics.errors < 0.1", "timeout": "30m"}, ACT))
    here.world.values["errors"] = 0.5
    here.begin()
    here.drive()
    assert here.place() == ("running", "sound", "active")
    assert "0.5" in here.run().visits[-1].detail
    here.world.values["errors"] = None
    here.drive(MINUTE)
    assert "no sample" in here.run().visits[-1].detail
    here.world.down = True
    here.drive(MINUTE)
    assert "connection refused" in here.run().visits[-1].detail
    here.world.down, here.world.values["errors"] = False, 0.05
    here.drive(MINUTE)
    assert here.run().state == "done"


@pytest.mark.parametrize("value", [0.5, None])
def test_a_check_without_time_is_decided_at_once(value: float | None) -> None:
    here = site(runbook({"step": "sound", "check": "metrics.errors < 0.1", "on_failure": "other"}, LOOK, {
        "step": "other", "act": "x.do"}))  # fmt: skip
    here.world.values["errors"] = value
    here.begin()
    here.drive()
    assert (here.run().state, here.run().visits[0].state) == ("done", "failed")
    assert list(here.system.effects) == ["RUN-1/other/1"]


def test_a_condition_skips_a_step() -> None:
    here = site(runbook({**ACT, "when": "metrics.errors > 0.1"}, TELL | {"with": {}}))
    here.begin()
    here.drive()
    assert list(here.system.effects) == ["RUN-1/tell/1"]
    assert here.entries()[1] == "step_skipped act"


def test_what_cannot_be_asked_fails_its_step_with_the_reason() -> None:
    here = site(runbook({**ACT, "with": {"v": "{card.versions.canary}"}}))
    here.begin()
    here.drive()
    assert here.place() == ("stopped", "act", "failed")
    assert "card.versions.canary" in here.run().said
    assert not here.system.effects


def test_consent_counts_by_its_time() -> None:
    here = site(runbook({"step": "ok", "approve": {"people": 2}, "timeout": "20m"}, ACT))
    here.begin()
    here.drive()
    here.act(run_acts.answered, Answer("bo", here.now, approved=True))
    here.now += 25 * MINUTE  # nobody drove meanwhile
    here.act(run_acts.answered, Answer("cy", here.now - 10 * MINUTE, approved=True))
    here.drive()
    assert here.run().state == "done"


def test_what_is_frozen_stays() -> None:
    here = site(runbook({"step": "rest", "wait": "1m"}, ACT))
    here.begin()
    here.drive()
    later = site(
        runbook({"step": "rest", "wait": "1m"}, {"step": "new", "act": "x.do"}), database=here.engine.database,
        card={**here.engine.plan.policies[0].policy.card.model_dump(exclude_unset=True), "metrics": {},
              "versions": {"serving": "9", "rollback_to": "8"}}, system=here.system, now=here.now,
    )  # fmt: skip
    later.drive(MINUTE)
    assert later.run().state == "done"
    assert here.system.asked == {"RUN-1/act/1": [{"version": "6", "n": 2}]}


def test_one_run_of_a_runbook_for_a_model_is_open() -> None:
    here = site(
        runbook(LOOK, parameters={"to": {"default": "{card.versions.rollback_to}"}, "for": {"type": "duration"}})
    )
    with pytest.raises(InvalidDocument, match=r"parameters\.for"):
        here.begin()
    run = here.begin(parameters={"for": "30m"})
    assert run.parameters == {"to": "6", "for": "30m"}
    with pytest.raises(Conflict, match=r"RUN-1 of 'r' is running for m since 2026-03-01 09:00 UTC, started by ana"):
        here.begin(parameters={"for": "30m"})


def test_a_dry_run_asks_nobody_and_changes_nothing() -> None:
    here = site(runbook(LOOK, {"step": "ok", "approve": {}}, {"step": "sound", "check": "metrics.errors < 0.1"}, ACT,
                        {"step": "rest", "wait": "1h"}))  # fmt: skip
    here.begin(mode="dry_run")
    here.drive()
    run = here.run()
    assert run.state == "done", run.said
    assert [each.state for each in run.visits] == ["skipped", "skipped", "done", "done", "skipped"]
    assert (here.system.drills, here.system.effects) == (["RUN-1/act/1"], {})
    assert "would ask" in run.visits[0].detail


def test_what_was_done_is_taken_back() -> None:
    undo = {"undo": {"act": "x.back", "with": {"version": "{card.versions.serving}"}}}
    here = site(runbook(ACT | undo, TELL | undo, {"step": "third", "act": "x.do"}))
    here.system.answers["RUN-1/third/1"] = ["failed"]
    here.begin()
    here.drive()
    assert here.place() == ("stopped", "third", "failed")
    here.act(run_acts.cancelled, "bo", here.now, because="enough")
    here.drive()
    assert here.run().state == "cancelled"
    assert here.system.order[-2:] == ["RUN-1/tell/1/undo", "RUN-1/act/1/undo"]
    assert here.system.asked["RUN-1/act/1/undo"] == [{"version": "7"}]


def test_acts_run_beside_each_other() -> None:
    here = site(*(runbook(ACT, name=f"r{n}") for n in range(4)))
    together = threading.Barrier(4)
    here.system.before = lambda _: together.wait(20)
    for n in range(4):
        here.begin(f"r{n}")
    with here.engine.runner.apart(20):
        latest = time.monotonic() + 20
        while time.monotonic() < latest:
            drive(here.engine, here.now)
            with here.engine.database.read() as connection:
                if not runs.listed(connection):
                    break
            here.engine.runner.sleep(0.05)
    assert sorted(here.system.effects.values()) == [1, 1, 1, 1]
    assert all(here.run(f"RUN-{n}").state == "done" for n in range(1, 5))


def test_nothing_is_asked_again_of_a_run_at_rest() -> None:
    here = site(runbook(LOOK, ACT))
    here.begin()
    here.drive()
    here.act(run_acts.paused, "bo")
    here.act(run_acts.ticked, "bo", here.now)
    here.drive(timedelta(hours=1))
    assert here.place() == ("paused", "act", "active")
    here.act(run_acts.resumed, "bo")
    here.drive()
    assert here.run().state == "done"


def test_the_engine_is_changed_in_the_transaction_of_the_outcome() -> None:
    pull = {"step": "pull", "act": "switch.pull", "with": {"mode": "stopped", "reason": "{run.id} says so"}}
    here = site(runbook(pull, LOOK))
    here.begin()
    here.drive()
    assert here.place() == ("waiting", "look", "waiting")
    with here.engine.database.read() as connection:
        switch = switches.get(connection, "m")
    assert [(each.mode, each.reason) for each in switch.settings] == [("stopped", "RUN-1 says so")]
    assert here.run().visits[0].outputs["seq"] == switch.seq


def test_people_are_told_in_the_transaction_of_the_step() -> None:
    here, pager = (
        site(runbook({"step": "tell", "notify": {"message": "{card.model} is served by {run.id}"}}, LOOK)),
        (Collector()),
    )
    here.engine.notifiers = {"pager": pager}
    here.begin()
    here.drive()
    dispatch(here.engine, here.now)
    assert [each.message.title for each in pager.effects] == ["m is served by RUN-1"]
    assert here.run().visits[0].state == "done"


def test_nobody_who_can_be_told_fails_the_step() -> None:
    here = site(runbook({"step": "tell", "notify": {"message": "x"}, "on_failure": "act"}, LOOK, ACT))
    here.begin()
    here.drive()
    assert [each.state for each in here.run().visits] == ["failed", "done"]
