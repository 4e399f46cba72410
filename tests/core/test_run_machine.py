"""Whatever a runbook says, and whatever people, systems and deaths do, a run keeps its promises."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from governance.core import run_acts, run_steps
from governance.core.performance import Outcome
from governance.core.run import OPEN, Answer, Run
from governance.core.run_change import RunChange, RunEvent
from governance.core.run_steps import Facts, Judgement
from governance.core.runbook import Runbook
from governance.errors import Conflict

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SOAK = int(os.environ.get("SOAK", "0"))
ENDS = {"step_done", "step_failed", "step_skipped", "step_timed_out", "step_unknown", "skipped", "undone"}
KINDS = st.sampled_from(["instruct", "check", "approve", "act", "act", "act", "wait", "notify"])
OUTCOMES = st.sampled_from(["done", "done", "failed", "unknown"])
PEOPLE = st.sampled_from(["ana", "bo", "cy"])


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook:
    """Draw a runbook of up to six steps with everything that a step can have."""
    count = draw(st.integers(1, 6))
    return Runbook.model_validate(
        {"runbook": "r", "description": "d", "steps": [_step(draw, index, count) for index in range(count)]}
    )


def _step(draw: st.DrawFn, index: int, count: int) -> dict[str, Any]:
    kind = draw(KINDS)
    does: Any = {
        "instruct": "Look.", "check": "x", "approve": {"people": draw(st.integers(1, 2))}, "act": "x.do",
        "wait": "5m", "notify": {"message": "x"},
    }[kind]  # fmt: skip
    later = [f"s{each}" for each in range(index + 1, count)]
    where = st.sampled_from(["stop", "continue", *later])
    step: dict[str, Any] = {"step": f"s{index}", kind: does, "on_failure": draw(where)}
    if draw(st.booleans()):
        step["when"] = "x"
    if kind not in ("wait", "notify") and draw(st.booleans()):
        step |= {"timeout": draw(st.sampled_from(["20s", "2m", "1h"])), "on_timeout": draw(where)}
    if kind == "act" and draw(st.booleans()):
        step["retry"] = {"times": draw(st.integers(1, 3)), "backoff": "10s"}
    if kind == "act" and draw(st.booleans()):
        step["undo"] = {"act": "x.back"}
    if draw(st.integers(0, 3)) == 0:
        back = {"step": f"s{draw(st.integers(0, index))}", "at_most": draw(st.integers(1, 3))}
        step["then"] = draw(st.sampled_from([back, "end", *later]))
    return step


class Running(RuleBasedStateMachine):
    """One run; `asked` are the outcomes that each key had so far, in the world as it is told to us."""

    @initialize(runbook=runbooks(), mode=st.sampled_from(["live", "live", "live", "dry_run"]))
    def begin(self, runbook: Runbook, mode: Any) -> None:
        """Start it."""
        self.now, self.events, self.known = START, list[RunEvent](), dict[str, str]()
        self.undone, self.done = list[tuple[str, int]](), list[tuple[str, int]]()
        run = Run("RUN-1", runbook, "m", {}, {}, "ana", START, "b", mode)
        self.run = run
        self.take(run_steps.begun(run, START))

    def take(self, change: RunChange) -> None:
        """Go on from a change."""
        self.run = change.run
        self.events.extend(change.events)
        self.undone.extend((each.step, each.visit) for each in change.events if each.kind == "undone")
        steps = {each.step: each for each in self.run.runbook.steps}
        self.done.extend(
            (each.step, each.visit) for each in change.events if each.kind == "step_done" and steps[each.step].undo
        )

    @rule(
        seconds=st.sampled_from([0, 10, 30, 90, 600]), holds=st.sampled_from([True, False, None]),
        when=st.sampled_from([True, True, False]), outcome=OUTCOMES, again=st.booleans(), repeats=st.booleans(),
        people=st.sampled_from([(), ("bo",), ("bo", "cy")]), breaks=st.integers(0, 30),
    )  # fmt: skip
    def look(
        self, seconds: int, holds: bool | None, when: bool, outcome: Any, again: bool, repeats: bool,
        people: tuple[str, ...], breaks: int,
    ) -> None:  # fmt: skip
        """Some time later the engine does what is due."""
        self.now += timedelta(seconds=seconds)
        move = run_steps.wanted(self.run, self.now)
        if move and not breaks:
            self.take(run_steps.broken(self.run, "broke", self.now))
        elif move == "enter":
            step = self.run.step
            assert step is not None
            given = Facts(Judgement(when) if step.when else None, Judgement(holds, "said"), "text", {}, people)
            self.take(run_steps.entered(self.run, given, self.now))
        elif move == "judge":
            self.take(run_steps.judged(self.run, Judgement(holds, "said"), self.now))
        elif move == "time_out":
            self.take(run_steps.timed_out(self.run, self.now))
        elif move == "try":
            self.take(run_steps.tried(self.run, self.now))
        elif move == "perform":
            self.perform(Outcome(outcome, "said", again=again), repeats)

    def perform(self, outcome: Outcome, repeats: bool) -> None:
        """Let the world answer; a key whose act is known to be done is never asked for again."""
        here = self.run.here
        assert here is not None
        assert self.known.get(here.key) != "done", f"{here.key} took effect, and is asked for again"
        self.known[here.key] = outcome.state
        self.take(run_steps.performed(self.run, outcome, self.now, repeats=repeats))

    @rule()
    def dies(self) -> None:
        """Look twice at what was read once: the second of two writers finds that the moment has passed."""
        before = self.run
        if before.here is not None and before.here.state == "acting":
            change = run_steps.performed(before, Outcome("done", "said"), self.now)
            assert change.run.visits[len(before.visits) - 1].state in ("done", "undone")
            with suppress(Conflict):
                run_steps.performed(change.run, Outcome("done", "said"), self.now)
                assert change.run.here is not None
                assert change.run.here.key != before.here.key, "one act was recorded twice"

    @rule(
        who=PEOPLE, what=st.sampled_from(["tick", "approve", "approve", "refuse"]), late=st.sampled_from([0, 0, 7200])
    )
    def answer(self, who: str, what: str, late: int) -> None:
        """Somebody answers, in time or not."""
        at = self.now + timedelta(seconds=late)
        with suppress(Conflict):
            if what == "tick":
                self.take(run_acts.ticked(self.run, who, at))
            else:
                self.take(run_acts.answered(self.run, Answer(who, at, what == "approve")))

    @rule(who=PEOPLE, what=st.sampled_from(["pause", "resume", "resume", "retry", "retry", "skip", "yes", "no"]))
    def help(self, who: str, what: str) -> None:
        """Somebody helps a run along."""
        with suppress(Conflict):
            if what in ("pause", "resume"):
                act = run_acts.paused if what == "pause" else run_acts.resumed
                self.take(act(self.run, who))
            elif what in ("yes", "no"):
                here = self.run.here
                change = run_acts.settled(self.run, who, self.now, took_effect=what == "yes")
                assert here is not None
                self.known[here.key] = "done" if what == "yes" else "failed"
                self.take(change)
            else:
                help_ = run_acts.retried if what == "retry" else run_acts.skipped
                self.take(help_(self.run, who, self.now))

    @rule(who=PEOPLE, undo=st.booleans(), often=st.integers(0, 3))
    def cancel(self, who: str, undo: bool, often: int) -> None:
        """Somebody has enough."""
        if not often:
            with suppress(Conflict):
                self.take(run_acts.cancelled(self.run, who, self.now, undo=undo))

    @invariant()
    def has_a_place_to_be(self) -> None:
        """An open run is due, at rest or waits for a person; an ended one is nowhere any more."""
        run, here = self.run, self.run.here
        assert here is not None
        if run.state not in OPEN:
            assert (run.next_at, here.next_at) == (None, None)
            assert run.ended_at is not None
        elif run.state in ("running", "undoing"):
            assert run.next_at is not None
            assert run_steps.wanted(run, max(run.next_at, self.now)) is not None
        elif run.state == "waiting":
            assert (here.state, run.next_at) == ("waiting", here.deadline)
        elif run.state in ("stopped", "unknown"):
            assert here.state in ("failed", "timed_out", "unknown")
            assert run.next_at is None
        assert sum(each.state in ("active", "acting", "waiting") for each in run.visits) <= 1

    @invariant()
    def takes_back_in_reverse_order(self) -> None:
        """What was done last is taken back first."""
        order = [self.done.index(each) for each in self.undone]
        assert order == sorted(order, reverse=True)
        assert len(set(self.undone)) == len(self.undone)

    @invariant()
    def loses_no_event(self) -> None:
        """Every visit that ended says so, and no two events are taken for one."""
        names = Counter(
            (each.kind, each.step, each.visit, each.mark) for each in self.events if not each.mark.isdigit()
        )
        assert not [name for name, count in names.items() if count > 1]
        told = {(each.step, each.visit, "undo" in each.body) for each in self.events if each.kind in ENDS}
        cancelled = any(each.kind == "cancelled" for each in self.events)
        for each in self.run.visits:
            if each.state not in ("active", "acting", "waiting") and not (cancelled and each.state == "skipped"):
                assert (each.step, each.number, each.undoes) in told, each
        begun = [(each.body.get("key"), each.visit) for each in self.events if each.kind == "step_begun"]
        acted = {(each.key, each.number) for each in self.run.visits if each.key and each.is_begun}
        assert acted <= set(begun)

    def teardown(self) -> None:
        """Where systems work and people help, every run comes to its end."""
        if not hasattr(self, "run"):
            return
        for _ in range(1000):
            if not self.run.is_open:
                break
            self._helped()
        assert not self.run.is_open, self.run
        assert [each.kind for each in self.events][-1] == "finished"
        assert sum(each.kind == "finished" for each in self.events) == 1

    def _helped(self) -> None:
        run = self.run
        if run.state == "paused":
            self.take(run_acts.resumed(run, "ana"))
        elif run.state == "unknown":
            self.take(run_acts.settled(run, "bo", self.now, took_effect=True))
        elif run.state == "stopped":
            self.take(run_acts.cancelled(run, "bo", self.now, undo=run.cancelling == ""))
        elif run.next_at is None:
            step = run.step
            assert step is not None
            if step.kind == "instruct":
                self.take(run_acts.ticked(run, "bo", self.now))
            else:
                answered = {each.actor for each in run.visits[-1].answers}
                who = next(each for each in ("bo", "cy", "dee") if each not in answered)
                self.take(run_acts.answered(run, Answer(who, self.now, approved=True)))
        else:
            wait = max((run.next_at - self.now).total_seconds(), 0)
            self.look(int(wait) + 1, True, True, "done", False, False, ("bo", "cy"), 1)


Running.TestCase.settings = settings(
    max_examples=5 * SOAK or 60,
    stateful_step_count=40,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
)
TestRunning = Running.TestCase
