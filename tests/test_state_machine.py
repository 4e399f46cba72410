"""Whatever the world, people, crashes and clocks do, the promises of the alert table, incidents and the log hold."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import hypothesis.strategies as st
from crash.oracle import MINUTE, Oracle
from crash.world import (
    CRITICAL,
    INFO,
    POLICY,
    SERIES,
    WARNING,
    Archive,
    Cut,
    Ears,
    MortalDatabase,
    Source,
    Terms,
    World,
    planned,
)
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from scenarios.story import START, FixedClock

from governance.core.incident import CLOSED, Incident
from governance.core.metric import Labels
from governance.core.organisation import Organisation
from governance.core.waiver import Waiver
from governance.engine import operations
from governance.engine.clock import stepped
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.errors import Conflict
from governance.store import alerts, decision_log, effects, incidents

EVERY = timedelta(minutes=10)
SOAK = int(os.environ.get("SOAK", "0"))
"""How long to look for new stories: five for each; 0 plays the same few every day."""
TOLD = {"opened": "first", "new_findings": "new_findings", "worsened": "worsened", "reopened": "reopened"}
VALUES = st.sampled_from([0.1, 0.6, 0.9]) | st.sampled_from([0.1, 0.9, "gone", "null", "nan", "stale", "few"])


class Governed(RuleBasedStateMachine):
    """One engine over one model with three rules, two sources and two notifiers."""

    @initialize(by_rule=st.booleans(), archived=st.booleans())
    def begin(self, by_rule: bool, archived: bool) -> None:
        """Start an engine on an empty database."""
        self.now, self.last, self.world, self.oracle = START, START - EVERY, World(), Oracle()
        self.policy, self.waivers, self.archived = dict(POLICY), list[Waiver](), archived
        self.database = MortalDatabase("sqlite://")
        self.database.create_tables()
        self.ears = {"chat": Ears(), "pager": Ears()}
        self.entries: list[bytes] = []
        group = {"group_by": ["model", "rule"]} if by_rule else {}
        self.organisation = Organisation.model_validate(
            {"cycle": {"every": "10m"}, "incidents": group, "people": {"ana": {}, "bo": {}}}
        )
        self.look()

    def engine(self) -> Engine:
        """Return an engine as a new process would build it."""
        return Engine(
            plan=planned(tuple(self.policy.items())),
            organisation=self.organisation,
            sources={name: (Archive if self.archived else Source)(self.world, name) for name in ("s", "t")},
            notifiers=self.ears,
            database=self.database,
            clock=FixedClock(),
        )

    def look(self) -> None:
        """Let the engine do what is due, and the oracle likewise."""
        at = START + (self.now - START) // EVERY * EVERY
        step(self.engine(), self.now)
        self._foretell(at)

    def _foretell(self, at: datetime) -> None:
        missed = START + ((self.last - START) // EVERY + 1) * EVERY
        while missed < at:
            if self.archived:
                waived = {each.rule for each in self.waivers if each.known(missed) and missed < each.until}
                self.oracle.judge(self.world, self.policy, waived, missed, late=True)
            missed += EVERY
        if at > self.last:
            self.oracle.judge(self.world, self.policy, self._waived(at), at)
            self.last = at

    def _waived(self, at: datetime) -> set[str]:
        return {each.rule for each in self.waivers if at < each.until}

    @rule(minutes=st.integers(1, 30))
    def pass_time(self, minutes: int) -> None:
        """Some minutes later the engine looks."""
        self.now += minutes * MINUTE
        self.look()

    @rule(values=st.tuples(*[VALUES] * len(SERIES)), minutes=st.integers(5, 20), looks=st.booleans())
    def change_all(self, values: tuple[float | str, ...], minutes: int, looks: bool) -> None:
        """Every series changes."""
        for series, value in list(zip(SERIES, values, strict=True))[1:]:
            self.world.change(series, value, self.now)
        self.change(SERIES[0], values[0], minutes, looks)

    def change(self, series: tuple[str, Labels], value: float | str, minutes: int, looks: bool) -> None:
        """A series changes, and the engine looks some time later, or misses it for now."""
        self.world.change(series, value, self.now)
        self.now += minutes * MINUTE
        if looks:
            self.look()

    @rule(source=st.sampled_from(["s", "t"]))
    def fail_or_mend_source(self, source: str) -> None:
        """A source breaks, or answers again."""
        self.world.down ^= {source}
        self.now += EVERY
        self.look()

    @rule(notifier=st.sampled_from(["chat", "pager"]))
    def fail_or_mend_notifier(self, notifier: str) -> None:
        """A notifier breaks, or hears again."""
        self.ears[notifier].down = not self.ears[notifier].down

    @rule(nth=st.integers(1, 9), before=st.booleans(), minutes=st.integers(0, 30))
    def crash(self, nth: int, before: bool, minutes: int) -> None:
        """The process dies within a look; a new one looks at the same time."""
        self.now += minutes * MINUTE
        self.database.nth, self.database.before = nth, before
        with suppress(Cut):
            step(self.engine(), self.now)
        self.database.nth = 0
        self.look()
        checked = decision_log.verify(self.database)
        assert checked.ok, checked.findings

    @rule(minutes=st.integers(-60, 30).filter(bool), seen=st.booleans())
    def clock_steps(self, minutes: int, seen: bool) -> None:
        """The machine's clock steps while the engine watches, or backwards while it does not; then it looks."""
        by = minutes * MINUTE
        self.now += by
        if seen:
            stepped(self.engine(), by, at=self.now)
        else:
            by = min(self.now - self.last, timedelta(0))  # back behind the last cycle is all that can be told
        self.world.move(minutes * MINUTE)
        if by:
            for clocks in self.oracle.clocks.values():
                for clock in clocks.values():
                    clock.move(by, self.now)
            self.last = min(self.last + by, self.now)
        self.look()

    @rule(data=st.data(), actor=st.sampled_from(["ana", "bo"]))
    def acknowledge(self, data: st.DataObject, actor: str) -> None:
        """Somebody takes an open incident."""
        for incident in self._chosen(data):
            with suppress(Conflict):
                operations.acknowledge(self.engine(), incident.id, actor=actor, at=self.now)

    @rule(data=st.data(), actor=st.sampled_from(["ana", "bo"]))
    def resolve(self, data: st.DataObject, actor: str) -> None:
        """Somebody closes an open incident."""
        for incident in self._chosen(data):
            operations.resolve(self.engine(), incident.id, actor=actor, because="done", at=self.now)

    def _chosen(self, data: st.DataObject) -> list[Incident]:
        with self.database.read() as connection:
            open_ = incidents.listed(connection, status="open")
        return [data.draw(st.sampled_from(open_))] if open_ else []

    @rule(name=st.sampled_from(sorted(POLICY)), minutes=st.integers(1, 60))
    def waive(self, name: str, minutes: int) -> None:
        """Two people waive a rule for a while."""
        if name not in self.policy:
            return
        until = self.now + minutes * MINUTE
        waiver = Waiver(f"w{len(self.waivers)}", "m", name, (), "season", "ana", "bo", until)
        operations.waive(self.engine(), waiver, at=self.now)
        self.waivers.append(replace(waiver, since=self.now))

    @rule(name=st.sampled_from(sorted(POLICY)), for_=st.sampled_from([0, 10, 20, 40]))
    def edit(self, name: str, for_: int) -> None:
        """An author makes a rule more or less patient, or brings it back."""
        old = POLICY[name]
        self.policy[name] = Terms(old.limits, for_, old.keep, old.no_data)

    @rule(name=st.sampled_from(sorted(POLICY)))
    def remove(self, name: str) -> None:
        """An author takes a rule away."""
        self.policy.pop(name, None)

    @rule(name=st.sampled_from(["high", "low"]), limits=st.sampled_from([(WARNING,), (INFO,), (INFO, CRITICAL)]))
    def grade(self, name: str, limits: tuple[tuple[str, float], ...]) -> None:
        """An author changes how grave a rule is."""
        old = POLICY[name]
        self.policy[name] = Terms(limits, old.for_, old.keep, old.no_data)

    @invariant()
    def entries_never_change(self) -> None:
        """The log only grows."""
        found = [each.content for each in decision_log.tail(self.database, 100_000)]
        assert found[: len(self.entries)] == self.entries
        self.entries = found

    @invariant()
    def alerts_are_as_the_table_says(self) -> None:
        """Missing data resolves nothing and fires nothing; what is waived or gone is inactive."""
        assert self._states() == self.oracle.states()

    @invariant()
    def every_firing_alert_has_its_incident(self) -> None:
        """A finding fires while its alert does, unless a person closed it; one incident per group is open."""
        firing = {key for key, states in self._states().items() if "firing" in states.values()}
        with self.database.read() as connection:
            found = [each for each in incidents.listed(connection) if each.model == "m"]
        findings = [(each, finding) for each in found for finding in each.findings]
        shown = [(one.key.rule, one.key.labels, one.key.kind) for _, one in findings if one.firing]
        assert len(shown) == len(set(shown)), "two incidents show one finding"
        assert set(shown) <= firing, "an incident shows what is over"
        closed = {
            (one.key.rule, one.key.labels, one.key.kind) for _, one in findings if one.story[-1].startswith(CLOSED)
        }
        assert firing - set(shown) <= closed, "an alert fires and no incident shows it"
        groups = [each.group for each in found if each.status != "resolved"]
        assert len(groups) == len(set(groups)), "two open incidents of one group"
        assert all(bool(each.firing) == (each.status != "resolved") for each in found)

    @invariant()
    def every_change_is_told_once_and_in_order(self) -> None:
        """Each notifier has one effect for each change worth telling, and hears them in their order."""
        expected = {}
        for entry in map(json.loads, self.entries):
            kind = entry["kind"].removeprefix("incident.")
            if entry["kind"].startswith("incident.") and kind in {*TOLD, "resolved"} and "version" in entry["body"]:
                expected[int(entry["subject"]["incident"]), entry["body"]["version"]] = TOLD.get(kind, kind)
        with self.database.read() as connection:
            found = [each for one in incidents.listed(connection) for each in effects.of_incident(connection, one.id)]
        by_person = {(each.incident, each.version) for each in found} - set(expected)
        assert all(each.message.reason == "resolved" for each in found if (each.incident, each.version) in by_person)
        for name, ears in self.ears.items():
            told = {(each.incident, each.version): each.message.reason for each in found if each.notifier == name}
            assert told == {**expected, **dict.fromkeys(by_person, "resolved")}
            for number in {each.incident for each in ears.heard.values()}:
                versions = [each.version for each in ears.heard.values() if each.incident == number]
                assert versions == sorted(versions), "told out of order"
            assert {each.key for each in found if each.notifier == name and each.state == "sent"} == set(ears.heard)

    @invariant()
    def who_was_told_hears_the_end(self) -> None:
        """The last word on a resolved incident is its resolution, for everybody who heard of it at all."""
        with self.database.read() as connection:
            for incident in incidents.listed(connection, status="resolved"):
                if incident.damped_until is not None and self.now < incident.damped_until:
                    continue  # it flaps: its end is told when the quiet is over
                told = [each for each in effects.of_incident(connection, incident.id) if each.state != "withheld"]
                for name in self.ears:
                    said = sorted((each.version, each.message.reason) for each in told if each.notifier == name)
                    assert not said or said[-1][1] == "resolved", f"INC-{incident.id} ended and {name} is not told"
                    assert not said or said[0][1] != "resolved", f"{name} is told of the end of INC-{incident.id} only"

    def teardown(self) -> None:
        """In the end the notifiers hear all that is left, and the log verifies."""
        if not hasattr(self, "database"):
            return
        for ears in self.ears.values():
            ears.down = False
        self.now += timedelta(hours=1)
        for _ in range(3):
            self.look()
        with self.database.read() as connection:
            assert effects.pending(connection) == []
        checked = decision_log.verify(self.database)
        assert checked.ok, checked.findings
        self.database.close()

    def _states(self) -> dict[tuple[str, Labels, str], dict[str, str]]:
        with self.database.read() as connection:
            active = alerts.active(connection)
        return {
            (key.rule, key.labels, key.kind): {
                severity: clock.state for severity, clock in alert.clocks.items() if clock.state != "inactive"
            }
            for key, alert in active.items()
            if key.model == "m"
        }


TestGoverned = Governed.TestCase
TestGoverned.settings = settings(
    max_examples=5 * SOAK or 25,
    stateful_step_count=30,
    derandomize=not SOAK,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
