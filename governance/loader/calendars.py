"""Read an on-call calendar (iCalendar, RFC 5545): who is on duty when, every problem at the line of its event.

Time zones are those of the IANA database, named by TZID; the definitions that a file brings (VTIMEZONE) are passed
over, and what repeats more often than daily is refused: no file keeps the engine busy.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from governance.core.calendar import Calendar, Event
from governance.core.organisation import Person
from governance.core.problem import Position, Problem
from governance.core.recurrence import Recurrence
from governance.core.suggestion import closest

MOST_EVENTS, MOST_RULES = 5000, 200
SHOWN = 20
"""Problems of one file that are shown."""
_FIRST, _LONGEST = datetime(2000, 1, 1), timedelta(days=400)  # noqa: DTZ001 (by the wall clock of each event)
_SOON = timedelta(days=9 * 366)
"""Within which a rule must come true: a leap day may be eight years away."""
_PARTS = frozenset(
    (
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "BYDAY",
        "BYMONTH",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYSETPOS",
        "WKST",
    )
)
_FREQUENCIES = frozenset(("DAILY", "WEEKLY", "MONTHLY", "YEARLY"))
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST = 10_000
_WORD = re.compile(r"[\w.+@-]+")
_HOLE = "X-GOV-HOLE"
"""Marks an event of our own calendars that says that nobody is on call; see exchange/export/duties.py."""


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one event, and the number of the first."""

    line: int
    lines: tuple[str, ...]


class _Wrong(Exception):
    """What is wrong with an event."""


@dataclass(slots=True)
class _Read:
    """Events by UID: the rule's own, and which of its instants other events take the place of."""

    events: list[tuple[str, list[Event]]] = field(default_factory=list)
    replaced: dict[str, set[datetime]] = field(default_factory=lambda: defaultdict(set))
    rules: int = 0

    def calendar(self) -> Calendar:
        found = (
            replace(each, but=each.but | self.replaced[uid]) if each.rule and uid in self.replaced else each
            for uid, events in self.events
            for each in events
        )
        return Calendar(tuple(found))


def read_calendar(
    text: str, file: str, zone: str, people: Mapping[str, Person]
) -> tuple[Calendar, tuple[Problem, ...]]:
    """Return the calendar of a file and what is wrong with it; `zone` is that of times without one."""
    problems: list[Problem] = []
    read = _Read()
    reader = _Reader(ZoneInfo(zone), people, read)

    def say(line: int, message: str, source: str = "") -> None:
        problems.append(
            Problem(Position(file, line, 1, max(len(source.rstrip()), 1)), "bad-calendar", message, source=source)
        )

    lines = text.splitlines()
    head = next((each.strip().upper() for each in lines if each.strip()), "")
    if head.lstrip("\ufeff") != "BEGIN:VCALENDAR":
        say(1, "no calendar: an iCalendar file begins with BEGIN:VCALENDAR", lines[0] if lines else "")
        return Calendar(()), tuple(problems)
    for number, block in enumerate(_blocks(lines, say)):
        if number >= MOST_EVENTS:
            say(block.line, f"more than {MOST_EVENTS} events; leave out those that are long over", block.lines[0])
            break
        try:
            reader.take(block)
        except _Wrong as error:
            say(block.line, str(error), block.lines[0])
        if len(problems) >= SHOWN:
            break
    return read.calendar(), tuple(problems)


def _blocks(lines: list[str], say: Any) -> Iterator[_Block]:
    """Yield the events of a file, and say which are not closed."""
    begun = -1
    for number, line in enumerate(lines):
        word = line.strip().upper()
        if word == "BEGIN:VEVENT":
            if begun >= 0:
                say(begun + 1, "this event has no END:VEVENT", lines[begun])
            begun = number
        elif word == "END:VEVENT" and begun >= 0:
            yield _Block(begun + 1, tuple(lines[begun : number + 1]))
            begun = -1
    if begun >= 0:
        say(begun + 1, "this event has no END:VEVENT; was the file cut off?", lines[begun])


