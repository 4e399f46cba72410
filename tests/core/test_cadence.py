from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from governance.core.cadence import Cadence

HOUR = timedelta(hours=1)
NEW_YORK = Cadence(every="1h", hours="05:00-23:00", zone="America/New_York")


@pytest.mark.parametrize(
    ("end", "window", "expected"),
    [
        ("2013-07-01T09:00", 1, False),  # 05:00 in New York: the hour before was night
        ("2013-07-01T10:00", 1, True),  # 06:00: the first whole hour is over
        ("2013-07-02T03:00", 1, True),  # 23:00
        ("2013-07-02T04:00", 1, False),  # midnight
        ("2013-07-02T06:00", 24, True),  # a day holds many due hours
        ("2013-01-15T10:00", 1, False),  # winter: 05:00
        ("2013-01-15T11:00", 1, True),
        ("2013-03-10T10:00", 1, True),  # the clocks went forward in this night: 06:00
        ("2013-11-03T10:00", 1, False),  # and back in this one: 05:00
    ],
)
def test_a_window_is_expected_when_a_whole_interval_lies_in_the_local_hours(
    end: str, window: int, expected: bool
) -> None:
    at = datetime.fromisoformat(end).replace(tzinfo=UTC)
    assert NEW_YORK.expects(at - window * HOUR, at) is expected


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", "2013-03-10", [6]),  # one in the morning; the hour from two to three is skipped
        ("America/New_York", "2013-11-03", [5, 6, 7]),  # the hour from one to two comes twice
        ("America/New_York", "2013-07-01", [5, 6]),
        ("Europe/Berlin", "2013-03-31", [0]),
        ("Europe/Berlin", "2013-10-27", [-1, 0, 1]),  # the hour from two to three comes twice
    ],
)
def test_hours_that_the_clocks_skip_or_repeat(zone: str, day: str, hours: list[int]) -> None:
    cadence = Cadence(every="1h", hours="01:00-03:00", zone=zone)
    midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = [n for n in range(-3, 12) if cadence.expects(midnight + n * HOUR, midnight + (n + 1) * HOUR)]
    assert found == hours


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Australia/Lord_Howe", "America/New_York"])
def test_a_whole_day_of_hours_is_always_due(zone: str) -> None:
    cadence = Cadence(every="1h", hours="00:00-24:00", zone=zone)
    start = datetime(2013, 1, 1, tzinfo=UTC)
    assert all(cadence.expects(start + n * HOUR, start + (n + 1) * HOUR) for n in range(365 * 24))


def test_hours_may_cross_midnight() -> None:
    nights = Cadence(every="1h", hours="22:00-06:00")
    day = datetime(2026, 1, 5, tzinfo=UTC)
    expected = [hour for hour in range(24) if nights.expects(day + hour * HOUR, day + (hour + 1) * HOUR)]
    assert expected == [0, 1, 2, 3, 4, 5, 22, 23]


def test_without_hours_every_window_as_long_as_the_interval_is_expected() -> None:
    weekly = Cadence(every="7d")
    at = datetime(2026, 1, 5, tzinfo=UTC)
    assert weekly.expects(at - timedelta(days=7), at)
    assert not weekly.expects(at - timedelta(days=1), at)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("hours", "5-23", "hours are written 05:00-24:00"), ("zone", "Mars/Base", "no time zone 'Mars/Base'")],
)
def test_wrong_words_are_refused(field: str, value: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Cadence(**{field: value})
