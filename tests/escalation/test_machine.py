"""Whatever people, findings, outages and crashes do: no level is skipped or told twice, and somebody hears at last."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
from escalation.duty import LADDER, MINUTE, Duty, duty
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from governance.engine import answering
from governance.engine.clock import stepped
from governance.engine.dispatch import dispatch
from governance.engine.escalating import escalate
from governance.errors import Conflict, Unavailable
from governance.store import effects, escalations, incidents

LAST = len(LADDER["levels"]) + 1
"""The level of the fallback."""


class Night(RuleBasedStateMachine):
    """One model whose metric comes and goes; people answer or do not; the engine dies and comes back."""

    @initialize()
    def begin(self) -> None:
        """Start an engine that has looked once."""
        self.desk: Duty = duty()
        self.answered: dict[int, int] = {}
        self.desk.look()
        self.desk.world.values["delay-errors"] = 0.9
        self.desk.later()

    @rule(minutes=st.sampled_from([1, 4, 9, 10, 11, 30, 90]))
    def wait(self, minutes: int) -> None:
        """Let the engine look each minute."""
        for _ in range(min(minutes, 10)):
            self.desk.now += max(minutes // 10, 1) * MINUTE
            self.look()

    @rule(minutes=st.sampled_from([1, 15, 200]))
    def stand_still(self, minutes: int) -> None:
        """Let time pass with nobody looking, then look twice at one instant."""
        self.desk.now += minutes * MINUTE
        self.look()
        self.look()

    @rule(value=st.sampled_from([0.0, 0.6, 0.9]))
    def change(self, value: float) -> None:
        """Change what is measured."""
        self.desk.world.values["delay-errors"] = value
        self.desk.later()

    @rule(who=st.sampled_from(["ana", "bo"]))
    def acknowledge(self, who: str) -> None:
        """Answer the newest incident."""
        try:
            done = answering.acknowledge(self.desk.engine, self.newest(), actor=who, at=self.desk.now)
        except Conflict:
            return
        self.answered[done.incident.id] = done.incident.version

    @rule()
    def escalate(self) -> None:
        """Ask for the next level by hand."""
        try:
            answering.escalate(self.desk.engine, self.newest(), actor="bo", at=self.desk.now)
        except Conflict:
            return

    @rule(minutes=st.sampled_from([5, 70]))
    def snooze(self, minutes: int) -> None:
        """Let nobody hear for a while."""
        until = self.desk.now + minutes * MINUTE
        try:
            answering.snooze(
                self.desk.engine, self.newest(), until=until, because="later", actor="ana", at=self.desk.now
            )
        except Conflict:
            return

    @rule(down=st.booleans())
    def reach(self, down: bool) -> None:
        """Let the notifier fail, or work again."""
        self.desk.mail.down = down

    @rule(minutes=st.sampled_from([-30, 45]))
    def step_clock(self, minutes: int) -> None:
        """Set the machine's clock."""
        self.desk.now += minutes * MINUTE
        stepped(self.desk.engine, minutes * MINUTE, at=self.desk.now)

    @rule(at=st.sampled_from(["escalations", "effects"]))
    def die(self, at: str) -> None:
        """Kill the process within the transaction that tells a level, and start it again."""
        table = {"escalations": escalations, "effects": effects}[at]
        name = {"escalations": "save", "effects": "add"}[at]
        whole = getattr(table, name)

        def dies(*arguments: object, **named: object) -> None:
            whole(*arguments, **named)
            raise Unavailable("the disk is gone")

        setattr(table, name, dies)
        try:
            self.desk.now += MINUTE
            self.look()
        except Unavailable:
            pass
        finally:
            setattr(table, name, whole)
        self.look()

    @invariant()
    def no_level_is_told_twice_or_skipped(self) -> None:
        """In each run of the ladder levels are told in order, each once."""
        for run in self.runs():
            assert run == sorted(set(run)), f"told twice or out of order: {run}"
            for (loop, level), (next_loop, next_level) in pairwise(run):
                follows = next_level == level + 1 if next_loop == loop else (level, next_level) == (LAST - 1, 1)
                assert follows, f"a level was skipped: {run}"

    @invariant()
    def nobody_is_paged_after_an_answer(self) -> None:
        """What was sent of an answered incident was sent before, or asked for by hand."""
        for number in range(1, self.newest() + 1):
            if self.desk.incident(number).status != "acknowledged":
                continue
            for each in self.desk.effects(number):
                if each.level and each.version >= self.answered[number]:
                    assert "asked" in each.rule, f"{each.rule} at {each.message.at}"

    def teardown(self) -> None:
        """Leave the newest incident alone: in the end the fallback hears of it."""
        if not hasattr(self, "desk"):
            return
        desk = self.desk
        desk.mail.down = False
        desk.world.values["delay-errors"] = 0.9
        desk.later()
        for _ in range(60):  # an answer comes back, a snooze ends, and then nobody answers
            desk.now += 10 * MINUTE
            self.look()
        newest = self.newest()
        clock = desk.clock(newest)
        assert clock is not None
        assert (clock.state, clock.next_at) == ("exhausted", None)
        assert desk.incident(newest).status == "triggered"
        last = [each for each in desk.effects(newest) if each.level == LAST]
        assert last
        assert last[-1].state in ("sent", "due")
        self.desk.engine.database.close()

    def look(self) -> None:
        """Do what the engine does at a beat of what is about people; the cycle itself would take most of the time."""
        engine, now = self.desk.engine, self.desk.now
        answering.wake(engine, now)
        escalate(engine, now)
        dispatch(engine, now)

    def newest(self) -> int:
        """Return the number of the newest incident."""
        with self.desk.engine.database.read() as connection:
            return incidents.next_id(connection) - 1

    def runs(self) -> list[list[tuple[int, int]]]:
        """Return, for each time that a ladder began, what was told since: loops and levels in order of time."""
        found: list[list[tuple[int, int]]] = []
        for number in range(1, self.newest() + 1):
            pages = [each for each in self.desk.effects(number) if each.level]
            place = {each.key: index for index, each in enumerate(pages)}
            for each in sorted(pages, key=lambda one: (one.version, place[one.key])):
                loop = int(each.key.rsplit("-", 1)[1])
                if each.message.reason not in ("escalated", "reminder") or (loop, each.level) == (0, 1):
                    found.append([])
                if not found:
                    found.append([])
                found[-1].append((loop, each.level))
        return found


TestNight = Night.TestCase
TestNight.settings = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
