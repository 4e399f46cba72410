"""What the service of one model writes: its prediction log, and the truth as it becomes known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Service:
    """One model in service.

    `train(db, until)` creates the table `scored_<log>` with the columns scored_at, request_id, those of `logged`, and
    the truth `label` with the time `known` at which it came; it learns only from truth known by `until` (naive UTC).
    `trained_on` tells whether the rows of the training are kept as a reference. Between `silent` nothing is logged.
    """

    log: str
    version: str
    logged: str
    label: str
    known: str
    train: Callable[[DuckDBPyConnection, datetime], None]
    trained_on: bool = False
    silent: tuple[datetime, datetime] | None = None


# Latency and cost are SIMULATED: log-normal around 37 ms (Box-Muller over a hash of the request, so that a replay
# repeats itself), up to a third slower when the hour has 100 predictions; the cost is a fixed part and the seconds.
# MD5 because hash() may change between releases of DuckDB.
_SERVED = """
CREATE OR REPLACE TABLE {log} AS
WITH simulated AS (
    SELECT *, count(*) OVER (PARTITION BY date_trunc('hour', scored_at)) AS volume,
        (md5_number_lower(request_id)::DOUBLE + 0.5) / 18446744073709551616 AS u,
        (md5_number_upper(request_id)::DOUBLE + 0.5) / 18446744073709551616 AS v
    FROM scored_{log} WHERE scored_at > $start AND NOT (scored_at > $silent AND scored_at <= $again)
),
timed AS (
    SELECT *, 0.031 * (1 + volume / 300) * exp(0.4 * sqrt(-2 * ln(u)) * cos(2 * pi() * v)) AS latency_s FROM simulated
)
SELECT scored_at, request_id, $version AS version, {logged}, latency_s, 0.0002 + 0.0025 * latency_s AS cost_usd,
    {label}, {known}
FROM timed ORDER BY scored_at, request_id
"""

_TRUTH = """
CREATE OR REPLACE TABLE {log}_truth AS
SELECT request_id, {label}, {known} FROM {log} WHERE {label} IS NOT NULL AND {known} IS NOT NULL
ORDER BY {known}, request_id
"""

_TRAINING = """
CREATE OR REPLACE TABLE {log}_training AS
SELECT {logged}, {label} FROM scored_{log} WHERE {known} <= $start ORDER BY {known}, request_id
"""


def serve(db: DuckDBPyConnection, service: Service, start: datetime) -> None:
    """Train the model and create all that its service will write from `start` (naive UTC) on, as tables."""
    service.train(db, start)
    names = {"log": service.log, "logged": service.logged, "label": service.label, "known": service.known}
    silent, again = service.silent or (start, start)
    values = {"start": start, "version": service.version, "silent": silent, "again": again}
    db.execute(_SERVED.format(**names), values)
    db.execute(_TRUTH.format(**names))
    if service.trained_on:
        db.execute(_TRAINING.format(**names), {"start": start})
    db.execute(f"DROP TABLE scored_{service.log}")


def written(service: Service) -> dict[str, str]:
    """Return the SQL of what is written of (?, ?] to each log."""
    hidden = f"{service.label}, {service.known}"
    predictions = f"SELECT * EXCLUDE ({hidden}) FROM {service.log} WHERE scored_at > ? AND scored_at <= ?"  # noqa: S608 (our own names)
    truth = f"SELECT * FROM {service.log}_truth WHERE {service.known} > ? AND {service.known} <= ?"  # noqa: S608 (our own names)
    return {service.log: predictions, f"{service.log}_truth": truth}
