from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.alert import Alert, AlertKey, Clock, Signal, Timing, advance, tick, transition

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
SIGNALS = st.lists(st.sampled_from(["fail", "pass", "keep", "waived"]), max_size=40)


def test_a_longer_for_makes_a_firing_alert_pending_again() -> None:
    clock = Clock("firing", START)
    assert tick(clock, "fail", Timing(timedelta(hours=1)), START + MINUTE) == Clock("pending", START)


@given(SIGNALS, st.integers(0, 5), st.integers(0, 5))
def test_what_may_never_happen(signals: list[Signal], for_minutes: int, keep_minutes: int) -> None:
    timing = Timing(for_minutes * MINUTE, keep_minutes * MINUTE)
    clock, last_fail, first_pass = Clock(), None, None
    for index, signal in enumerate(signals):
        at = START + index * MINUTE
        after = tick(clock, signal, timing, at)
        if signal == "keep":
            assert after == clock  # missing data changes nothing
        if clock.state != "firing" and after.state == "firing":
            assert signal == "fail"
            assert at - after.since >= timing.for_
        if clock.state == "firing" and after.state == "inactive" and signal != "waived":
            assert signal == "pass"
            assert first_pass is None or at - first_pass >= timing.keep_firing_for or at == first_pass
        if after.state != "inactive":
            assert after.since is not None
        first_pass = (first_pass or at) if signal == "pass" else None if signal == "fail" else first_pass
        last_fail = at if signal == "fail" else last_fail
        clock = after
    assert clock.state == "inactive" or last_fail is not None  # nothing fires that never failed


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({}, {"warning": "pending"}, "pending"),
        ({"warning": "pending"}, {"warning": "firing"}, "firing"),
        ({"warning": "firing"}, {"warning": "firing", "critical": "firing"}, "worsened"),
        ({"warning": "firing", "critical": "firing"}, {"warning": "firing"}, "eased"),
        ({"warning": "firing"}, {}, "resolved"),
        ({"warning": "pending"}, {}, "cleared"),
        ({"warning": "firing"}, {"warning": "firing", "critical": "pending"}, None),
    ],
)
def test_each_change_has_its_name(before: dict[str, str], after: dict[str, str], change: str | None) -> None:
    key = AlertKey("m", "r")
    one = Alert(key, {name: Clock(state, START) for name, state in before.items()})
    other = Alert(key, {name: Clock(state, START) for name, state in after.items()})
    found = transition(one, other, START)
    assert (found.change if found else None) == change


def test_each_severity_has_its_own_clock() -> None:
    timing = Timing(timedelta(minutes=10))
    alert = advance(Alert(AlertKey("m", "r"), {}), {"warning": "fail", "critical": "pass"}, timing, START)
    alert = advance(alert, {"warning": "fail", "critical": "fail"}, timing, START + 10 * MINUTE)
    assert alert.severity == "warning"
    alert = advance(alert, {"warning": "fail", "critical": "fail"}, timing, START + 20 * MINUTE)
    assert alert.severity == "critical"
