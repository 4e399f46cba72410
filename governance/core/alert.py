"""Alert states: inactive → pending → firing → inactive; missing data keeps the state.

The table is Prometheus's (rules/alerting.go) with Grafana's care for missing data; it is written out in the docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.document import SEVERITIES, Severity
from governance.core.metric import Labels
from governance.core.verdict import Basis, worst

State = Literal["inactive", "pending", "firing"]
Signal = Literal["fail", "pass", "keep", "waived"]
Kind = Literal["condition", "no_data", "final"]
"""Whether an alert is about the condition, about its missing data, or about the condition on complete labels."""
Change = Literal[
    "pending", "firing", "worsened", "spread", "eased", "resolved", "cleared", "confirmed", "revised", "waived"
]


@dataclass(frozen=True, slots=True)
class AlertKey:
    """Which rule instance an alert is about; missing data alerts apart, under the same labels as its parent."""

    model: str
    rule: str
    labels: Labels = ()
    kind: Kind = "condition"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long a rule waits before it fires, and before it clears."""

    for_: timedelta = timedelta(0)
    keep_firing_for: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Clock:
    """The state of one severity of one alert; `passed` is when it first passed while firing."""

    state: State = "inactive"
    since: datetime | None = None
    passed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """The state of one rule instance, with one clock per severity.

    `basis` and `until` tell, where labels are needed, how firm the finding is and the end of the window it rests on;
    `observed` is set while it fires, or grew worse, and nobody was told, as its rule was only observed;
    `blinds` tells what an alert of the engine has blinded so far: the models of a source, or the rules of a model;
    `owes_pull` is set by a late cycle in which a rule began to fire that acts: it does so if it fires in the present.
    """

    key: AlertKey
    clocks: Mapping[Severity, Clock]
    basis: Basis = ""
    until: datetime | None = None
    observed: bool = False
    blinds: tuple[str, ...] = ()
    owes_pull: bool = False

    @property
    def state(self) -> State:
        """The furthest state of any severity."""
        states = {clock.state for clock in self.clocks.values()}
        return "firing" if "firing" in states else "pending" if "pending" in states else "inactive"

    @property
    def severity(self) -> Severity | None:
        """The worst severity that fires."""
        return worst([severity for severity, clock in self.clocks.items() if clock.state == "firing"])

    @property
    def since(self) -> datetime | None:
        """When the oldest clock that is not inactive began."""
        return min((clock.since for clock in self.clocks.values() if clock.since is not None), default=None)


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of an alert worth telling: what changed, from which severity to which."""

    key: AlertKey
    change: Change
    at: datetime
    before: Severity | None
    after: Severity | None
    reason: str = ""


def tick(clock: Clock, signal: Signal, timing: Timing, at: datetime) -> Clock:
    """Return the next state of one clock: the rows of the alert table."""
    if signal == "keep":
        return clock
    if signal == "waived":
        return Clock()
    if signal == "fail":
        since = clock.since if clock.state != "inactive" and clock.since is not None else at
        if at < since:
            return clock  # the machine's clock stepped back: no time has passed
        return Clock("firing" if at - since >= timing.for_ else "pending", since)
    if clock.state == "firing":
        passed = clock.passed or at
        return Clock() if at - passed >= timing.keep_firing_for else replace(clock, passed=passed)
    return Clock()


def advance(alert: Alert, signals: Mapping[Severity, Signal], timing: Timing, at: datetime) -> Alert:
    """Advance every severity of an alert by its signal; severities without one keep their state."""
    names = [severity for severity in SEVERITIES if severity in signals or severity in alert.clocks]
    clocks = {each: tick(alert.clocks.get(each, Clock()), signals.get(each, "keep"), timing, at) for each in names}
    return replace(alert, clocks=clocks)


def transition(before: Alert, after: Alert, at: datetime, reason: str = "") -> Transition | None:
    """Return what changed between two states of an alert, or None when nothing worth telling did."""
    change = _change(before, after)
    if change is None:
        return None
    return Transition(after.key, change, at, before.severity, after.severity, reason)


def _change(before: Alert, after: Alert) -> Change | None:
    if before.state != after.state:
        if after.state == "inactive":
            return "resolved" if before.state == "firing" else "cleared"
        return after.state
    if before.severity != after.severity and before.severity and after.severity:
        return "worsened" if SEVERITIES.index(after.severity) > SEVERITIES.index(before.severity) else "eased"
    if after.state == "firing" and not set(after.blinds) <= set(before.blinds):
        return "spread"
    return None
