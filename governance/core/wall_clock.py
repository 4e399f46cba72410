"""What the clocks on the wall of a time zone show: hours of a day such as 22:00-06:00, also when clocks change."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
MINUTES = 24 * 60
_HOURS = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")


def checked_hours(value: str | None) -> str | None:
    """Return the hours as they are.

    :raises ValueError: they are not written as hours are
    """
    if value is not None and not _HOURS.match(value):
        raise ValueError(f"hours are written 05:00-24:00, not {value!r}")
    return value


def checked_zone(value: str) -> str:
    """Return the name of a time zone as it is.

    :raises ValueError: there is no such zone
    """
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone {value!r}; zones are named like Europe/Berlin") from None
    return value


def minutes_of(hours: str) -> tuple[int, int]:
    """Return the minutes after a midnight at which the hours begin and end; the end may lie on the next day."""
    found = _HOURS.match(hours)
    assert found is not None  # checked_hours saw to it  # noqa: S101
    parts = [int(part) for part in found.groups()]
    opening, closing = parts[0] * 60 + parts[1], parts[2] * 60 + parts[3]
    return opening, closing if closing > opening else closing + MINUTES


def instant_of(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a wall clock shows that many minutes after midnight.

    A time that the clocks skip is as much later as they are put forward; of one that they show twice it is the first.
    """
    days, rest = divmod(minutes, MINUTES)
    return datetime.combine(day + days * DAY, time(rest // 60, rest % 60), zone).astimezone(UTC)