@dataclass(slots=True)
class _Reader:
    """Reads events one after the other."""

    zone: ZoneInfo
    people: Mapping[str, Person]
    read: _Read

    def take(self, block: _Block) -> None:
        """Read one event.

        :raises _Wrong: saying what is wrong with it.
        """
        found = _parsed(block)
        if _HOLE in found:
            return
        uid, instance = str(found.get("UID", "")), found.get("RECURRENCE-ID")
        if instance is not None:
            if "RANGE" in instance.params:
                raise _Wrong("RECURRENCE-ID with RANGE is not understood; end the rule and write a new event")
            start, zone = self._wall(instance, instance.dt)
            self.read.replaced[uid].add(start.replace(tzinfo=zone).astimezone(UTC))
        if str(found.get("STATUS", "")).upper() != "CANCELLED":
            self.read.events.append((uid, list(self._events(found))))

    def _events(self, found: Any) -> Iterator[Event]:
        if "DTSTART" not in found:
            raise _Wrong("DTSTART is missing: when does it begin?")
        if "EXRULE" in found:
            raise _Wrong("EXRULE is not understood; write EXDATE")
        start, zone = self._wall(found["DTSTART"], found["DTSTART"].dt)
        length, nominal = self._length(found, start, zone)
        rule = _rule(found.get("RRULE"), start, zone)
        if rule:
            self.read.rules += 1
            if self.read.rules > MOST_RULES:
                raise _Wrong(f"more than {MOST_RULES} events repeat; leave out those that are over")
            if start < _FIRST:
                raise _Wrong(f"an event that repeats begins in {_FIRST.year} or later, not {start.year}")
        but, days = self._exceptions(found.get("EXDATE"))
        whole = Event(_person(found, self.people), zone, start, length, nominal, rule, but, days)
        yield whole
        yield from self._additions(found.get("RDATE"), whole)

    def _wall(self, prop: Any, value: Any) -> tuple[datetime, ZoneInfo]:
        """Return a time by the wall clock, and of which zone that is."""
        if not isinstance(value, datetime):
            if not isinstance(value, date):
                raise _Wrong(f"{value!r} is no time")
            return datetime.combine(value, time()), self.zone
        if value.tzinfo is None:
            named = str(prop.params.get("TZID", ""))
            if named:
                raise _Wrong(f"no time zone {named!r}; zones are named like Europe/Berlin")
            return value, self.zone
        if isinstance(value.tzinfo, ZoneInfo):
            return value.replace(tzinfo=None), value.tzinfo
        return value.astimezone(UTC).replace(tzinfo=None), ZoneInfo("UTC")

    def _length(self, found: Any, start: datetime, zone: ZoneInfo) -> tuple[timedelta, bool]:
        """Return how long an event lasts, and whether that is by the wall clock."""
        if "DTEND" in found:
            end, other = self._wall(found["DTEND"], found["DTEND"].dt)
            if other.key != zone.key:
                end = end.replace(tzinfo=other).astimezone(zone).replace(tzinfo=None)
            length, nominal = end - start, True
        elif "DURATION" in found:
            length = found["DURATION"].dt
            nominal = not length % timedelta(days=1)
        elif isinstance(found["DTSTART"].dt, datetime):
            raise _Wrong("DTEND is missing: when does it end?")
        else:
            length, nominal = timedelta(days=1), True
        if not timedelta(0) < length <= _LONGEST:
            raise _Wrong(f"an event ends after it begins, and within {_LONGEST.days} days")
        return length, nominal

    def _exceptions(self, prop: Any) -> tuple[frozenset[datetime], frozenset[date]]:
        instants, days = set(), set()
        for each in _listed(prop):
            if isinstance(each.dt, datetime):
                start, zone = self._wall(each, each.dt)
                instants.add(start.replace(tzinfo=zone).astimezone(UTC))
            elif isinstance(each.dt, date):
                days.add(each.dt)
        return frozenset(instants), frozenset(days)

    def _additions(self, prop: Any, whole: Event) -> Iterator[Event]:
        for each in _listed(prop):
            value, length, nominal = each.dt, whole.length, whole.nominal
            if isinstance(value, tuple):
                value, end = value
                length, nominal = (end if isinstance(end, timedelta) else end - value), False
            if not timedelta(0) < length <= _LONGEST:
                raise _Wrong(f"RDATE: a period ends after it begins, and within {_LONGEST.days} days")
            start, zone = self._wall(each, value)
            if not isinstance(value, datetime):
                start, zone = datetime.combine(value, whole.start.time()), whole.zone
            yield replace(whole, start=start, zone=zone, length=length, nominal=nominal, rule=None)


