"""What files ask for that is no policy: it is about notifications, and over by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from governance.core.metric import Labels


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that a file mutes; `key` names it."""

    key: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class WrittenSilence:
    """A silence or maintenance window that a file asks for; `key` names what it says.

    An empty `model`, `rule` or `models` is all of them. One that repeats comes again `every` so many days at the same
    hours of the clocks on the wall of `zone`, for the `last` time before an instant.
    """

    key: str
    model: str
    rule: str
    labels: Labels
    because: str
    by: str
    since: datetime
    until: datetime
    models: tuple[str, ...] = ()
    maintenance: bool = False
    every: timedelta | None = None
    last: datetime | None = None
    zone: str = "UTC"

    def at(self, at: datetime) -> Occurrence | None:
        """Return the time that holds at an instant, None between two of them."""
        return next((each for each in self._around(at) if each.since <= at < each.until), None)

    def _around(self, at: datetime) -> Iterator[Occurrence]:
        if self.every is None:
            yield Occurrence(self.key, self.since, self.until)
            return
        zone = ZoneInfo(self.zone)
        first, end = self.since.astimezone(zone).replace(tzinfo=None), self.until.astimezone(zone).replace(tzinfo=None)
        now = at.astimezone(zone).replace(tzinfo=None)
        number = max((now - first) // self.every, 0)
        for n in {max(number - 1, 0), number, number + 1}:  # clocks that change move an end by an hour
            begins = (first + n * self.every).replace(tzinfo=zone).astimezone(UTC)
            ends = (end + n * self.every).replace(tzinfo=zone).astimezone(UTC)
            if self.last is None or begins < self.last:
                over = min(ends, self.last) if self.last is not None else ends
                yield Occurrence(f"{self.key}@{begins:%Y%m%dT%H%M}", begins, over)
