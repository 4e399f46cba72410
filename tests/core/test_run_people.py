"""What people do with a run, by tables: consent, ticks, the way back, pauses and skips."""

from __future__ import annotations

from datetime import datetime
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
    kinds,
    place,
    run_of,
)

from governance.core import run_acts
from governance.core.performance import Outcome
from governance.core.run import Answer, Run
from governance.core.run_change import RunEvent
from governance.core.run_steps import (
    performed,
    timed_out,
    wanted,
)
from governance.errors import Conflict


def _answer(who: str, at: datetime = T, approved: bool = True) -> Answer:
    return Answer(who, at, approved, "fine")


def test_so_many_people_consent() -> None:
    run = enter(run_of({"step": "ok", "approve": {"people": 2}}, ACT))
    run = run_acts.answered(run, _answer("bo")).run
    assert place(run) == ("waiting", "ok", "waiting")
    change = run_acts.answered(run, _answer("cy"))
    assert place(change.run) == ("running", "act", "active")
    assert kinds(change.events) == ["approved", "step_done"]
    assert change.run.visits[0].detail == "approved by bo and cy"


def test_one_refusal_ends_the_wait() -> None:
    run = enter(run_of({"step": "ok", "approve": {"people": 2}, "on_failure": "later"}, ACT, LATER))
    change = run_acts.answered(run, _answer("bo", approved=False))
    assert place(change.run) == ("running", "later", "active")
    assert kinds(change.events) == ["refused", "step_failed"]


def _consenting(**fields: Any) -> Run:
    return enter(run_of({"step": "ok", "approve": {"people": 2}, "timeout": "5m"}, ACT, **fields))


