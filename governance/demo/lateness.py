"""The model `flight-delay`: how likely a flight is to arrive late, learned from January and February."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from duckdb import DuckDBPyConnection

VERSION: Final = "2013.02"
LATE_MINUTES: Final = 15
PRIOR_FLIGHTS: Final = 30

# Each cell is shrunk toward the broader one, as if the broader one had been seen for $prior flights in it. Otherwise a
# carrier with three flights at some hour would be certain of them.
_CELLS: Final = """
CREATE OR REPLACE TEMP TABLE {name} AS
SELECT {keys}, (sum(was_late::INT) + $prior * any_value({broader})) / (count(*) + $prior) AS {score}
FROM history {joins} GROUP BY {keys}
"""

_DEPARTURES: Final = """
CREATE OR REPLACE TEMP TABLE departures AS
SELECT *, left_at AS scored_at, arr_delay > $late AS was_late FROM flights WHERE left_at IS NOT NULL
"""

# What the service could know on the day it was trained: flights that had landed.
_HISTORY: Final = """
CREATE OR REPLACE TEMP TABLE history AS
SELECT *, avg(was_late::INT) OVER () AS p_all FROM departures WHERE landed_at <= $until
"""

# The threshold calls as many flights late as were late in training.
_SCORED: Final = """
CREATE OR REPLACE TABLE scored_flight_delay AS
WITH base AS (SELECT any_value(p_all) AS p_all FROM history),
scores AS (
    SELECT departures.*, coalesce(p_cell, p_hour, p_carrier, p_all) AS p_late
    FROM departures
    LEFT JOIN by_carrier USING (carrier)
    LEFT JOIN by_hour USING (carrier, "hour")
    LEFT JOIN by_cell USING (carrier, "hour", origin)
    CROSS JOIN base
),
ranked AS (
    SELECT p_late, percent_rank() OVER (ORDER BY p_late) AS rank FROM scores WHERE landed_at <= $until
),
cut AS (SELECT min(p_late) AS threshold FROM ranked, base WHERE rank >= 1 - p_all)
SELECT scores.*, p_late >= threshold AS late FROM scores CROSS JOIN cut
"""


def train(db: DuckDBPyConnection, until: datetime) -> None:
    """Create the table `scored_flight_delay`: every departure with `p_late` in [0, 1] and the decision `late`.

    The probability is the smoothed share of late flights by carrier, scheduled hour and origin among those that had
    landed by `until` (naive UTC), with hierarchical shrinkage: https://en.wikipedia.org/wiki/Shrinkage_(statistics).
    Truth is late by more than 15 minutes at the gate. It comes with the aircraft.
    """
    db.execute(_DEPARTURES, {"late": LATE_MINUTES})
    db.execute(_HISTORY, {"until": until})
    by_hour = "JOIN by_carrier USING (carrier)"
    by_cell = 'JOIN by_hour USING (carrier, "hour")'
    _cells(db, name="by_carrier", keys="carrier", broader="p_all", score="p_carrier", joins="")
    _cells(db, name="by_hour", keys='carrier, "hour"', broader="p_carrier", score="p_hour", joins=by_hour)
    _cells(db, name="by_cell", keys='carrier, "hour", origin', broader="p_hour", score="p_cell", joins=by_cell)
    db.execute(_SCORED, {"until": until})


def _cells(db: DuckDBPyConnection, **parts: str) -> None:
    db.execute(_CELLS.format(**parts), {"prior": PRIOR_FLIGHTS})
