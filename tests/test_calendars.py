"""On-call schedules from calendars (iCalendar): recurrence by the wall clock, swaps, holes, and hostile files."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st
from icalendar import vRecur

from governance.core.calendar import _stretches
from governance.core.on_call import on_call, shifts
from governance.core.organisation import Person
from governance.core.schedule import Schedule
from governance.loader.calendars import MOST_EVENTS, _rule, _Wrong, read_calendar
from governance.loader.stamp import stamp
from governance.policies import policies, stored_policies

PEOPLE = {"ana": Person(email="ana@example.com"), "bo": Person(email="Bo@example.com"), "cy": Person()}
ZONE = "Europe/Berlin"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def text(*events: str) -> str:
    """Return a calendar of events, each the lines of one separated by ";;"."""
    inside = "".join(f"BEGIN:VEVENT\n{each.replace(';;', chr(10))}\nEND:VEVENT\n" for each in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{inside}END:VCALENDAR\n"


def schedule(*events: str, zone: str = ZONE) -> Schedule:
    calendar, problems = read_calendar(text(*events), "on-call.ics", zone, PEOPLE)
    assert problems == ()
    return Schedule.model_validate({"zone": zone, "ical": "on-call.ics"}).reading(calendar)


def wrong(*events: str) -> list[str]:
    _, problems = read_calendar(text(*events), "on-call.ics", ZONE, PEOPLE)
    return [f"{each.position}: {each.message}" for each in problems]


def local(said: str, zone: str = ZONE) -> datetime:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def shown(of: Schedule, start: str, end: str, zone: str = ZONE) -> list[tuple[str, str]]:
    """Return the shifts, each with the hour at which it begins by the wall clock."""
    found = shifts(of, local(start, zone), local(end, zone))
    return [(f"{each.start.astimezone(ZoneInfo(zone)):%m-%d %H:%M}", each.duty.person) for each in found]


ANA = (
    "UID:a;;DTSTART;TZID=Europe/Berlin:20260105T090000;;DTEND;TZID=Europe/Berlin:20260112T090000"
    ";;RRULE:FREQ=WEEKLY;INTERVAL=2;;SUMMARY:On call;;ATTENDEE;CN=Ana:mailto:ANA@example.com"
)
BO = ANA.replace("UID:a", "UID:b").replace("0112T", "0119T").replace("0105T", "0112T").replace("ANA@", "bo@")


def test_turns_of_a_week_by_the_wall_clock_over_a_change_of_the_clocks() -> None:
    of = schedule(ANA, BO)
    assert shown(of, "2026-03-23 09:00", "2026-04-06 09:00") == [("03-23 09:00", "bo"), ("03-30 09:00", "ana")]
    assert shown(of, "2026-10-19 09:00", "2026-11-02 09:00") == [("10-19 09:00", "bo"), ("10-26 09:00", "ana")]
    assert on_call(of, local("2026-01-05 08:59")).person == ""
    assert on_call(of, local("2026-01-05 09:00")).why == "calendar"


@pytest.mark.parametrize(("zone", "day"), [(ZONE, "2026-03-29"), ("America/New_York", "2026-11-01")])
def test_days_are_as_long_as_the_clocks_make_them(zone: str, day: str) -> None:
    of = schedule("DTSTART:20260101T000000;;DTEND:20260102T000000;;RRULE:FREQ=DAILY;;SUMMARY:ana", zone=zone)
    (only,) = shifts(of, local(f"{day} 00:00", zone), local(f"{day} 00:00", zone) + 22 * HOUR)
    assert only.duty.person == "ana"
    half = f"DTSTART:{day.replace('-', '')}T000000;;DURATION:PT12H;;SUMMARY:ana"
    (first, _) = shifts(schedule(half, zone=zone), local(f"{day} 00:00", zone), local(f"{day} 23:00", zone))
    assert first.end - first.start == 12 * HOUR  # hours are hours, whatever the clocks show


def test_swaps_days_off_and_days_more() -> None:
    of = schedule(
        "UID:a;;DTSTART:20260105T090000;;DTEND:20260105T170000;;RRULE:FREQ=DAILY;COUNT=5;;SUMMARY:ana"
        ";;EXDATE:20260106T090000;;EXDATE;VALUE=DATE:20260109;;RDATE:20260110T090000",
        "UID:a;;RECURRENCE-ID:20260107T090000;;DTSTART:20260107T100000;;DTEND:20260107T170000;;SUMMARY:bo",
        "UID:a;;RECURRENCE-ID:20260108T090000;;STATUS:CANCELLED;;DTSTART:20260108T090000;;SUMMARY:ana",
    )
    assert [each for each in shown(of, "2026-01-05 00:00", "2026-01-12 00:00") if each[1]] == [
        ("01-05 09:00", "ana"),
        ("01-07 10:00", "bo"),
        ("01-10 09:00", "ana"),
    ]


def test_of_two_at_a_time_the_one_that_began_last_counts_and_an_override_before_all() -> None:
    whole = "DTSTART:20260105T000000;;DTEND:20260112T000000;;SUMMARY:ana"
    hours = "DTSTART:20260106T090000;;DTEND:20260106T170000;;SUMMARY:bo@example.com on call"
    assert shown(schedule(hours, whole), "2026-01-06 00:00", "2026-01-07 00:00") == [
        ("01-06 00:00", "ana"),
        ("01-06 09:00", "bo"),
        ("01-06 17:00", "ana"),
    ]
    calendar = schedule(whole).calendar
    assert calendar is not None
    over = {"person": "cy", "from": "2026-01-06 00:00", "until": "2026-01-06 12:00"}
    swapped = Schedule.model_validate({"zone": ZONE, "ical": "x.ics", "overrides": [over]}).reading(calendar)
    assert on_call(swapped, local("2026-01-06 11:00")).person == "cy"
    assert swapped.names() == {"ana", "cy"}


def test_whole_days_utc_windows_zones_and_an_end_of_the_rule() -> None:
    of = schedule(
        "DTSTART;VALUE=DATE:20260105;;SUMMARY:ana",
        "DTSTART:20260106T080000Z;;DTEND:20260106T100000Z;;SUMMARY:bo",
        "DTSTART;TZID=W. Europe Standard Time:20260107T090000;;DURATION:PT1H;;SUMMARY:cy"
        ";;RRULE:FREQ=DAILY;UNTIL=20260108T080000Z",
    )
    assert shown(of, "2026-01-05 00:00", "2026-01-10 00:00") == [
        ("01-05 00:00", "ana"),
        ("01-06 00:00", ""),
        ("01-06 09:00", "bo"),
        ("01-06 11:00", ""),
        ("01-07 09:00", "cy"),
        ("01-07 10:00", ""),
        ("01-08 09:00", "cy"),
        ("01-08 10:00", ""),
    ]


ONCE = "DTSTART:20260105T090000;;DTEND:20260105T170000"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (f"{ONCE};;SUMMARY:On call: anna", "names nobody of `people`; write the id or e-mail of one as SUMMARY or"),
        (f"{ONCE};;SUMMARY:ana and bo", "is the duty of several: ana, bo; write an event for each"),
        ("SUMMARY:ana;;DTSTART;TZID=Mars/Base:20260105T090000;;DURATION:PT1H", "no time zone 'Mars/Base'; zones are"),
        ("SUMMARY:ana;;DTSTART:20260199T090000;;DURATION:PT1H", "DTSTART: Wrong datetime format: 20260199T090000"),
        ("SUMMARY:ana;;DTSTART:20260105T090000", "DTEND is missing"),
        ("SUMMARY:ana;;DTEND:20260105T090000", "DTSTART is missing"),
        ("SUMMARY:ana;;DTSTART:20260105T090000;;DTEND:20260105T080000", "an event ends after it begins"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=SECONDLY", "a duty repeats DAILY, WEEKLY, MONTHLY or YEARLY, not SECONDLY"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL lies between 1 and 10000"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=DAILY;BYSECOND=1,2,3", "BYSECOND is not understood"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=DAILY;BYMONTH=13", "RRULE: it never comes true"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=FOO", "RRULE: Expected frequency"),
        (f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=DAILY;;RRULE:FREQ=WEEKLY", "RRULE is written twice"),
        (f"{ONCE};;SUMMARY:ana;;EXRULE:FREQ=DAILY", "EXRULE is not understood; write EXDATE"),
        ("SUMMARY:ana;;DTSTART:00010101T000000;;DURATION:PT1H;;RRULE:FREQ=DAILY", "begins in 2000 or later"),
        (f"{ONCE};;SUMMARY:ana;;RDATE;VALUE=PERIOD:20260105T090000Z/20250105T090000Z", "RDATE: a period ends after"),
        (f"{ONCE};;SUMMARY:ana;;RECURRENCE-ID;RANGE=THISANDFUTURE:20260105T090000", "with RANGE is not understood"),
        (f"{ONCE};;SUMMARY:ana;;no colon here", "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_event_is_said_at_its_line(event: str, said: str) -> None:
    (found,) = wrong(f"{ONCE};;SUMMARY:bo", event)
    assert found.startswith("on-call.ics:9:1: ")
    assert said in found


def test_files_that_are_no_calendar_or_are_cut_off() -> None:
    for given_, said in (("", "begins with BEGIN:VCALENDAR"), ("<html>", "begins with BEGIN:VCALENDAR")):
        assert said in read_calendar(given_, "x.ics", ZONE, PEOPLE)[1][0].message
    cut = text(f"{ONCE};;SUMMARY:ana").partition("END:VEVENT")[0]
    assert "was the file cut off?" in read_calendar(cut, "x.ics", ZONE, PEOPLE)[1][0].message


def test_hostile_files_cost_little() -> None:
    began = time.process_time()
    never = f"{ONCE};;SUMMARY:ana;;RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29"
    always = f"{ONCE};;SUMMARY:bo;;RRULE:FREQ=DAILY;COUNT=10000"
    of = schedule(*[never] * 50, *[always] * 50)
    assert on_call(of, local("2026-06-01 12:00")).person == "bo"
    assert any("events repeat" in each for each in wrong(*[always] * 201))
    crowd, problems = read_calendar(text(*[f"{ONCE};;SUMMARY:ana"] * (MOST_EVENTS + 1)), "x.ics", ZONE, PEOPLE)
    assert len(crowd.events) == MOST_EVENTS
    assert f"more than {MOST_EVENTS} events" in problems[0].message
    zone = "BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19000101T000000\nRRULE:FREQ=SECONDLY\nEND:STANDARD\n"
    bomb = text(f"{ONCE};;SUMMARY:ana").replace("BEGIN:VEVENT", f"{zone}END:VTIMEZONE\nBEGIN:VEVENT", 1)
    assert read_calendar(bomb, "x.ics", ZONE, PEOPLE)[1] == ()
    assert time.process_time() - began < 60  # of the processor; without a bound it would be hours


_rules = st.fixed_dictionaries(
    {"FREQ": st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]), "INTERVAL": st.integers(1, 5)},
    optional={
        "COUNT": st.integers(1, 40),
        "BYMONTH": st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True),
        "BYDAY": st.lists(st.sampled_from(["MO", "TU", "FR", "SU"]), min_size=1, unique=True)
        | st.lists(st.sampled_from(["1MO", "-1FR", "2SU", "5TU"]), min_size=1, unique=True),
        "BYMONTHDAY": st.lists(st.sampled_from([1, 13, 29, 31, -1, -30]), min_size=1, unique=True),
        "BYSETPOS": st.lists(st.sampled_from([1, 2, -1]), min_size=1, unique=True),
        "WKST": st.sampled_from(["MO", "SU", "WE"]),
    },
)


_starts = st.datetimes(datetime(2024, 1, 1), datetime(2026, 12, 31))  # noqa: DTZ001 (by a wall clock)


@given(_rules, _starts, st.integers(0, 1500))
def test_rules_repeat_as_another_library_says(parts: dict[str, object], start: datetime, after: int) -> None:
    days = cast("list[str]", parts.get("BYDAY", []))
    if parts["FREQ"] in ("DAILY", "WEEKLY"):  # the nth of a month has no meaning there, nor a day of one in weeks
        parts["BYDAY"] = sorted({each[-2:] for each in days}) or parts.pop("BYDAY", None) or ["MO", "TU", "SU"]
        parts.pop("BYMONTHDAY", None)
        parts.pop("BYSETPOS", None)  # there the other library counts from the day on which the event began
    listed = {name: each if isinstance(each, list) else [each] for name, each in parts.items()}
    rule = ";".join(f"{name}={','.join(map(str, each))}" for name, each in listed.items())
    start = start.replace(microsecond=0)
    since, last = start + after * DAY, start + (after + 400) * DAY
    try:
        made = _rule(vRecur.from_ical(rule), start, ZoneInfo("UTC"))
    except _Wrong:  # it never comes true, which the other library would look for until the year 9999
        return
    assert made is not None
    other = rrulestr(rule, dtstart=start).between(since, last, inc=True)
    assert list(made.times(start, since, last)) == other, (rule, start)


_events = st.builds(
    "DTSTART:2026{:02d}{:02d}T{:02d}0000;;DURATION:PT{}H;;SUMMARY:{};;RRULE:FREQ={};INTERVAL={}".format,
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
    st.integers(1, 200),
    st.sampled_from(["ana", "bo", "cy"]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
)


@given(st.lists(_events, max_size=4), st.integers(0, 700), st.sampled_from([ZONE, "America/Santiago", "UTC"]))
def test_shifts_leave_no_gap_and_say_what_is_said_of_each_instant(events: list[str], day: int, zone: str) -> None:
    of = schedule(*events, zone=zone)
    start = datetime(2026, 1, 1, tzinfo=UTC) + day * DAY
    found = shifts(of, start, start + 21 * DAY)
    assert (found[0].start, found[-1].end) == (start, start + 21 * DAY)
    assert all(one.end == other.start and one.duty != other.duty for one, other in itertools.pairwise(found))
    for each in found:
        for at in (each.start, each.end - timedelta(microseconds=1)):
            assert on_call(of, at) == each.duty
            assert each.duty.person == by_definition(of, at)


def by_definition(of: Schedule, at: datetime) -> str:
    """Return who is on duty: of the events that hold at an instant the one that began last, or was written last."""
    assert of.calendar is not None
    around = (at - 30 * DAY, at + 30 * DAY)
    stretches = [each for place, event in enumerate(of.calendar.events) for each in _stretches(event, place, *around)]
    holding = [each for each in stretches if each.start <= at < each.end]
    return max(holding).person if holding else ""


ORG = "kind: org\npeople: {ana: {}, bo: {}}\nschedules: {primary: {zone: Europe/Berlin, ical: duty/on-call.ics}}\n"


def test_a_calendar_beside_the_organisation_is_part_of_its_version(tmp_path: Path) -> None:
    (tmp_path / "duty").mkdir()
    (tmp_path / "org.yaml").write_text(ORG)
    (missing,) = policies([tmp_path]).problems
    assert (missing.position.line, "on-call.ics is not there" in missing.message) == (3, True)
    before = stamp([tmp_path])
    (tmp_path / "duty" / "on-call.ics").write_text(text(f"{ONCE};;SUMMARY:ana"))
    assert stamp([tmp_path]) != before
    loaded = policies([tmp_path])
    assert loaded.problems == ()
    at = local("2026-01-05 10:00")
    assert on_call(loaded.organisation.schedules["primary"], at).person == "ana"
    assert "duty/on-call.ics" in loaded.documents
    stored = stored_policies(loaded.documents, "policies")
    assert stored.problems == ()
    assert on_call(stored.organisation.schedules["primary"], at).person == "ana"
    (tmp_path / "duty" / "on-call.ics").write_text(text(f"{ONCE};;SUMMARY:zed"))
    (problem,) = policies([tmp_path]).problems
    assert (problem.position.file.endswith("duty/on-call.ics"), problem.position.line) == (True, 4)


@pytest.mark.parametrize("named", ["../secret.ics", "/etc/passwd", "/etc/x.ics", "on-call.txt", "a/../../b.ics"])
def test_a_calendar_lies_beside_the_organisation(tmp_path: Path, named: str) -> None:
    (tmp_path / "org.yaml").write_text(ORG.replace("duty/on-call.ics", named))
    assert any("lies beside org.yaml" in each.message for each in policies([tmp_path]).problems)
