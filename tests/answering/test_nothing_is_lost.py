"""Whatever people do with incidents: each alert that fires is a finding of one open incident, and is told, once."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from switches.desk import HOUR, MINUTE, card, desk

from governance.core.alert import AlertKey
from governance.core.document import Severity
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.engine import operations
from governance.errors import Conflict
from governance.store import alerts, effects

MODELS = ("delay", "spam", "credit")
METRICS = ("errors", "late")
RULES = [
    {"rule": each, "when": {"warning": f"metrics.{each} > 0.5", "critical": f"metrics.{each} > 0.8"}}
    for each in METRICS
]
NEWS = frozenset({"first", "new_findings", "reopened"})
PLACES = st.integers(0, 5)


def metrics(model: str) -> dict[str, dict[str, str]]:
    """Return the metrics of a card."""
    return {each: {"source": "s", "query": f"{model}-{each}"} for each in METRICS}


class Answered(RuleBasedStateMachine):
    """Three models whose errors come and go, and people who answer."""

    @initialize()
    def begin(self) -> None:
        """Start with an empty engine."""
        self.at = desk(*(card(name, rules=RULES, metrics=metrics(name)) for name in MODELS))
        self.heard: dict[AlertKey, set[object]] = {}
        self.seen: set[str] = set()
        self.at.world.values |= {f"{name}-errors": 0.6 for name in MODELS}
        self.look(MINUTE)

    @rule(model=st.sampled_from(MODELS), metric=st.sampled_from(METRICS), value=st.sampled_from([0.1, 0.6, 0.9]))
    def measure(self, model: str, metric: str, value: float) -> None:
        """Let a metric be otherwise, and look."""
        self.at.world.values[f"{model}-{metric}"] = value
        self.look(MINUTE)

    @rule(by=st.sampled_from([10 * MINUTE, 2 * HOUR]))
    def look(self, by: timedelta) -> None:
        """Let time pass, and listen."""
        self.at.later(by)
        self.listen()

    @rule(place=PLACES, for_=st.sampled_from([HOUR, 5 * HOUR]))
    def snooze(self, place: int, for_: timedelta) -> None:
        """Somebody does not want to hear of an incident."""
        for number in self.at_place(place):
            until = self.at.now + for_
            operations.snooze(self.at.engine, number, until=until, because="x", actor="ana", at=self.at.now)

    @rule(place=PLACES, other=PLACES)
    def merge(self, place: int, other: int) -> None:
        """Somebody finds that two incidents are one."""
        for number, into in zip(self.at_place(place), self.at_place(other), strict=True):
            if number != into:
                operations.merge(self.at.engine, number, into=into, because="x", actor="bo", at=self.at.now)

    @rule(place=PLACES)
    def acknowledge(self, place: int) -> None:
        """Somebody takes an incident, unless another has."""
        for number in self.at_place(place):
            with suppress(Conflict):
                operations.acknowledge(self.at.engine, number, actor="ana", at=self.at.now)

    @rule(place=PLACES, severity=st.sampled_from(["warning", "critical"]))
    def judge(self, place: int, severity: Severity) -> None:
        """Somebody says how bad it is."""
        for number in self.at_place(place):
            with suppress(Conflict):
                operations.set_severity(
                    self.at.engine, number, severity=severity, because="x", actor="bo", at=self.at.now
                )

    @invariant()
    def each_firing_alert_is_a_finding_of_one_open_incident(self) -> None:
        """No finding is lost by a merge, and none is in two incidents."""
        with self.at.engine.database.read() as connection:
            firing = [key for key, each in alerts.active(connection).items() if each.state == "firing"]
        found = [each.key for incident in self.open().values() for each in incident.firing]
        assert sorted(map(repr, found)) == sorted(map(repr, firing))

    def listen(self) -> None:
        """Take in what the pager heard since; a message of news has something in it that was not heard before."""
        opened = self.open()
        for effect in self.sent():
            if effect.key in self.seen:
                continue
            self.seen.add(effect.key)
            incident = opened.get(effect.incident)
            if incident is None or effect.message.reason == "resolved":
                continue
            firing = [each for each in incident.firing if each.since <= effect.message.at]
            fresh = [each for each in firing if (each.since, each.peak) not in self.heard.get(each.key, ())]
            assert fresh or effect.message.reason not in NEWS, f"{effect.key} tells nothing new: {effect.message}"
            for each in firing:
                self.heard.setdefault(each.key, set()).add((each.since, each.peak))

    def teardown(self) -> None:
        """Let every snooze and every damping end: then everything that fires has been told."""
        for _ in range(2):
            self.at.later(4 * HOUR)
            self.listen()
        for incident in self.open().values():
            assert incident.snooze is None
            for each in incident.firing:
                assert (each.since, each.peak) in self.heard.get(each.key, ()), f"{each.key} was never told: {incident}"
        self.at.verify()

    def at_place(self, place: int) -> list[int]:
        """Return the number of one of the open incidents, if there are any."""
        numbers = sorted(self.open())
        return [numbers[place % len(numbers)]] if numbers else []

    def open(self) -> dict[int, Incident]:
        """Return the open incidents by number."""
        return {each.id: each for each in self.at.incidents()}

    def sent(self) -> list[Effect]:
        """Return what the pager has heard, in the order of the incidents."""
        numbers = [each.id for each in self.at.incidents("")]
        with self.at.engine.database.read() as connection:
            every = [each for number in numbers for each in effects.of_incident(connection, number)]
        return sorted((each for each in every if each.state == "sent"), key=lambda each: (each.incident, each.version))


Answered.TestCase.settings = settings(
    max_examples=4,
    phases=[Phase.explicit, Phase.generate],
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_nothing_is_lost = Answered.TestCase
