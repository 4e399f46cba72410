"""Every table of the database, so that creating it creates all of them, whoever asks first."""

from governance.store import (
    alerts,
    approvals,
    effects,
    evidence,
    incidents,
    instances,
    log_tables,
    progress,
    pushed,
    samples,
    switches,
    waivers,
)

__all__ = [
    "alerts",
    "approvals",
    "effects",
    "evidence",
    "incidents",
    "instances",
    "log_tables",
    "progress",
    "pushed",
    "samples",
    "switches",
    "waivers",
]
