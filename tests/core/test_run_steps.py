"""What becomes of a run at each step, by tables: outcomes, checks and times."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from core.run_of_steps import (
    ACT,
    DONE,
    FAILED,
    FINAL,
    LATER,
    LOOK,
    LOST,
    MARK,
    MINUTE,
    T,
    acted,
    enter,
    place,
    run_of,
)

from governance.core import run_acts
from governance.core.performance import Outcome
from governance.core.run_steps import (
    Facts,
    Judgement,
    broken,
    entered,
    judged,
    retry_after,
    timed_out,
    wanted,
)
from governance.core.runbook import Retry
from governance.errors import Conflict


def test_a_run_begins_at_its_first_step_and_is_due_at_once() -> None:
    run = run_of(LOOK)
    assert place(run) == ("running", "look", "active")
    assert (run.next_at, wanted(run, T)) == (T, "enter")


@pytest.mark.parametrize(
    ("step", "after"),
    [
        (LOOK, ("waiting", "look", "waiting")),
        ({"step": "ok", "approve": {}}, ("waiting", "ok", "waiting")),
        (ACT, ("running", "act", "acting")),
        ({"step": "rest", "wait": "5m"}, ("running", "rest", "waiting")),
        ({"step": "tell", "notify": {"message": "x"}}, ("done", "tell", "done")),
    ],
)
def test_each_kind_of_step_begins(step: dict[str, Any], after: tuple[str, str, str]) -> None:
    assert place(enter(run_of(step))) == after


@pytest.mark.parametrize(
    ("steps", "outcomes", "after"),
    [
        ([ACT], [DONE], ("done", "act", "done")),
        ([ACT, LATER], [DONE], ("running", "later", "active")),
        ([ACT], [FAILED], ("stopped", "act", "failed")),
        ([ACT], [LOST], ("unknown", "act", "unknown")),
        ([{**ACT, "retry": {"times": 2}}], [FAILED, FAILED], ("running", "act", "active")),
        ([{**ACT, "retry": {"times": 2}}], [FAILED, FAILED, FAILED], ("stopped", "act", "failed")),
        ([{**ACT, "retry": {"times": 2}}], [FAILED, DONE], ("done", "act", "done")),
        ([{**ACT, "retry": {"times": 2}}], [FINAL], ("stopped", "act", "failed")),
        ([{**ACT, "retry": {"times": 2}}], [LOST], ("unknown", "act", "unknown")),
        ([{**ACT, "on_failure": "continue"}, LATER], [FAILED], ("running", "later", "active")),
        ([{**ACT, "on_failure": "later"}, LOOK, LATER], [FAILED], ("running", "later", "active")),
        ([{**ACT, "then": "later"}, LOOK, LATER], [DONE], ("running", "later", "active")),
        ([{**ACT, "then": "end"}, LATER], [DONE], ("done", "act", "done")),
        ([{**ACT, "then": "end", "on_failure": "continue"}, LATER], [FAILED], ("done", "act", "failed")),
    ],
)
def test_where_a_run_goes_after_an_act(
    steps: list[dict[str, Any]], outcomes: list[Outcome], after: tuple[str, str, str]
) -> None:
    assert place(acted(run_of(*steps), *outcomes)) == after


def test_every_attempt_of_a_visit_has_the_same_key_and_a_retry_by_a_person_another() -> None:
    run = acted(run_of({**ACT, "retry": {"times": 1}}), FAILED, FAILED)
    assert [each.key for each in run.visits] == [f"{MARK}/act/1"]
    run = enter(run_acts.retried(run, "ana", T).run)
    assert [(each.key, each.state) for each in run.visits] == [(f"{MARK}/act/1", "failed"), (f"{MARK}/act/2", "acting")]


def test_what_the_other_side_drops_twice_is_asked_again_when_nobody_knows() -> None:
    assert place(acted(run_of(ACT), LOST, DONE, repeats=True)) == ("done", "act", "done")
    assert place(acted(run_of(ACT), LOST, LOST, LOST, repeats=True)) == ("unknown", "act", "unknown")


@pytest.mark.parametrize(("took_effect", "after"), [(True, ("done", "done")), (False, ("running", "active"))])
def test_a_person_says_what_became_of_an_act(took_effect: bool, after: tuple[str, str]) -> None:
    run = run_acts.settled(acted(run_of(ACT), LOST), "bo", T, took_effect=took_effect).run
    assert (run.state, run.visits[-1].state) == after
    assert run.visits[-1].key == f"{MARK}/act/1"
    if not took_effect:
        assert wanted(run, T) == "try"


def test_a_retry_waits_longer_each_time_and_as_long_as_the_other_side_asks() -> None:
    retry = Retry.model_validate({"times": 5, "backoff": "10s"})
    waits = [retry_after(retry, "RUN-1/act/1", number, FAILED).total_seconds() for number in (1, 2, 3)]
    assert all(0.8 * base <= wait <= 1.2 * base for wait, base in zip(waits, (10, 20, 40), strict=True))
    assert waits[0] == retry_after(retry, "RUN-1/act/1", 1, FAILED).total_seconds()
    assert waits[0] != retry_after(retry, "RUN-2/act/1", 1, FAILED).total_seconds()
    asked = replace(FAILED, wait=timedelta(minutes=7))
    assert retry_after(retry, "k", 1, asked) == timedelta(minutes=7)
    assert retry_after(retry, "k", 1, replace(FAILED, wait=timedelta(days=7))) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("check", "judgement", "after"),
    [
        ({}, Judgement(True), ("done", "done")),
        ({}, Judgement(False, "0.1 > 0.2"), ("stopped", "failed")),
        ({}, Judgement(None, "no data"), ("stopped", "failed")),
        ({"timeout": "2m"}, Judgement(False), ("running", "active")),
        ({"timeout": "2m"}, Judgement(None), ("running", "active")),
        ({"timeout": "2m"}, Judgement(True), ("done", "done")),
    ],
)
def test_a_check(check: dict[str, Any], judgement: Judgement, after: tuple[str, str]) -> None:
    run = enter(run_of({"step": "c", "check": "x", **check}), check=judgement)
    assert (run.state, run.visits[-1].state) == after
    if after[0] == "stopped":
        assert run.said == judgement.said


def test_a_check_is_looked_at_every_half_minute_and_once_more_at_its_deadline() -> None:
    run = enter(run_of({"step": "c", "check": "x", "timeout": "75s"}), check=Judgement(False))
    looks = []
    while run.state == "running":
        assert run.next_at is not None
        assert wanted(run, run.next_at) == "judge"
        looks.append((run.next_at - T).total_seconds())
        run = judged(run, Judgement(None, "no data"), run.next_at).run
    assert looks == [30, 60, 75]
    assert (run.state, run.visits[-1].state, run.said) == ("stopped", "timed_out", "no data")


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ({}, ("stopped", "look", "timed_out")),
        ({"on_timeout": "continue"}, ("running", "act", "active")),
        ({"on_timeout": "later"}, ("running", "later", "active")),
        ({"on_failure": "continue"}, ("running", "act", "active")),
        ({"on_failure": "continue", "on_timeout": "stop"}, ("stopped", "look", "timed_out")),
    ],
)
def test_what_nobody_answers_in_time(fields: dict[str, Any], after: tuple[str, str, str]) -> None:
    run = enter(run_of({**LOOK, "timeout": "5m", **fields}, ACT, LATER))
    assert wanted(run, T + 4 * MINUTE) is None
    assert run.next_at == T + 5 * MINUTE
    assert wanted(run, T + 5 * MINUTE) == "time_out"
    assert place(timed_out(run, T + 9 * MINUTE).run) == after


def test_a_wait_is_over_at_its_time_however_late_it_is_looked_at() -> None:
    run = enter(run_of({"step": "rest", "wait": "5m"}, ACT))
    with pytest.raises(Conflict):
        timed_out(run, T + 4 * MINUTE)
    assert place(timed_out(run, T + 90 * MINUTE).run) == ("running", "act", "active")


def test_an_act_is_not_tried_again_after_its_time() -> None:
    run = acted(run_of({**ACT, "timeout": "8s", "retry": {"times": 5, "backoff": "20s"}}), FAILED)
    assert run.next_at == T + timedelta(seconds=8)
    assert wanted(run, run.next_at) == "time_out"


@pytest.mark.parametrize(
    ("when", "after"),
    [
        (Judgement(True), ("waiting", "look", "waiting")),
        (Judgement(False, "no"), ("running", "act", "active")),
        (Judgement(None, "no data"), ("running", "act", "active")),
    ],
)
def test_a_step_is_skipped_unless_its_condition_holds(when: Judgement, after: tuple[str, str, str]) -> None:
    run = enter(run_of({**LOOK, "when": "x", "then": "end"}, ACT), when=when)
    assert place(run) == after
    if after[1] == "act":
        assert (run.visits[0].state, run.visits[0].detail) == ("skipped", when.said)


def test_what_cannot_be_said_fails_its_step() -> None:
    assert place(enter(run_of(ACT), trouble="card.versions.old is missing")) == ("stopped", "act", "failed")


def test_it_goes_back_so_often_at_most() -> None:
    run, places = run_of(ACT, {**LATER, "then": {"step": "act", "at_most": 2}}, LOOK), []
    while (run.here and run.here.step) != "look":
        places.append(run.visits[-1].step)
        run = acted(run, DONE)
    assert places == ["act", "later", "act", "later", "act", "later"]
    assert [each.number for each in run.visits] == [1, 1, 2, 2, 3, 3, 1]


@pytest.mark.parametrize(
    ("step", "facts", "after"),
    [
        (LOOK, Facts(people=("ana", "bo")), ("done", "skipped", "would ask ana, bo")),
        (LOOK, Facts(), ("stopped", "failed", "it would need 1 to answer, and nobody may")),
        ({"step": "s", "approve": {"people": 2}}, Facts(people=("bo",)), ("stopped", "failed", "only bo may")),
        ({"step": "s", "wait": "5m"}, Facts(text="5m"), ("done", "skipped", "would wait: 5m")),
        ({"step": "s", "notify": {"message": "x"}}, Facts(text="x"), ("done", "skipped", "would tell: x")),
        ({"step": "s", "check": "x"}, Facts(check=Judgement(False, "1 > 2")), ("done", "done", "does not hold: 1 > 2")),
        (ACT, Facts(), ("running", "acting", "")),
    ],
)
def test_a_dry_run_asks_nobody(step: dict[str, Any], facts: Facts, after: tuple[str, str, str]) -> None:
    run = entered(run_of(step, mode="dry_run"), facts, T).run
    assert (run.state, run.visits[-1].state) == after[:2]
    assert after[2] in run.visits[-1].detail


def test_what_nobody_foresaw_stops_one_run() -> None:
    run = broken(run_of(LOOK, ACT), "KeyError: 'x'", T).run
    assert (place(run), run.said) == (("stopped", "look", "failed"), "KeyError: 'x'")
    assert place(broken(enter(run_of(ACT)), "OSError", T).run) == ("unknown", "act", "unknown")


def test_many_loops_within_loops_stop() -> None:
    loop = {"then": {"step": "act", "at_most": 100}}
    run = run_of(ACT, *({"step": f"loop-{n}", "act": "x.y", **loop} for n in range(6)))
    while run.state == "running":
        run = acted(run, DONE)
    assert (run.state, len(run.visits)) == ("stopped", 1000)
    assert run.said == "it made 1000 steps without coming to an end"
    assert run_acts.cancelled(run, "bo", T).run.state == "cancelled"
