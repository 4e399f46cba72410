"""When predictions are due, so that a quiet night is not missing data."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import field_validator

from governance.core.document import Document, Duration

_HOURS = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")
_DAY = timedelta(days=1)
_MINUTES = 24 * 60


class Cadence(Document):
    """How often predictions are due and at which local hours; by default every minute of every day."""

    every: Duration = timedelta(minutes=1)
    hours: str | None = None
    zone: str = "UTC"

    @field_validator("hours")
    @classmethod
    def _hours(cls, value: str | None) -> str | None:
        if value is not None and not _HOURS.match(value):
            raise ValueError(f"hours are written 05:00-24:00, not {value!r}")
        return value

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"no time zone {value!r}; zones are named like Europe/Berlin") from None
        return value

    @field_validator("every")
    @classmethod
    def _every(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("`every` must be longer than nothing")
        return value

    def expects(self, start: datetime, end: datetime) -> bool:
        """Tell whether a prediction was due within (start, end].

        True when the local `hours` of one day leave room for a whole interval of `every` inside the window; where
        `every` is longer than the hours of a day, for the whole of them.
        """
        if self.share >= 1:
            return end - start >= self.every
        zone = ZoneInfo(self.zone)
        first, day = start.astimezone(zone).date() - _DAY, end.astimezone(zone).date()
        while day >= first:
            opening, closing = self._opening(day, zone)
            due = min(self.every, closing - opening)  # nothing, where the clocks skip the hours of this day
            if due > timedelta(0) and min(end, closing) - max(start, opening) >= due:
                return True
            day -= _DAY
        return False

    @property
    def share(self) -> float:
        """The part of the time at which predictions are due, above 0 and up to 1."""
        if self.hours is None:
            return 1.0
        opening, closing = self._minutes()
        return (closing - opening) / _MINUTES

    def _opening(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when the hours of a local day begin and end, in UTC; over midnight they end on the next day."""
        opening, closing = self._minutes()
        return _local(day, opening, zone), _local(day, closing, zone)

    def _minutes(self) -> tuple[int, int]:
        """Return the minutes after a midnight at which the hours begin and end; the end may lie on the next day."""
        found = _HOURS.match(self.hours or "00:00-24:00")
        assert found is not None  # the validator saw to it  # noqa: S101
        hours = [int(part) for part in found.groups()]
        opening, closing = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
        return opening, closing if closing > opening else closing + _MINUTES


def _local(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which a wall clock shows that many minutes after midnight."""
    days, rest = divmod(minutes, _MINUTES)
    return datetime.combine(day + days * _DAY, time(rest // 60, rest % 60), zone).astimezone(UTC)
