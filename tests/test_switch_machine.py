"""Whatever people, rules, clocks and crashes do to kill switches, their promises hold; the log alone proves it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
from crash.world import Cut, MortalDatabase
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from switches.desk import CARDS, HOUR, MINUTE, card, desk

from governance.core.switch import MODES, Scope
from governance.engine import switching
from governance.engine.clock import stepped
from governance.errors import Conflict, Denied, InvalidDocument
from governance.store import decision_log, switches

SOAK = int(os.environ.get("SOAK", "0"))
ACT = {"rule": "errors", "when": "metrics.errors > 0.5", "severity": "critical", "enforcement": "act"}
FLEET = [*CARDS, *(card(name, rules=[{**ACT, "then": {"switch": "fallback", "expires": "1h"}}]) for name in ("x", "y"))]
MODELS = st.sampled_from(["credit", "credit", "delay", "x", "y"])
PEOPLE = st.sampled_from(["ana", "ana", "cy", "dee", "flo", "eve"])
SCOPES = st.sampled_from([Scope(), Scope("7"), Scope(labels=(("region", "eu"),))])
LOOSENING = {"switch.restored", "switch.expired", "switch.glass_broken"}
REFUSED = (Conflict, Denied, InvalidDocument)


class Switched(RuleBasedStateMachine):
    """Four models, of which one is tier 1 and two are pulled by rules, at most one of them in a quarter of an hour."""

    @initialize()
    def begin(self) -> None:
        """Start an engine on an empty database."""
        self.database = MortalDatabase("sqlite://")
        self.desk = desk(*FLEET, database=self.database, automation={"models": 1, "share": 0}, cycle={"every": "1h"})
        self.read = 0
        self.state: dict[tuple[str, str], dict[str, Any]] = {}
        self.last, self.approved = 0, dict[str, str]()
        for model in ("credit", "delay"):
            self.pull(model, "ana", Scope(), "shadow", 1.0, 1, 0)

    def act(self, dies: int, act: Any) -> None:
        """Let somebody act; the process may die at the nth transaction of it, and a new one then looks."""
        self.database.nth, self.database.before = dies, dies % 2 == 0
        with suppress(Cut, *REFUSED):
            act()
        self.database.nth = 0
        if dies:
            self.desk.later(timedelta(0))
        self.follow()

    @rule(
        model=MODELS, who=PEOPLE, scope=SCOPES, mode=st.sampled_from(MODES[::-1]),
        share=st.sampled_from([0.1, 0.5, 1.0]), hours=st.sampled_from([1, 1, None, 3]), dies=st.integers(0, 2),
    )  # fmt: skip
    def pull(self, model: str, who: str, scope: Scope, mode: Any, share: float, hours: int | None, dies: int) -> None:
        """Somebody pulls."""
        self.act(dies, lambda: switching.pull(
            self.desk.engine, model, mode, actor=who, because="x", at=self.desk.now, scope=scope, share=share,
            expires=hours * HOUR if hours else None, confirmed=model,
        ))  # fmt: skip

    @rule(
        data=st.data(), who=st.sampled_from(["ana", "cy", "cy", "dee"]), to=st.sampled_from(["live", "throttle"]),
        stale=st.sampled_from([0, 0, 0, 1]), dies=st.integers(0, 2),
    )  # fmt: skip
    def restore(self, data: st.DataObject, who: str, to: Any, stale: int, dies: int) -> None:
        """Somebody restores what is set, on the state that they see or saw before the last change."""
        places = self._set()
        if places:
            model, scope, seq = data.draw(st.sampled_from(places))
            self.act(dies, lambda: switching.restore(
                self.desk.engine, model, actor=who, because="x", at=self.desk.now, seq=seq - stale, confirmed=model,
                scope=scope, to=to, share=0.1 if to == "throttle" else 1.0,
            ))  # fmt: skip

    def _set(self) -> list[tuple[str, Scope, int]]:
        with self.database.read() as connection:
            found = switches.all_of(connection)
        return [(model, each.scope, switch.seq) for model, switch in found.items() for each in switch.settings]

    @rule(
        to=st.sampled_from(["live", "throttle"]),
        changes=st.sampled_from([False, False, True]),
        who=st.sampled_from(["cy", "flo", "dee"]),
    )
    def restore_by_two(self, to: Any, changes: bool, who: str) -> None:
        """Somebody asks for the model of tier 1, it may be changed meanwhile, and somebody answers."""
        seq = self.desk.switch("credit").seq
        with suppress(*REFUSED):
            asked = switching.restore(
                self.desk.engine, "credit", actor="cy", because="x", at=self.desk.now, seq=seq, confirmed="credit",
                to=to, share=0.1 if to == "throttle" else 1.0,
            )  # fmt: skip
            assert isinstance(asked, switching.Requested), "two people are needed"
            if changes:
                self.pull("credit", "ana", Scope("7"), "stopped", 1.0, None, 0)
            switching.approve(self.desk.engine, asked.approval.id, actor=who, at=self.desk.now)
            assert not changes, "approved what had changed"
            assert who != "cy", "approved by who asked"
        self.follow()

    @rule(data=st.data(), who=PEOPLE, refuses=st.sampled_from([False, False, True]), dies=st.integers(0, 2))
    def answer(self, data: st.DataObject, who: str, refuses: bool, dies: int) -> None:
        """Somebody answers a request."""
        waiting = switching.pending(self.desk.engine)
        if waiting:
            chosen, at = data.draw(st.sampled_from(waiting)).id, self.desk.now
            if refuses:
                self.act(dies, lambda: switching.refuse(self.desk.engine, chosen, actor=who, because="x", at=at))
            else:
                self.act(dies, lambda: switching.approve(self.desk.engine, chosen, actor=who, at=at))

    @rule(data=st.data(), who=PEOPLE, dies=st.integers(0, 2))
    def break_glass(self, data: st.DataObject, who: str, dies: int) -> None:
        """Somebody breaks the glass."""
        places = self._set()
        if not places:
            return
        model, scope, _ = data.draw(st.sampled_from(places))
        self.act(dies, lambda: switching.break_glass(
            self.desk.engine, model, actor=who, because="x", at=self.desk.now, confirmed=model, scope=scope
        ))  # fmt: skip

    @rule(model=MODELS, value=st.sampled_from([0.0, 0.9, None]), minutes=st.integers(10, 90))
    def world_changes(self, model: str, value: float | None, minutes: int) -> None:
        """A model does better or worse, or is silent; then the engine looks."""
        self.desk.world.values[f"{model}-errors"] = value
        self.desk.later(minutes * MINUTE)
        self.follow()

    @rule(minutes=st.integers(10, 200), dies=st.integers(0, 9))
    def time_passes(self, minutes: int, dies: int) -> None:
        """The engine looks some time later; it may die in the middle of that, and a new one looks at once."""
        self.act(dies, lambda: self.desk.later(minutes * MINUTE))

    @rule(minutes=st.integers(-600, 600).filter(bool))
    def clock_steps(self, minutes: int) -> None:
        """The machine's clock steps while the engine watches."""
        self.desk.now += minutes * MINUTE
        stepped(self.desk.engine, minutes * MINUTE, at=self.desk.now)
        self.follow()

    def follow(self) -> None:
        """Read what was sealed since, and hold each entry against the promises."""
        both = (decision_log.tail(self.database, 10_000, kind=kind) for kind in ("switch", "clock"))
        found = sorted((entry for kind in both for entry in kind), key=lambda entry: entry.seq)
        for entry in found[self.read :]:
            self.hold(json.loads(entry.content))
        self.read = len(found)

    def hold(self, entry: dict[str, Any]) -> None:
        """Check one entry, and what it makes of the state."""
        kind, body, subject = entry["kind"], entry["body"], entry["subject"]
        if kind == "switch.approved":
            assert entry["actor"] != body["requested_by"]
            assert entry["actor"] in {"cy", "dee", "flo"}
            self.approved[body["approval"]] = entry["actor"]
        if kind == "clock.stepped":
            numbers = sorted(body["switches"].values())
            assert numbers == list(range(self.last + 1, self.last + 1 + len(numbers))), "one change, one number"
            self.last += len(numbers)
            return
        if "after" not in body:
            return
        assert body["seq"] == self.last + 1, "one change, one number"
        self.last = body["seq"]
        place = (subject["model"], subject["scope"])
        before = self.state.get(place, {"mode": "live"})
        assert rank(body["before"]) == rank(before), "the entry says what was before"
        if rank(body["after"]) < rank(before):
            assert kind in LOOSENING, f"{kind} loosened {place}"
        if kind == "switch.restored" and subject["model"] == "credit":
            assert self.approved.pop(body["approval"]) == body["approved_by"] != entry["actor"]
        value = self.desk.world.values.get(f"{subject['model']}-errors", 0.0)
        if kind == "switch.expired":
            assert value == 0.0, "given back although its guard is not healthy"
        if kind == "switch.extended":
            assert value != 0.0, "kept although its guard is healthy"
            assert rank(body["after"]) == rank(before)
        if kind == "switch.pulled" and entry["actor"] == "engine":
            assert subject["model"] in {"x", "y"}
        self.state[place] = body["after"]

    @invariant()
    def switches_are_what_the_log_says(self) -> None:
        """No scope changes but by its own entry: a pull leaves narrower settings alone."""
        with self.database.read() as connection:
            found = switches.all_of(connection)
            assert switches.last_seq(connection) == self.last
        stored = {(model, str(each.scope)): each for model, switch in found.items() for each in switch.settings}
        said = {place: after for place, after in self.state.items() if after["mode"] != "live"}
        assert {place: (MODES.index(each.mode), each.share) for place, each in stored.items()} == {
            place: rank(after) for place, after in said.items()
        }
        salts = {place: each.salt for place, each in stored.items()}
        assert salts == {place: after["salt"] for place, after in said.items()}

    @invariant()
    def a_request_that_waits_is_about_the_present(self) -> None:
        """What was asked of another state of the switch is void."""
        for each in switching.pending(self.desk.engine):
            assert each.seq == self.desk.switch(each.model).seq

    @invariant()
    def who_broke_the_glass_is_reviewed(self) -> None:
        """Each broken glass has an incident of its own, which tells everybody."""
        broken = self.desk.entries("switch.glass_broken")
        reviews = {each.id for each in self.desk.incidents("") if each.findings[0].key.rule == "break-glass"}
        assert {each.decision.body["review"] for each in broken} == reviews

    def teardown(self) -> None:
        """The log verifies."""
        if hasattr(self, "database"):
            self.desk.verify()
            self.database.close()


def rank(setting: dict[str, Any]) -> tuple[int, float]:
    """Return how restrictive a setting is, as an entry says it."""
    return MODES.index(setting["mode"]), setting.get("share", 0.0)


TestSwitched = Switched.TestCase
TestSwitched.settings = settings(
    max_examples=5 * SOAK or 60,
    stateful_step_count=30,
    derandomize=not SOAK,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
