"""Systems that keep no past."""

from __future__ import annotations

from datetime import datetime, timedelta

from governance.errors import Unavailable

TOLERANCE = timedelta(minutes=5)
"""How far back still counts as the present: what a slow cycle takes."""


def require_present(time: datetime, now: datetime) -> None:
    """Refuse a question about the past.

    :raises Unavailable: `time` is longer ago than the tolerance
    """
    if now - time > TOLERANCE:
        raise Unavailable(f"answers only for the present, not for {time.isoformat()}")
