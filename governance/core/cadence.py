"""When predictions are due, so that a quiet night is not missing data."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import field_validator

from governance.core.document import Document, Duration
from governance.core.wall_clock import DAY, MINUTES, checked_hours, checked_zone, instant_of, minutes_of


class Cadence(Document):
    """How often predictions are due and at which local hours; by default every minute of every day."""

    every: Duration = timedelta(minutes=1)
    hours: str | None = None
    zone: str = "UTC"

    _hours = field_validator("hours")(checked_hours)
    _zone = field_validator("zone")(checked_zone)

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
        first, day = start.astimezone(zone).date() - DAY, end.astimezone(zone).date()
        while day >= first:
            opening, closing = self._opening(day, zone)
            due = min(self.every, closing - opening)  # nothing, where the clocks skip the hours of this day
            if due > timedelta(0) and min(end, closing) - max(start, opening) >= due:
                return True
            day -= DAY
        return False

    @property
    def share(self) -> float:
        """The part of the time at which predictions are due, above 0 and up to 1."""
        if self.hours is None:
            return 1.0
        opening, closing = self._minutes()
        return (closing - opening) / MINUTES

    def _opening(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """Return when the hours of a local day begin and end, in UTC; over midnight they end on the next day."""
        opening, closing = self._minutes()
        return instant_of(day, opening, zone), instant_of(day, closing, zone)

    def _minutes(self) -> tuple[int, int]:
        return minutes_of(self.hours or "00:00-24:00")
