"""The arithmetic of service level objectives.

Source: The Site Reliability Workbook, chapter 5, Alerting on SLOs (https://sre.google/workbook/alerting-on-slos/).
An objective is a share of good events such as 0.999; the rest, 0.001, is the error budget of its window.
"""

from __future__ import annotations

from datetime import timedelta

NEVER = timedelta(days=3650)
"""The time to exhaustion of a budget that nothing burns, and the longest there is."""
_MINUTE = timedelta(minutes=1)
_DIGITS = 12  # decimals of an error budget: 1 − 0.999 is 0.001, not 0.0010000000000000009


def burn_rate(bad: float, total: float, objective: float) -> float:
    """Return how many times faster than evenly over the SLO's window the budget burns: error share / (1 − objective).

    :raises ValueError: there are no events, or the objective is not between 0 and 1
    """
    if total <= 0:
        raise ValueError("without events there is no error share")
    return bad / total / _allowed(objective)


def budget_left(bad: float, total: float, objective: float) -> float:
    """Return the share of the budget left after the SLO's window: 1 untouched, 0 spent, below 0 overspent.

    :raises ValueError: there are no events, or the objective is not between 0 and 1
    """
    return 1 - burn_rate(bad, total, objective)


def time_to_exhaustion(left: float, burn: float, window: timedelta) -> timedelta:
    """Return how long the share `left` of a window's budget lasts at a burn rate, at most NEVER.

    A whole budget at burn rate 1 lasts its window, so the rest lasts left × window / burn.
    """
    if left <= 0:
        return timedelta(0)
    lasting = left * (window / NEVER)  # as a share of NEVER, since a tiny burn would overflow a timedelta
    return NEVER if burn <= lasting else NEVER * (lasting / burn)


def scaled(window: timedelta, per: timedelta, slo_window: timedelta) -> timedelta:
    """Return the part of an SLO's window that `window` is of `per`, in whole minutes and at least one.

    The pairs of the workbook are written for 30 days: 1 h per 30 d is 56 minutes of an SLO over 28 days.
    """
    return max(_MINUTE, round(window * (slo_window / per) / _MINUTE) * _MINUTE)


def max_burn(objective: float) -> float:
    """Return the burn rate when every event is bad, 1 / (1 − objective): an alert above it can never fire.

    :raises ValueError: the objective is not between 0 and 1
    """
    return 1 / _allowed(objective)


def events_needed(factor: float, objective: float) -> float:
    """Return how many events a window must hold for one bad event not to exceed a burn rate of `factor`.

    Of N events one bad one burns 1 / (N × (1 − objective)); that equals the factor at this N [low-traffic services].

    :raises ValueError: the objective is not between 0 and 1, or the factor not above 0
    """
    if factor <= 0:
        raise ValueError(f"a burn rate to alert on is above 0, not {factor:g}")
    return 1 / (factor * _allowed(objective))


def _allowed(objective: float) -> float:
    """Return the share of events that may be bad."""
    if not 0 < objective < 1:
        raise ValueError(f"an objective lies between 0 and 1, not at {objective:g}")
    return round(1 - objective, _DIGITS) or 1 - objective
