"""When predictions are due, so that a quiet night is not missing data."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import field_validator

from governance.core.document import Document, Duration

_HOURS = re.compile(r"^([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")


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

    def expects(self, start: datetime, end: datetime) -> bool:
        """Tell whether a prediction was due within (start, end].

        True when at least one whole interval of `every` inside the window lies in the local `hours`.
        """
        if self.hours is None:
            return end - start >= self.every
        step = min(self.every, timedelta(hours=1))
        moment = end
        while moment - self.every >= start:
            if self._open(moment - self.every, moment):
                return True
            moment -= step
        return False

    def _open(self, start: datetime, end: datetime) -> bool:
        opening, closing = self._minutes()
        first = start.astimezone(ZoneInfo(self.zone))
        last = end.astimezone(ZoneInfo(self.zone))
        begin = first.hour * 60 + first.minute
        finish = begin + (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 60
        if opening >= closing:  # over midnight: 22:00-06:00 is 22:00 to 30:00
            closing += 24 * 60
            begin, finish = (begin + 24 * 60, finish + 24 * 60) if begin < opening else (begin, finish)
        return opening <= begin and finish <= closing and last >= first

    def _minutes(self) -> tuple[int, int]:
        found = _HOURS.match(self.hours or "00:00-24:00")
        assert found is not None  # the validator saw to it  # noqa: S101
        hours = [int(part) for part in found.groups()]
        return hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
