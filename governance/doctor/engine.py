"""Does an engine run here, and does it judge in time?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from governance.core.duration import format_duration
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.store import progress

LATE = 3
"""Intervals after which a cycle that did not come is too late."""
_LEAST = timedelta(seconds=10)


def check(here: Installation) -> Iterator[Finding]:
    """Say how long ago the last cycle was complete."""
    if here.database is None:
        return
    with here.database.read() as connection:
        last, unsound = progress.last(connection, progress.CYCLE), progress.last(connection, progress.UNSOUND)
    every = here.organisation.cycle.every
    if last is None:
        yield open_("engine", "cycle", "none was completed yet", "start gov serve")
    elif here.at - last > max(LATE * every, _LEAST):
        said = f"the last complete one is of {last:%Y-%m-%d %H:%M:%S}Z; one is due every {format_duration(every)}"
        yield wrong("engine", "cycle", said, "start gov serve; if it runs, its output says what keeps it")
    else:
        yield well("engine", "cycle", f"the last complete one is of {last:%Y-%m-%d %H:%M:%S}Z")
    if unsound is not None:
        said = f"the engine found at {unsound:%Y-%m-%d %H:%M}Z that the log does not verify"
        yield wrong("engine", "log", said, "no model is restored until it is sound: gov audit verify")
