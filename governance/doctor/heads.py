"""Are the heads of the log published outside of the database, up to its end?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.store import decision_log


def check(here: Installation) -> Iterator[Finding]:
    """Compare the last head in the file beside the database with the log's own."""
    if here.database is None:
        return
    published, head = decision_log.published_heads(here.database), decision_log.head(here.database)
    if published is None or head is None:
        yield open_("heads", "published", "the log has no entry yet", "")
        return
    last = published.last()[0] if published.path.exists() else None
    if last is None:
        said = f"{published.path} holds none, so that a rewritten past or a cut tail would not show"
        yield wrong("heads", "published", said, "put the file back from its copy; gov serve begins a new one")
    elif last.size < head.size:
        said = f"{published.path} ends at {last.size} entries, the log has {head.size}"
        yield wrong("heads", "published", said, "may the user of gov serve write that file? Is the disk full?")
    else:
        said = f"{last.size} entries, {last.at:%Y-%m-%d %H:%M}Z in {published.path}"
        yield well("heads", "published", f"{said}; keep a copy where the database's owner cannot change it")
