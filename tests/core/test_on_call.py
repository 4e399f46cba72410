"""Who is on call: turns, hours, overrides, hand-overs by the wall clock, and no instant without exactly one answer."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.core.on_call import on_call, shifts
from governance.core.schedule import WEEKDAYS, Schedule

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def schedule(zone: str = "Europe/Berlin", overrides: tuple = (), **layer: object) -> Schedule:
    usual = {"people": ["ana", "bo"], "from": "2026-01-05", "handover": "Mon 09:00"}
    return Schedule.model_validate({"zone": zone, "layers": [{**usual, **layer}], "overrides": list(overrides)})


def local(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "person"),
    [
        ("2026-01-05 08:59", ""),  # before the first hand-over
        ("2026-01-05 09:00", "ana"),
        ("2026-01-12 08:59", "ana"),
        ("2026-01-12 09:00", "bo"),
        ("2026-03-30 08:59", "bo"),  # the clocks went forward the day before
        ("2026-03-30 09:00", "ana"),
        ("2026-10-26 08:59", "bo"),  # and back
        ("2026-10-26 09:00", "ana"),
        ("2028-02-29 12:00", "ana"),  # a leap day, in the week from 2028-02-28
        ("2028-03-06 09:00", "bo"),
    ],
)
def test_turns_change_at_nine_by_the_wall_clock(at: str, person: str) -> None:
    assert on_call(schedule(), local(at)).person == person


@pytest.mark.parametrize(
    ("zone", "changes"),
    [
        ("Europe/Berlin", ("2026-03-29", "2026-10-25")),
        ("America/New_York", ("2026-03-08", "2026-11-01")),
        ("Australia/Lord_Howe", ("2026-04-05", "2026-10-04")),  # by half an hour, and the other way round
    ],
)
def test_a_day_of_changed_clocks_is_a_shift_as_long_as_it_is(zone: str, changes: tuple[str, str]) -> None:
    turns = schedule(zone, rotate="daily", handover="00:00")
    lengths = []
    for day in changes:
        noon = local(f"{day} 12:00", zone)
        (mine,) = [each for each in shifts(turns, noon - 2 * DAY, noon + 2 * DAY) if each.start <= noon < each.end]
        lengths.append((mine.end - mine.start) / HOUR)
        assert mine.start == local(f"{day} 00:00", zone)
    change = 0.5 if zone == "Australia/Lord_Howe" else 1
    assert sorted(lengths) == [24 - change, 24 + change]


def test_a_hand_over_in_the_hour_that_the_clocks_skip_or_show_twice() -> None:
    daily = schedule(rotate="daily", handover="02:30")
    skipped, twice = local("2026-03-29 03:30"), local("2026-10-25 02:30")
    assert skipped in [each.start for each in shifts(daily, skipped - DAY, skipped + DAY)]
    assert twice in [each.start for each in shifts(daily, twice - DAY, twice + DAY)]
    again = local("2026-10-25 02:30", fold=1)
    assert on_call(daily, again) == on_call(daily, twice) != on_call(daily, twice - HOUR / 60)


def test_the_turn_goes_on_over_the_end_of_a_year() -> None:
    shown = shifts(schedule(), local("2026-12-28 09:00"), local("2027-01-11 09:00"))
    assert [(each.duty.person, each.start) for each in shown] == [
        ("bo", local("2026-12-28 09:00")),
        ("ana", local("2027-01-04 09:00")),
    ]


def test_a_first_hand_over_after_the_first_day() -> None:
    late = schedule(**{"from": "2026-01-07"})  # a Wednesday
    assert on_call(late, local("2026-01-12 08:59")).person == ""
    assert on_call(late, local("2026-01-12 09:00")).person == "ana"


def test_hours_over_midnight_belong_to_the_day_on_which_they_begin() -> None:
    nights = schedule(hours="18:00-09:00", days=["fri"])
    assert on_call(nights, local("2026-01-09 17:59")).person == ""
    assert on_call(nights, local("2026-01-09 18:00")).person == "ana"
    assert on_call(nights, local("2026-01-10 08:59")).person == "ana"
    assert on_call(nights, local("2026-01-10 09:00")).person == ""
    assert on_call(nights, local("2026-01-10 18:00")).person == ""


def test_of_the_layers_that_have_somebody_the_last_counts() -> None:
    two = Schedule.model_validate(
        {
            "zone": "UTC",
            "layers": [
                {"people": ["ana"], "from": "2026-01-05"},
                {"people": ["bo"], "from": "2026-01-05", "hours": "09:00-17:00", "days": ["Mon"]},
            ],
        }
    )
    shown = shifts(two, local("2026-01-12 00:00", "UTC"), local("2026-01-13 00:00", "UTC"))
    assert [(each.duty.person, each.duty.why, each.start.hour) for each in shown] == [
        ("ana", "layer 1", 0),
        ("bo", "layer 2", 9),
        ("ana", "layer 1", 17),
    ]


def test_an_override_across_a_hand_over() -> None:
    swapped = schedule(overrides=({"person": "cy", "from": "2026-01-12 06:00", "until": "2026-01-12 12:00"},))
    shown = shifts(swapped, local("2026-01-12 00:00"), local("2026-01-13 00:00"))
    assert [(each.duty.person, each.duty.why) for each in shown] == [
        ("ana", "layer 1"),
        ("cy", "override"),
        ("bo", "layer 1"),
    ]
    assert [each.start for each in shown[1:]] == [local("2026-01-12 06:00"), local("2026-01-12 12:00")]


def test_holes_are_shifts_of_nobody() -> None:
    days = schedule(hours="09:00-17:00", days=["mon"])
    shown = shifts(days, local("2026-01-12 00:00"), local("2026-01-13 00:00"))
    assert [each.duty.person for each in shown] == ["", "bo", ""]


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": []},
        {"rotate": "36h"},
        {"handover": "Monday 9"},
        {"rotate": "daily", "handover": "Mon 09:00"},
        {"hours": "9-17"},
        {"days": ["someday"]},
        {"from": "soon"},
    ],
)
def test_what_no_schedule_can_mean_is_refused(wrong: dict) -> None:
    with pytest.raises(ValidationError):
        schedule(**wrong)


_days = st.dates(date(2025, 12, 1), date(2028, 3, 31))
_times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30]))
_layers = st.fixed_dictionaries(
    {
        "people": st.lists(st.sampled_from(["ana", "bo", "cy"]), min_size=1, max_size=4),
        "from": _days.map(str),
        "rotate": st.sampled_from(["daily", "2d", "weekly", "14d"]),
        "handover": _times,
        "hours": st.none() | st.builds("{}-{}".format, _times, _times),
        "days": st.lists(st.sampled_from(WEEKDAYS), min_size=1, unique=True),
    }
)
_overrides = st.builds(
    lambda day, person, hours: {
        "person": person,
        "from": f"{day}T03:15",
        "until": f"{datetime.fromisoformat(f'{day}T03:15') + hours * HOUR:%Y-%m-%dT%H:%M}",
    },
    _days,
    st.sampled_from(["ana", "dee"]),
    st.integers(1, 400),
)
_schedules = st.builds(
    lambda zone, layers, overrides: Schedule.model_validate({"zone": zone, "layers": layers, "overrides": overrides}),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "UTC"]),
    st.lists(_layers, min_size=1, max_size=3),
    st.lists(_overrides, max_size=2),
)


@given(_schedules, _days, st.integers(1, 40), st.lists(st.integers(0, 40 * 24 * 60), max_size=8))
def test_shifts_leave_no_gap_and_say_what_is_said_of_each_instant(
    of: Schedule, day: date, days: int, minutes: list[int]
) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + days * DAY
    found = shifts(of, start, end)
    assert (found[0].start, found[-1].end) == (start, end)
    for one, other in itertools.pairwise(found):
        assert one.end == other.start
        assert one.duty != other.duty
    for each in found:
        assert each.start < each.end
        for at in (each.start, each.end - timedelta(microseconds=1)):
            assert on_call(of, at) == each.duty
    for minute in minutes:
        at = start + (minute % (days * 24 * 60)) * timedelta(minutes=1)
        (one,) = [each for each in found if each.start <= at < each.end]
        assert one.duty == on_call(of, at)
