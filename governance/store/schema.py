"""Every table of the database, so that creating it creates all of them, whoever asks first."""

from governance.store import (
    alerts,
    effects,
    evidence,
    incidents,
    instances,
    log_tables,
    progress,
    pushed,
    samples,
    tokens,
    waivers,
)

__all__ = [
    "alerts",
    "effects",
    "evidence",
    "incidents",
    "instances",
    "log_tables",
    "progress",
    "pushed",
    "samples",
    "tokens",
    "waivers",
]
