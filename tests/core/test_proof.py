"""What a run proves: what came off, and nothing that somebody skipped, missed or broke."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from governance.core.proof import proof
from governance.core.run import Run, Visit
from governance.core.runbook import Runbook

AT = datetime(2026, 1, 5, tzinfo=UTC)
EXERCISE = Runbook.model_validate(
    {
        "runbook": "exercise",
        "description": "Practise.",
        "proves": "switch_drilled",
        "steps": [
            {"step": "look", "instruct": "Look.", "timeout": "1h", "on_timeout": "continue"},
            {"step": "act", "act": "switch.pull", "on_failure": "sorry"},
            {"step": "tell", "notify": {"message": "It works."}, "then": "end"},
            {"step": "sorry", "notify": {"message": "It does not."}},
        ],
    }
)
ROLLED_BACK_WITH = {"rollback": {"then": {"runbook": "exercise"}}}


def visit(step: str, state: str = "done", number: int = 1, **more: object) -> Visit:
    return Visit(step, number, state, AT, **more)  # type: ignore[arg-type]


def run(*visits: Visit, **more: object) -> Run:
    whole = Run("RUN-1", EXERCISE, "m", {}, {}, "ana", AT, "a test", state="done", visits=visits)
    return replace(whole, **more)  # type: ignore[arg-type]


LOOK, ACT, TELL = visit("look"), visit("act"), visit("tell")


def test_what_came_off_is_proved() -> None:
    assert proof(run(LOOK, ACT, TELL)).kind == "switch_drilled"


def test_only_what_its_author_says_is_proved() -> None:
    silent = EXERCISE.model_copy(update={"proves": None})
    assert proof(run(LOOK, ACT, TELL, runbook=silent)) == proof(run(LOOK, ACT, TELL, runbook=silent, mode="dry_run"))
    assert proof(run(LOOK, ACT, TELL, runbook=silent)).kind is None


def test_a_dry_run_proves_only_what_is_meant_as_one() -> None:
    assert proof(run(LOOK, ACT, TELL, mode="dry_run")).kind is None
    dry = EXERCISE.model_copy(update={"dry_run": True})
    assert proof(run(LOOK, ACT, TELL, mode="dry_run", runbook=dry)).kind == "switch_drilled"


@pytest.mark.parametrize("mode", ["live", "dry_run"])
def test_to_go_through_the_runbook_of_the_rollback_is_to_practise_it(mode: str) -> None:
    silent = EXERCISE.model_copy(update={"proves": None})
    assert proof(run(LOOK, ACT, TELL, runbook=silent, card=ROLLED_BACK_WITH, mode=mode)).kind == "drilled"
    other = {"rollback": {"then": {"switch": "fallback"}}}
    assert proof(run(LOOK, ACT, TELL, runbook=silent, card=other, mode=mode)).kind is None


@pytest.mark.parametrize(
    ("visits", "gap"),
    [
        ((LOOK, visit("act", "failed", detail="403 Forbidden"), visit("sorry")), "act failed: 403 Forbidden"),
        ((LOOK, visit("act", "timed_out"), visit("sorry")), "act timed out"),
        ((LOOK, visit("act", "skipped", by="bo"), TELL), "act was skipped by bo"),
        ((LOOK, visit("act", "unknown")), "act unknown"),
    ],
)
def test_what_failed_was_missed_or_skipped_by_somebody_proves_nothing(visits: tuple[Visit, ...], gap: str) -> None:
    found = proof(run(*visits))
    assert (found.kind, found.gaps) == (None, (gap,))


def test_what_need_not_come_off_does_not_matter() -> None:
    assert proof(run(visit("look", "timed_out"), ACT, TELL)).kind == "switch_drilled", "on_timeout: continue"
    assert proof(run(visit("look", "skipped"), ACT, TELL)).kind == "switch_drilled", "its `when` did not hold"


def test_the_last_time_at_a_step_counts() -> None:
    again = run(LOOK, visit("act", "failed"), visit("act", number=2), TELL)
    assert proof(again).kind == "switch_drilled"


def test_a_run_that_did_not_come_to_its_end_proves_nothing() -> None:
    assert proof(run(LOOK, ACT, state="cancelled")).kind is None
    taken_back = run(LOOK, visit("act", "undone"), visit("act", undoes=True), state="cancelled")
    assert (proof(taken_back).kind, proof(taken_back).gaps) == (None, ())
