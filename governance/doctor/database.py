"""Is the database there, laid out for this program, writable, and does it guard what was written?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.errors import Unavailable
from governance.store.condition import Condition, condition
from governance.store.database import Database
from governance.store.heads_file import refuse_lost


def check(here: Installation) -> Iterator[Finding]:
    """Say how the database is."""
    file = here.settings.database_file
    refuse_lost(file)
    if here.database is None:
        yield open_("database", "file", f"none at {file}", "gov serve makes it; or name its place by GOV_HOME or -C")
        return
    here.database.check_layout()
    found = condition(here.database)
    if not found.layout:
        yield wrong("database", "file", f"{file} is empty", "gov serve lays it out")
        return
    yield well("database", "file", f"{file}, layout {found.layout}")
    yield _journal(found)
    yield _guards(found)
    yield _writable(here)


def _journal(found: Condition) -> Finding:
    seen = f"journal {found.journal}, synchronous {found.synchronous}"
    if found.journal == "wal" and found.synchronous in ("full", "extra"):
        return well("database", "durability", f"{seen}: what was answered survives a power cut")
    return wrong(
        "database", "durability", seen, "stop what else opens the file; gov serve sets wal and full at its start"
    )


def _guards(found: Condition) -> Finding:
    if not found.unguarded:
        return well("database", "append-only", "every trigger that refuses to change the log is in place")
    said = f"missing or altered: {', '.join(found.unguarded)}"
    return wrong(
        "database", "append-only", said, "find out who dropped them; gov serve puts them back, gov audit verify"
    )


def _writable(here: Installation) -> Finding:
    writer = Database(here.settings.database)
    try:
        with writer.transaction():
            pass
    except Unavailable as error:
        return wrong("database", "writable", str(error), "run as the user of gov serve, and mend what it says")
    finally:
        writer.close()
    return well("database", "writable", "the lock could be taken")