@pytest.mark.parametrize(
    ("run", "answer", "step", "said"),
    [
        (_consenting(), _answer("ana"), "", "ana started RUN-1"),
        (run_acts.answered(_consenting(), _answer("bo")).run, _answer("bo"), "", "bo has answered"),
        (_consenting(), _answer("bo", T + 6 * MINUTE), "", "timed out at 2026-03-01 09:05:00"),
        (run_of(LOOK, {"step": "ok", "approve": {}}), _answer("bo"), "ok", "it is not reached yet"),
        (run_of(LOOK, {"step": "ok", "approve": {}}), _answer("bo"), "no", "has no step 'no'"),
        (enter(run_of(LOOK)), _answer("bo"), "", "there is nothing to approve"),
        (timed_out(_consenting(), T + 5 * MINUTE).run, _answer("bo"), "", "which is timed out"),
    ],
)
def test_an_answer_that_does_not_count(run: Run, answer: Answer, step: str, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        run_acts.answered(run, answer, step=step)


def test_an_answer_counts_by_its_time_and_a_rule_is_nobody() -> None:
    late = run_acts.answered(_consenting(), _answer("bo", T + 5 * MINUTE))
    assert late.run.visits[-1].answers[0].actor == "bo"
    by_rule = _consenting(started_by="engine", rule="drift")
    assert run_acts.answered(by_rule, _answer("ana")).events


def test_a_person_ticks() -> None:
    change = run_acts.ticked(enter(run_of(LOOK, ACT)), "bo", T, because="all is well")
    assert place(change.run) == ("running", "act", "active")
    assert (change.events[0].kind, change.events[0].actor) == ("step_done", "bo")
    with pytest.raises(Conflict, match="there is nothing to tick"):
        run_acts.ticked(change.run, "bo", T)


UNDO = {"undo": {"act": "x.back"}}


def _three(*outcomes: Outcome) -> Run:
    run = run_of({"step": "a", "act": "x.a", **UNDO}, {"step": "b", "act": "x.b"}, {"step": "c", "act": "x.c", **UNDO},
                 {"step": "d", "act": "x.d", **UNDO})  # fmt: skip
    for outcome in outcomes:
        run = acted(run, outcome)
    return run


def test_what_was_done_is_taken_back_in_reverse_order() -> None:
    run = run_acts.cancelled(_three(DONE, DONE, DONE, FAILED), "bo", T, because="enough").run
    keys, events = [], list[RunEvent]()
    while run.is_open:
        assert place(run) == ("undoing", run.visits[-1].step, "active")
        run = enter(run)
        keys.append(run.visits[-1].key)
        change = performed(run, DONE, T)
        events.extend(change.events)
        run = change.run
    assert keys == [f"{MARK}/c/1/undo", f"{MARK}/a/1/undo"]
    assert kinds(events) == ["undone", "undone", "finished"]
    assert (run.state, [each.state for each in run.visits[:4]]) == ("cancelled", ["undone", "done", "undone", "failed"])


def test_an_undo_that_fails_stops_and_is_tried_again_with_another_key() -> None:
    run = run_acts.cancelled(_three(DONE, DONE, DONE, FAILED), "bo", T).run
    run = performed(enter(run), FINAL, T).run
    assert place(run) == ("stopped", "c", "failed")
    run = enter(run_acts.retried(run, "bo", T).run)
    assert run.visits[-1].key == f"{MARK}/c/1/undo/2"
    run = performed(run, FINAL, T).run
    run = run_acts.skipped(run, "bo", T).run
    assert place(run) == ("undoing", "a", "active")
    left = run_acts.cancelled(performed(enter(run), FINAL, T).run, "bo", T, undo=False)
    assert left.run.state == "cancelled"


def test_what_was_done_may_be_left() -> None:
    assert run_acts.cancelled(_three(DONE, DONE, FAILED), "bo", T, undo=False).run.state == "cancelled"


@pytest.mark.parametrize(("outcome", "back"), [(DONE, ["c", "a"]), (FAILED, ["a"])])
def test_an_act_under_way_is_known_before_the_way_back(outcome: Outcome, back: list[str]) -> None:
    run = run_acts.cancelled(enter(_three(DONE, DONE)), "bo", T).run
    assert place(run) == ("running", "c", "acting")
    run, steps = performed(run, outcome, T).run, []
    while run.is_open:
        steps.append(run.visits[-1].step)
        run = performed(enter(run), DONE, T).run
    assert steps == back


def test_what_nobody_knows_cannot_be_taken_back() -> None:
    with pytest.raises(Conflict, match="nobody knows"):
        run_acts.cancelled(_three(DONE, LOST), "bo", T)


def test_a_paused_run_begins_nothing_and_its_deadlines_go_on() -> None:
    run = run_acts.paused(enter(run_of({**LOOK, "timeout": "5m"}, ACT)), "bo").run
    assert (run.state, wanted(run, T + 5 * MINUTE)) == ("paused", "time_out")
    ticked = run_acts.ticked(run, "bo", T).run
    assert (place(ticked), ticked.next_at, wanted(ticked, T)) == (("paused", "act", "active"), None, None)
    assert wanted(run_acts.resumed(ticked, "bo").run, T) == "enter"
    with pytest.raises(Conflict, match="not paused"):
        run_acts.resumed(enter(run_of(LOOK)), "bo")


def test_an_act_under_way_is_recorded_though_its_run_was_paused() -> None:
    run = run_acts.paused(enter(run_of(ACT, LATER)), "bo").run
    assert wanted(run, T) == "perform"
    assert place(performed(run, DONE, T).run) == ("paused", "later", "active")


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (enter(run_of({"step": "ok", "approve": {}})), "consent, which cannot be skipped"),
        (timed_out(_consenting(), T + 5 * MINUTE).run, "consent, which cannot be skipped"),
        (enter(run_of(ACT)), "cannot be skipped now"),
        (acted(run_of(ACT), LOST), "cannot be skipped now"),
        (acted(run_of(ACT), DONE), "it ended at"),
    ],
)
def test_what_cannot_be_skipped(run: Run, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        run_acts.skipped(run, "bo", T)


def test_a_failed_step_is_skipped_to_where_it_would_have_gone() -> None:
    run = acted(run_of({**ACT, "then": "end"}, LATER), FAILED)
    assert run_acts.skipped(run, "bo", T).run.state == "done"
    assert place(run_acts.skipped(enter(run_of(LOOK, ACT)), "bo", T).run) == ("running", "act", "active")
