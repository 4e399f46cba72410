"""Runs of a few steps, by their steps and how their acts end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from governance.core.performance import Outcome
from governance.core.run import Run
from governance.core.run_change import RunEvent
from governance.core.run_steps import (
    Facts,
    begun,
    entered,
    performed,
    tried,
)
from governance.core.runbook import Runbook

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