def _parsed(block: _Block) -> Any:
    from icalendar import Event as Component  # heavy, and only needed where there is a calendar

    try:
        found = Component.from_ical("\r\n".join(block.lines) + "\r\n")
    except Exception as error:
        raise _Wrong(f"cannot be read: {error}".splitlines()[0]) from error
    known = ("DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
    wrong = [(name, said) for name, said in found.errors if name is None or name in known]
    if wrong:
        raise _Wrong(f"{wrong[0][0] or 'cannot be read'}: {wrong[0][1]}".splitlines()[0])
    twice = [name for name in ("DTSTART", "DTEND", "DURATION", "RRULE", "UID") if isinstance(found.get(name), list)]
    if twice:
        raise _Wrong(f"{twice[0]} is written twice")
    return found


def _listed(prop: Any) -> Iterator[Any]:
    """Yield the values of EXDATE or RDATE, which may be written several times."""
    for each in prop if isinstance(prop, list) else [prop]:
        if each is not None:
            for value in each.dts:
                value.params.update({"TZID": each.params["TZID"]} if "TZID" in each.params else {})
                yield value


def _rule(rule: Any, start: datetime, zone: ZoneInfo) -> Recurrence | None:
    """Return how an event repeats, None when it does not.

    :raises _Wrong: for what is not understood, or never comes true.
    """
    if rule is None:
        return None
    other = sorted(set(rule) - _PARTS)
    if other:
        raise _Wrong(f"RRULE: {other[0]} is not understood; known: {', '.join(sorted(_PARTS))}")
    frequency = str(next(iter(rule.get("FREQ", [])), "")).upper()
    if frequency not in _FREQUENCIES:
        raise _Wrong(f"RRULE: a duty repeats DAILY, WEEKLY, MONTHLY or YEARLY, not {frequency or 'without FREQ'}")
    interval, count = _number(rule, "INTERVAL"), _number(rule, "COUNT")
    ends = [_until(each, zone) for each in rule.get("UNTIL", [])]
    made = Recurrence(
        every=frequency,  # type: ignore[arg-type]  # looked up above
        interval=interval or 1,
        count=count,
        until=ends[0] if ends else None,
        months=frozenset(int(each) for each in rule.get("BYMONTH", [])),
        month_days=frozenset(int(each) for each in rule.get("BYMONTHDAY", [])),
        weekdays=frozenset(map(_weekday, rule.get("BYDAY", []))),
        positions=tuple(int(each) for each in rule.get("BYSETPOS", [])),
        week_start=_weekday(next(iter(rule.get("WKST", ["MO"]))))[1],
    )
    if next(made.times(start, start, start + _SOON), None) is None:
        raise _Wrong("RRULE: it never comes true")
    return made


def _number(rule: Any, name: str) -> int | None:
    found = [int(each) for each in rule.get(name, [])]
    if any(not 1 <= each <= _MOST for each in found):
        raise _Wrong(f"RRULE: {name} lies between 1 and {_MOST}")
    return found[0] if found else None


def _weekday(text: Any) -> tuple[int, int]:
    number, day = str(text)[:-2], str(text)[-2:].upper()
    return int(number or 0), _DAYS.index(day)


def _until(value: date | datetime, zone: ZoneInfo) -> datetime:
    """Return the end of a rule by the wall clock of its event."""
    if not isinstance(value, datetime):
        return datetime.combine(value, time(23, 59, 59))
    return value.astimezone(zone).replace(tzinfo=None) if value.tzinfo is not None else value


def _person(found: Any, people: Mapping[str, Person]) -> str:
    """Return whose duty an event is: who attends, by e-mail, or else who is named in the summary.

    :raises _Wrong: when that is nobody, or several.
    """
    emails = {each.email.lower(): name for name, each in people.items() if each.email}
    attending = found.get("ATTENDEE", [])
    listed = attending if isinstance(attending, list) else [attending]
    coming = [each for each in listed if str(each.params.get("PARTSTAT", "")).upper() != "DECLINED"]
    addresses = [re.sub("^mailto:", "", str(each), flags=re.IGNORECASE).lower() for each in coming]
    named = {emails[each] for each in addresses if each in emails}
    if not named:
        ids = {each.lower(): each for each in people}
        words = [each.strip(".").lower() for each in _WORD.findall(str(found.get("SUMMARY", "")))]
        named = {each for word in words if (each := ids.get(word) or emails.get(word, ""))}
    if len(named) == 1:
        return next(iter(named))
    said = str(found.get("SUMMARY", ""))[:60]
    if named:
        raise _Wrong(f"{said!r} is the duty of several: {', '.join(sorted(named))}; write an event for each")
    hint = closest(said.split()[-1], people) if said.split() else ""
    message = f"{said!r} names nobody of `people`; write the id or e-mail of one as SUMMARY or ATTENDEE"
    raise _Wrong(f"{message}{f'; {hint}' if hint else ''}")
