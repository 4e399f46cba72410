"""What flaps is told ever more rarely: when the quiet begins, how long it lasts, and what gets through all the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.core.alert import AlertKey, Change
from governance.core.answer import resolved
from governance.core.document import Severity
from governance.core.flapping import AFTER, LONGEST, damp, damped, quiet
from governance.core.incident import Incident, IncidentChange, Told, gather
from governance.core.quiet import untold, withheld

START = datetime(2026, 1, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def tell(before: Incident | None, change: Change, at: datetime, severity: Severity = "warning") -> IncidentChange:
    """Tell an incident of its one finding, as a cycle does."""
    told = Told(AlertKey("m", "high"), change, at, severity, "x is high", {})
    found = gather(before, [told], at, group="m", next_id=1, reopen_within=timedelta(hours=1))
    assert found is not None
    return damp(before, found, at)


def flapped(times: int) -> IncidentChange:
    """Return an incident that fired again so many times, ten minutes apart."""
    change = tell(None, "firing", START)
    for n in range(times):
        at = START + (2 * n + 1) * 5 * MINUTE
        change = tell(tell(change.incident, "resolved", at).incident, "firing", at + 5 * MINUTE)
    return change


def test_the_third_time_is_told_and_quiet_follows() -> None:
    change = flapped(AFTER)
    at = change.incident.changed_at
    assert untold(change, (), at) == ("", "")
    over = tell(change.incident, "resolved", at + MINUTE)
    said, by = untold(over, (), at + MINUTE)
    assert said == "flapping (fired again 3 times within 6h): how it stands is told at 2026-01-05 00:45 UTC"
    assert by == "flapping"
    assert withheld(over.incident, (), at + quiet(AFTER)) == ("", "")


def test_two_times_are_told() -> None:
    change = flapped(AFTER - 1)
    assert damped(change.incident, change.incident.changed_at + MINUTE) == ""


def test_what_is_worse_gets_through_and_a_person_too() -> None:
    change = flapped(AFTER)
    at = change.incident.changed_at + MINUTE
    assert untold(tell(change.incident, "worsened", at, "critical"), (), at) == ("", "")
    over = tell(change.incident, "resolved", at).incident
    assert untold(tell(over, "firing", at + MINUTE, "critical"), (), at + MINUTE) == ("", "")
    assert untold(IncidentChange(resolved(change.incident, "ana", at), "resolved"), (), at) == ("", "")


def test_a_finding_that_fires_again_while_others_do_counts_likewise() -> None:
    one = tell(None, "firing", START).incident
    other = Told(AlertKey("m", "low"), "firing", START, "warning", "y is low", {})
    found = gather(one, [other], START, group="m", next_id=1, reopen_within=timedelta(hours=1))
    assert found is not None
    change = damp(one, found, START)
    assert change.incident.flips == ()
    for n in range(AFTER):
        at = START + (n + 1) * 2 * MINUTE
        change = tell(tell(change.incident, "resolved", at).incident, "firing", at + MINUTE)
    assert len(change.incident.flips) == AFTER
    assert damped(change.incident, change.incident.changed_at + MINUTE)


def test_what_fired_long_ago_counts_no_more() -> None:
    incident = flapped(AFTER).incident
    later = replace(incident, flips=tuple(each - timedelta(hours=6) for each in incident.flips), damped_until=None)
    at = incident.changed_at + 30 * MINUTE
    again = tell(tell(later, "resolved", at).incident, "firing", at + MINUTE)
    assert again.incident.flips == (at + MINUTE,)


@pytest.mark.parametrize(("times", "minutes"), [(3, 15), (4, 30), (5, 60), (6, 120), (7, 240), (8, 240), (1000, 240)])
def test_quiet_doubles_up_to_four_hours(times: int, minutes: int) -> None:
    assert quiet(times) == minutes * MINUTE <= LONGEST
