"""Does the decision log verify, and is all of it sealed?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from governance.doctor.finding import Finding, well, wrong
from governance.doctor.installation import Installation
from governance.store import decision_log

UNSEALED = timedelta(minutes=1)
_SHOWN = 3


def check(here: Installation) -> Iterator[Finding]:
    """Compute every hash again."""
    if here.database is None:
        return
    found = decision_log.verify(here.database)
    if found.ok:
        yield well("log", "sound", f"{found.size} entries, root {found.root[:16]}…")
    else:
        said = "; ".join(found.findings[:_SHOWN])
        yield wrong("log", "sound", said, "compare with a copy of the heads and a backup (gov audit verify)")
    oldest = decision_log.oldest_unsealed(here.database)
    if oldest is not None and here.at - oldest > UNSEALED:
        said = f"a decision of {oldest:%Y-%m-%d %H:%M:%S}Z waits for its seal"
        yield wrong("log", "sealed", said, "start gov serve, which seals it; its output says what keeps it from that")
    else:
        yield well("log", "sealed", "nothing waits for its seal")
