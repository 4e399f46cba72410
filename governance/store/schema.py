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
    silences,
    switches,
    tokens,
    trouble,
    waiver_requests,
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
    "silences",
    "switches",
    "tokens",
    "trouble",
    "waiver_requests",
    "waivers",
]
