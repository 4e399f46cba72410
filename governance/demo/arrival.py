"""The model `arrival-delay`: by how many minutes a flight will arrive late, learned from January and February.

What a flight makes up in the air changes with winds and schedules: 5 minutes in winter, 11 in September. The model does
not learn that number, it learns to follow it: the mean of the flights that landed in the last hours is an input. That
keeps it right all year, where a model of fixed effects, like `flight-delay`, goes wrong with the seasons.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from duckdb import DuckDBPyConnection

VERSION: Final = "2013.02"

# `gain` is arrival delay minus departure delay. Six hours hold some 300 landings, enough for a steady mean: in
# January and February it explains more of the next gain than the mean of a day or a week does.
_LANDED: Final = """
CREATE OR REPLACE TEMP TABLE landed AS
SELECT landed_at, any_value(gain) AS recent_gain FROM (
    SELECT landed_at, avg(arr_delay - dep_delay) OVER (
        ORDER BY landed_at RANGE BETWEEN INTERVAL 6 HOUR PRECEDING AND CURRENT ROW) AS gain
    FROM flights WHERE landed_at IS NOT NULL AND arr_delay IS NOT NULL
) GROUP BY landed_at
"""

# The first flights of the year have nothing before them; no such flight is ever served.
_SEEN: Final = """
CREATE OR REPLACE TEMP TABLE seen AS
SELECT flights.* EXCLUDE (landed_at), flights.landed_at, left_at AS scored_at, recent_gain
FROM flights ASOF JOIN landed ON flights.left_at >= landed.landed_at
WHERE left_at IS NOT NULL
"""

_SCORED: Final = """
CREATE OR REPLACE TABLE scored_arrival_delay AS
WITH fitted AS (
    SELECT regr_slope(arr_delay - dep_delay, recent_gain) AS slope,
        regr_intercept(arr_delay - dep_delay, recent_gain) AS intercept
    FROM seen WHERE landed_at <= $until
)
SELECT seen.*, dep_delay + intercept + slope * recent_gain AS predicted_min FROM seen CROSS JOIN fitted
"""


def train(db: DuckDBPyConnection, until: datetime) -> None:
    """Create the table `scored_arrival_delay`: every departure with `predicted_min`, minutes late at the gate.

    The departure delay plus a linear regression of what is made up in the air on `recent_gain`, what the flights that
    had landed by then made up (minutes, mostly below zero), fitted to the flights that had landed by `until`.
    """
    db.execute(_LANDED)
    db.execute(_SEEN)
    db.execute(_SCORED, {"until": until})
