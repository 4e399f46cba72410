"""The arithmetic of SLOs, against the numbers of the SRE Workbook, chapter 5."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.core.objective import (
    NEVER,
    budget_left,
    burn_rate,
    events_needed,
    max_burn,
    scaled,
    time_to_exhaustion,
)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = 30 * DAY
objectives = st.floats(0.5, 0.9999)
shares = st.floats(0, 1)


@pytest.mark.parametrize(
    ("window", "factor", "spent"),
    [(HOUR, 14.4, 0.02), (6 * HOUR, 6, 0.05), (DAY, 3, 0.10), (3 * DAY, 1, 0.10)],
)
def test_what_the_pages_and_tickets_spend_of_a_month(window: timedelta, factor: float, spent: float) -> None:
    hourly = 100_000
    during = hourly * (window / HOUR)
    bad = factor * 0.001 * during
    assert burn_rate(bad, during, 0.999) == pytest.approx(factor)
    assert budget_left(bad, hourly * (MONTH / HOUR), 0.999) == pytest.approx(1 - spent)


@pytest.mark.parametrize(
    ("burn", "lasts"),
    [(1, 30 * DAY), (2, 15 * DAY), (10, 3 * DAY), (1000, timedelta(minutes=43.2))],
)
def test_time_to_exhaustion_at_the_burn_rates_of_the_workbook(burn: float, lasts: timedelta) -> None:
    assert time_to_exhaustion(1, burn, MONTH) == pytest.approx(lasts, abs=timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("left", "burn", "lasts"),
    [
        (0.5, 2, 7.5 * DAY),
        (0, 0, timedelta(0)),
        (0, 5, timedelta(0)),
        (-0.2, 0, timedelta(0)),
        (1, 0, NEVER),
        (0.1, 1e-300, NEVER),
        (1, 1e-9, NEVER),
        (1e-300, 1, timedelta(0)),
    ],
)
def test_time_to_exhaustion_at_its_ends(left: float, burn: float, lasts: timedelta) -> None:
    assert time_to_exhaustion(left, burn, MONTH) == lasts


@given(st.floats(1e-3, 1), st.floats(1e-3, 1e4))
def test_burning_until_exhaustion_leaves_nothing(left: float, burn: float) -> None:
    lasts = time_to_exhaustion(left, burn, MONTH)
    resolution = burn * (timedelta(microseconds=1) / MONTH)
    assert lasts == NEVER or burn * (lasts / MONTH) == pytest.approx(left, rel=1e-9, abs=resolution)


@pytest.mark.parametrize(
    ("objective", "most"), [(0.999, 1000.0), (0.99, 100.0), (0.95, 20.0), (0.9, 10.0), (99.9 / 100, 1000.0)]
)
def test_the_largest_burn_is_exact_for_objectives_as_people_write_them(objective: float, most: float) -> None:
    assert max_burn(objective) == most
    assert burn_rate(7, 7, objective) == most


@given(objectives, shares)
def test_an_error_share_at_the_objective_burns_evenly(objective: float, share: float) -> None:
    assert burn_rate(1 - objective, 1, objective) == pytest.approx(1)
    assert 0 <= burn_rate(share, 1, objective) <= max_burn(objective) * (1 + 1e-12)
    assert budget_left(0, 10, objective) == 1


def test_one_failure_of_ten_requests_an_hour_costs_a_seventh_of_the_month() -> None:
    assert 1 - budget_left(1, 10 * 720, 0.999) == pytest.approx(0.139, abs=0.0005)
    assert burn_rate(1, 10, 0.999) > 14.4  # and pages at once
    assert events_needed(14.4, 0.999) == pytest.approx(69.44, abs=0.01)


@given(st.floats(0.1, 100), objectives)
def test_one_bad_event_exceeds_the_factor_exactly_below_the_events_needed(factor: float, objective: float) -> None:
    needed = events_needed(factor, objective)
    assert burn_rate(1, needed * 1.01, objective) < factor < burn_rate(1, needed * 0.99, objective)


@pytest.mark.parametrize(
    ("window", "slo", "expected"),
    [
        (HOUR, MONTH, HOUR),
        (HOUR, 28 * DAY, timedelta(minutes=56)),
        (timedelta(minutes=5), 28 * DAY, timedelta(minutes=5)),
        (6 * HOUR, 7 * DAY, timedelta(hours=1, minutes=24)),
        (timedelta(minutes=5), DAY, timedelta(minutes=1)),
        (HOUR, 90 * DAY, 3 * HOUR),
    ],
)
def test_windows_scale_with_the_window_of_the_slo(window: timedelta, slo: timedelta, expected: timedelta) -> None:
    assert scaled(window, MONTH, slo) == expected


@pytest.mark.parametrize("objective", [0.0, 1.0, 1.5, -1.0, math.nan])
def test_an_objective_lies_between_0_and_1(objective: float) -> None:
    with pytest.raises(ValueError, match="an objective lies between 0 and 1"):
        max_burn(objective)


def test_no_events_are_not_a_good_month() -> None:
    with pytest.raises(ValueError, match="without events"):
        budget_left(0, 0, 0.99)


def test_a_factor_is_above_0() -> None:
    with pytest.raises(ValueError, match="above 0"):
        events_needed(0, 0.99)
