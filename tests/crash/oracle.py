"""A second, tiny implementation of the alert table, written from its description and not from the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crash.world import METRIC, SOURCE, A, B, Terms, World

from governance.core.metric import Labels

ALERTS = (("high", A), ("high", B), ("low", ()), ("gap", ()))
MINUTE = timedelta(minutes=1)


@dataclass
class Clock:
    """The oracle's clock of one severity of one alert."""

    state: str = "inactive"
    since: datetime | None = None
    passed: datetime | None = None

    def hear(self, signal: str, terms: Terms, at: datetime) -> None:
        """Follow one row of the alert table; `for` and `keep_firing_for` count from the first fail and pass."""
        if signal == "waived" or (signal == "pass" and self.state == "pending"):
            self.state, self.since, self.passed = "inactive", None, None
        elif signal == "fail":
            self.since, self.passed = self.since or at, None
            self.state = "firing" if at - self.since >= MINUTE * terms.for_ else "pending"
        elif signal == "pass" and self.state == "firing":
            self.passed = self.passed or at
            if at - self.passed >= MINUTE * terms.keep:
                self.state, self.since, self.passed = "inactive", None, None

    def move(self, by: timedelta, at: datetime) -> None:
        """Let the machine's clock step: what has run so far has run as long as before."""
        self.since = min(self.since + by, at) if self.since else None
        self.passed = min(self.passed + by, at) if self.passed else None


@dataclass
class Oracle:
    """What every alert must be, from nothing but the world, the policy, the waivers and the time."""

    clocks: dict[tuple[str, Labels, str], dict[str, Clock]] = field(default_factory=dict)

    def judge(
        self, world: World, policy: Mapping[str, Terms], waived: set[str], at: datetime, *, late: bool = False
    ) -> None:
        """Take one cycle; a late one judges only what the sources can answer for the past."""
        for key in [each for each in self.clocks if each[0] not in policy]:
            del self.clocks[key]
        for name, labels in ALERTS:
            if name in policy and not (late and SOURCE[METRIC[name]] in world.down):
                value = world.read(METRIC[name], labels, at)
                self._judged(name, labels, value, policy[name], name in waived, at)

    def _judged(self, name: str, labels: Labels, value: float | str, terms: Terms, waived: bool, at: datetime) -> None:
        limits = dict(terms.limits)
        clocks = self.clocks.setdefault((name, labels, "condition"), {})
        for severity in set(clocks) - set(limits):
            del clocks[severity]  # its severity has left the rule
        for severity, limit in limits.items():
            signal = "keep" if isinstance(value, str) else "fail" if value > limit else "pass"
            clocks.setdefault(severity, Clock()).hear("waived" if waived else signal, terms, at)
        gap = self.clocks.setdefault((name, labels, "no_data"), {}).setdefault("warning", Clock())
        kept = value in {"few", "down"}
        lost = "keep" if kept else "fail" if isinstance(value, str) else "pass"
        if terms.no_data == "alert":
            gap.hear("waived" if waived else lost, Terms((), for_=15), at)

    def states(self) -> dict[tuple[str, Labels, str], dict[str, str]]:
        """Return the severities of every alert that are not inactive."""
        found = {
            key: {severity: clock.state for severity, clock in clocks.items() if clock.state != "inactive"}
            for key, clocks in self.clocks.items()
        }
        return {key: states for key, states in found.items() if states}
