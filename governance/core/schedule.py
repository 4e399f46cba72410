"""On-call schedules as the organisation writes them: layers of people who take turns, and overrides."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, PrivateAttr, field_validator, model_validator

from governance.core.calendar import Calendar
from governance.core.document import Document, Duration
from governance.core.wall_clock import DAY, checked_hours, checked_zone

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HANDOVER = re.compile(r"^(?:(mon|tue|wed|thu|fri|sat|sun) )?([01]\d|2[0-3]):([0-5]\d)$", re.IGNORECASE)
_WORDS = {"daily": DAY, "weekly": 7 * DAY}


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _turn(value: Any) -> Any:
    return _WORDS.get(value, value) if isinstance(value, str) else value


class Layer(Document):
    """People who take turns.

    A turn lasts `rotate`: daily, weekly or whole days such as 14d. The first begins with the first `handover` on or
    after `from`; before it the layer has nobody. `hours` and `days` narrow the layer to a part of the week, such as
    18:00-09:00 of the days on which these hours begin.
    """

    people: Annotated[tuple[str, ...], Field(min_length=1)]
    from_: date = Field(alias="from")
    rotate: Annotated[Duration, BeforeValidator(_turn)] = 7 * DAY
    handover: str = "09:00"
    hours: str | None = None
    days: tuple[Annotated[Weekday, BeforeValidator(_lower)], ...] = WEEKDAYS

    _hours = field_validator("hours")(checked_hours)

    @field_validator("rotate")
    @classmethod
    def _whole_days(cls, value: timedelta) -> timedelta:
        if value < DAY or value % DAY:
            raise ValueError("a turn is daily, weekly or a number of whole days such as 14d")
        return value

    @field_validator("handover")
    @classmethod
    def _written(cls, value: str) -> str:
        if not _HANDOVER.match(value):
            raise ValueError(f"a hand-over is written 09:00 or Mon 09:00, not {value!r}")
        return value

    @model_validator(mode="after")
    def _on_weekdays(self) -> Layer:
        if self.weekday is not None and self.rotate % (7 * DAY):
            raise ValueError("only turns of whole weeks are handed over on a day of the week; write `handover: 09:00`")
        return self

    @property
    def weekday(self) -> int | None:
        """The day of the week of the hand-over, Monday 0; None when it may be any."""
        found = _HANDOVER.match(self.handover)
        return WEEKDAYS.index(found[1].lower()) if found and found[1] else None

    @property
    def minute(self) -> int:
        """The minutes after midnight of the hand-over, by the wall clock."""
        found = _HANDOVER.match(self.handover)
        assert found is not None  # the validator saw to it  # noqa: S101
        return int(found[2]) * 60 + int(found[3])

    @property
    def first(self) -> date:
        """The local day of the first hand-over."""
        ahead = 0 if self.weekday is None else (self.weekday - self.from_.weekday()) % 7
        return self.from_ + ahead * DAY


class Substitution(Document):
    """Somebody else for a while: an override. Times without an offset are those of the schedule's zone."""

    person: str
    from_: datetime = Field(alias="from")
    until: datetime

    @model_validator(mode="after")
    def _forwards(self) -> Substitution:
        if (self.from_.tzinfo is None) != (self.until.tzinfo is None):
            raise ValueError("write both times with an offset, or neither")
        if self.until <= self.from_:
            raise ValueError("`until` must lie after `from`")
        return self


class Schedule(Document):
    """Who is on call. Of the layers that have somebody the last one counts; an override counts before all of them.

    Instead of layers a calendar may say it: `ical` is a file beside the organisation's, which the loader reads.
    """

    zone: str
    layers: tuple[Layer, ...] = ()
    ical: str | None = None
    overrides: tuple[Substitution, ...] = ()
    _calendar: Calendar | None = PrivateAttr(default=None)

    _zone = field_validator("zone")(checked_zone)

    @field_validator("ical")
    @classmethod
    def _beside(cls, value: str | None) -> str | None:
        if value is not None:
            parts = PurePosixPath(value).parts
            if not value.endswith(".ics") or value.startswith("/") or ".." in parts or "\\" in value:
                raise ValueError("a calendar is a file ending in .ics that lies beside org.yaml or below")
        return value

    @model_validator(mode="after")
    def _said(self) -> Schedule:
        if bool(self.layers) == (self.ical is not None):
            raise ValueError("write either `layers`, at least one, or `ical`")
        return self

    @property
    def calendar(self) -> Calendar | None:
        """What the file of `ical` says, once it is read."""
        return self._calendar

    def reading(self, calendar: Calendar) -> Schedule:
        """Return the schedule with what its file says."""
        made = self.model_copy()
        object.__setattr__(made, "__pydantic_private__", {"_calendar": calendar})
        return made

    def instant(self, moment: datetime) -> datetime:
        """Return a time of an override as an instant."""
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(self.zone))

    def names(self) -> frozenset[str]:
        """Return everybody who may come to be on call."""
        return frozenset(
            [person for layer in self.layers for person in layer.people] + [each.person for each in self.overrides]
        ) | (self._calendar.people() if self._calendar is not None else frozenset())
