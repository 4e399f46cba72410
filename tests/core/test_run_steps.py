"""What becomes of a run at each step, by tables: outcomes, answers, times, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from governance.core import run_acts
from governance.core.performance import Outcome
from governance.core.run import Answer, Run
from governance.core.run_change import RunEvent
from governance.core.run_steps import (
    Facts,
    Judgement,
    begun,
    broken,
    entered,
    judged,
    performed,
    retry_after,
    timed_out,
    tried,
    wanted,
)
from governance.core.runbook import Retry, Runbook
from governance.errors import Conflict

T = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARK = "RUN-1.20260301T090000Z"
"""What the keys of its acts begin with: the run and when it started, which no other database has."""
MINUTE = timedelta(minutes=1)
DONE, FAILED, LOST = Outcome("done", "ok"), Outcome("failed", "no"), Outcome("unknown", "no answer")
FINAL = Outcome("failed", "never", again=False)
LOOK = {"step": "look", "instruct": "Look."}
ACT = {"step": "act", "act": "x.do"}
LATER = {"step": "later", "act": "x.other"}


def run_of(*steps: dict[str, Any], **fields: Any) -> Run:
    runbook = Runbook.model_validate({"runbook": "r", "description": "d", "steps": list(steps)})
    given = {"runbook": runbook, "model": "m", "card": {}, "parameters": {}, "because": "b", **fields}
    return begun(Run("RUN-1", started_by=given.pop("started_by", "ana"), started_at=T, **given), T).run


def enter(run: Run, at: datetime = T, **facts: Any) -> Run:
    return entered(run, Facts(**facts), at).run


def acted(run: Run, *outcomes: Outcome, at: datetime = T, **how: Any) -> Run:
    """Enter an act and let its attempts end so, each at the time at which it is due."""
    run = enter(run, at)
    for outcome in outcomes:
        if run.here is not None and run.here.state == "active":
            assert run.next_at is not None
            run = tried(run, run.next_at).run
        run = performed(run, outcome, at, **how).run
    return run


def place(run: Run) -> tuple[str, str, str]:
    assert run.here is not None
    return run.state, run.here.step, run.here.state


def kinds(events: Sequence[RunEvent]) -> list[str]:
    return [each.kind for each in events]


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
