"""Was everything told that was to be told?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from governance.core.duration import format_duration
from governance.doctor.finding import Finding, well, wrong
from governance.doctor.installation import Installation
from governance.store import effects

PATIENCE = timedelta(minutes=5)
"""How long a notification may wait for its notifier."""


def check(here: Installation) -> Iterator[Finding]:
    """Say which notifications were given up, and which wait for long."""
    if here.database is None:
        return
    with here.database.read() as connection:
        dead = effects.dead(connection)
        waiting = [each for each in effects.pending(connection) if here.at - each.message.at > PATIENCE]
    if dead:
        last = dead[-1]
        said = f"{len(dead)}, the newest to {last.notifier} about INC-{last.incident}: {last.receipt}"
        yield wrong("deliveries", "given up", said, "gov notifications list says which; mend it, then retry them")
    else:
        yield well("deliveries", "given up", "none")
    if not waiting:
        yield well("deliveries", "waiting", f"none for longer than {format_duration(PATIENCE)}")
    for name in sorted({each.notifier for each in waiting}):
        oldest = min((each for each in waiting if each.notifier == name), key=lambda each: each.message.at)
        count = sum(each.notifier == name for each in waiting)
        said = f"{count} for {name} since {oldest.message.at:%Y-%m-%d %H:%M}Z (INC-{oldest.incident}): {oldest.receipt}"
        yield wrong("deliveries", "waiting", said, "mend the notifier; they are tried again by themselves")
