"""The model `ground-hold`: how likely a flight is to leave over an hour late, told an hour before it is due.

It knows how late the airport runs and what the weather is there. Low cloud, rain and wind hold aircraft on the ground,
so that it depends on the weather feed. Without weather it still answers, from the traffic alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from duckdb import DuckDBPyConnection

VERSION: Final = "2013.02"
HELD_MINUTES: Final = 60
HOLD_FROM: Final = 0.15  # twice the share of flights that were held in January and February
PRIOR_FLIGHTS: Final = 100

# The mean delay of the departures of the last two hours before.
_LEFT: Final = """
CREATE OR REPLACE TEMP TABLE left_before AS
SELECT origin, left_at AS last_left, any_value(delay) AS delay FROM (
    SELECT origin, left_at, avg(dep_delay) OVER (
        PARTITION BY origin ORDER BY left_at RANGE BETWEEN INTERVAL 2 HOUR PRECEDING AND CURRENT ROW) AS delay
    FROM flights WHERE left_at IS NOT NULL
) GROUP BY origin, left_at
"""

# Nobody waits before the first departure of the day. A flight that is cancelled was scored all the same.
_SEEN: Final = """
CREATE OR REPLACE TEMP TABLE seen AS
WITH due AS (SELECT *, due - INTERVAL 1 HOUR AS scored_at FROM flights),
ahead AS (
    SELECT due.*, CASE WHEN scored_at - last_left < INTERVAL 2 HOUR THEN delay ELSE 0 END AS recent_delay
    FROM due ASOF LEFT JOIN left_before ON due.origin = left_before.origin AND due.scored_at >= left_before.last_left
)
SELECT ahead.*, visib, precip, wind_speed, dep_delay > $held AS was_held,
    CASE WHEN recent_delay < 0 THEN 0 WHEN recent_delay < 5 THEN 1 WHEN recent_delay < 12 THEN 2
        WHEN recent_delay < 25 THEN 3 WHEN recent_delay < 45 THEN 4 ELSE 5 END AS traffic,
    CASE WHEN visib < 2 OR precip > 0.05 THEN 2 WHEN visib < 5 OR precip > 0 OR wind_speed > 22 THEN 1
        WHEN visib IS NOT NULL THEN 0 END AS sky,
    "hour" // 6 AS part
FROM ahead LEFT JOIN weather ON weather.origin = ahead.origin AND weather.time_hour = date_trunc('hour', scored_at)
"""

# Cells are shrunk toward the broader ones, as in `flight-delay`.
_SCORED: Final = """
CREATE OR REPLACE TABLE scored_ground_hold AS
WITH history AS (SELECT * FROM seen WHERE left_at <= $until),
by_traffic AS (SELECT traffic, avg(was_held::INT) AS p_traffic FROM history GROUP BY ALL),
by_sky AS (
    SELECT traffic, sky, (sum(was_held::INT) + $prior * any_value(p_traffic)) / (count(*) + $prior) AS p_sky
    FROM history JOIN by_traffic USING (traffic) GROUP BY ALL
),
by_part AS (
    SELECT traffic, sky, part, (sum(was_held::INT) + $prior * any_value(p_sky)) / (count(*) + $prior) AS p_part
    FROM history JOIN by_sky USING (traffic, sky) GROUP BY ALL
)
SELECT seen.*, coalesce(p_part, p_sky, p_traffic) AS p_hold, p_hold >= $from AS hold
FROM seen LEFT JOIN by_traffic USING (traffic) LEFT JOIN by_sky USING (traffic, sky)
    LEFT JOIN by_part USING (traffic, sky, part)
"""


def train(db: DuckDBPyConnection, until: datetime) -> None:
    """Create the table `scored_ground_hold`: every scheduled flight with `p_hold` in [0, 1] and the decision `hold`.

    The probability is the smoothed share of flights that left over an hour late by the delay of the traffic, the
    weather and the part of the day, among those that had left by `until` (naive UTC). Truth comes with the departure;
    a cancelled flight has none.
    """
    db.execute(_LEFT)
    db.execute(_SEEN, {"held": HELD_MINUTES})
    db.execute(_SCORED, {"until": until, "prior": PRIOR_FLIGHTS, "from": HOLD_FROM})
