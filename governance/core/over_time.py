"""Statistics over the values of a stretch of time, defined as Prometheus defines them.

Source: https://prometheus.io/docs/prometheus/latest/querying/functions/#aggregation_over_time
Results that lie between the values stay there: the mean of equal values is that value, and their deviation is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import fmean

_DAY = timedelta(days=1)


def mean(values: Sequence[float]) -> float:
    """Return the arithmetic mean of at least one value."""
    return _between(min(values), fmean(values), max(values))


def deviation(values: Sequence[float]) -> float:
    """Return the population standard deviation: the root of the mean squared distance from the mean."""
    centre = mean(values)
    return math.hypot(*(each - centre for each in values)) / math.sqrt(len(values))


def quantile(values: Sequence[float], q: float) -> float:
    """Return the q-quantile (0 ≤ q ≤ 1) of n values: the one at rank q × (n − 1), linear between two neighbours."""
    ordered = sorted(values)
    rank = q * (len(ordered) - 1)
    lower = math.floor(rank)
    weight = rank - lower
    if weight == 0:
        return ordered[lower]
    low, high = ordered[lower], ordered[lower + 1]
    return _between(low, low * (1 - weight) + high * weight, high)


def slope(times: Sequence[datetime], values: Sequence[float]) -> float | None:
    """Return the slope per day of the least-squares line, None with fewer than two distinct times.

    Source: Σ (t − t̄)(v − v̄) / Σ (t − t̄)², which stays exact where sums of raw squares lose all digits.
    """
    days = [(each - times[0]) / _DAY for each in times]
    centre, level = fmean(days), mean(values)
    spread = math.fsum((day - centre) ** 2 for day in days)
    if spread == 0:
        return None
    return math.fsum((day - centre) * (value - level) for day, value in zip(days, values, strict=True)) / spread


def _between(low: float, value: float, high: float) -> float:
    return min(max(value, low), high)
