"""Does this machine's clock agree with the file system and with what was recorded, and does it know time zones?"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError

from governance.core.duration import in_words
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.store import decision_log, progress

SKEW = 5.0
"""Seconds by which two clocks may differ; less is the daily work of time servers."""
_SET = "set it by NTP (timedatectl, chrony)"


def check(here: Installation) -> Iterator[Finding]:
    """Compare the clocks that can be compared."""
    if here.settings.home.is_dir():
        yield _file_system(here)
    if here.database is not None:
        yield from _recorded(here)
    yield from _zones(here)


def _file_system(here: Installation) -> Finding:
    """Compare with the clock that stamps files: another machine's, where the home lies on a share."""
    try:
        with tempfile.NamedTemporaryFile(dir=here.settings.home, prefix=".doctor-") as file:
            before = time.time()
            file.write(b"x")
            file.flush()
            stamped = Path(file.name).stat().st_mtime
            after = time.time()
    except OSError as error:
        return wrong(
            "clock", "files", f"{here.settings.home}: {error.strerror}", "let the user of gov serve write there"
        )
    off = max(before - stamped, stamped - after, 0.0)
    if off > SKEW:
        said = in_words(timedelta(seconds=off))
        return wrong("clock", "files", f"the file system's clock is {said} off this machine's", _SET)
    return well("clock", "files", "the file system stamps files by the same clock")


def _recorded(here: Installation) -> Iterator[Finding]:
    """Compare with the newest things that were recorded: nothing of them may be yet to come."""
    assert here.database is not None  # noqa: S101 (the caller looked)
    with here.database.read() as connection:
        last = progress.last(connection, progress.CYCLE)
        steps = progress.era(connection)
    entries = decision_log.tail(here.database, 1)
    newest = max(filter(None, [last, *(each.decision.at for each in entries)]), default=None)
    if newest is not None and newest - here.at > timedelta(seconds=SKEW):
        ahead = in_words(newest - here.at)
        yield wrong("clock", "recorded", f"something was recorded {ahead} in the future", f"is the clock slow? {_SET}")
    else:
        yield well("clock", "recorded", "nothing was recorded in the future")
    if steps:
        yield open_("clock", "steps", f"the clock stepped {steps} times while the engine ran", _SET)


def _zones(here: Installation) -> Iterator[Finding]:
    zones = sorted({each.zone for each in here.organisation.schedules.values()})
    for name in zones:
        try:
            there: datetime = here.at.astimezone(ZoneInfo(name))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            yield wrong("clock", "time zones", f"no data of {name}", "install tzdata")
            continue
        yield well("clock", "time zones", f"{name}: {there:%a %H:%M %Z}")
    if not zones:
        yield well("clock", "time zones", f"from {_origin()}")


def _origin() -> str:
    if TZPATH:
        return "the system"
    try:
        return f"tzdata {version('tzdata')}"
    except PackageNotFoundError:
        return "nowhere"
