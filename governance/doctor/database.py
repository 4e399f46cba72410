"""Is the database there, laid out for this program, writable, and does it guard what was written?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from governance.bootstrap import database_of
from governance.core.duration import in_words
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.errors import Unavailable
from governance.store import lease
from governance.store.condition import Condition, condition
from governance.store.database import Database
from governance.store.heads_file import refuse_lost


def check(here: Installation) -> Iterator[Finding]:
    """Say how the database is."""
    asked = database_of(here.settings)
    try:
        yield from _checked(here, asked)
    finally:
        asked.close()


def _checked(here: Installation, asked: Database) -> Iterator[Finding]:
    what = "file" if asked.path is not None else "server"
    refuse_lost(asked)
    if not asked.exists() or here.database is None:
        yield open_(
            "database", what, f"none at {asked.place}", "gov serve makes it; or name its place by GOV_HOME or -C"
        )
        return
    here.database.check_layout()
    found = condition(here.database)
    if not found.layout:
        yield wrong("database", what, f"{asked.place} is empty", "gov serve lays it out")
        return
    yield well("database", what, f"{asked.place}, layout {found.layout}")
    yield _durable(found, asked)
    yield _guards(found)
    if found.changeable:
        yield _owned(found)
    yield _writable(asked)
    if asked.path is None:  # who serves from a file holds the lock of its home
        yield from _led(here.database)


def _durable(found: Condition, asked: Database) -> Finding:
    if found.durable:
        return well("database", "durability", f"{found.commits}: what was answered survives a power cut")
    mend = "stop what else opens the file; gov serve sets wal and full at its start"
    do = mend if asked.path is not None else "have the server's settings say on: else the log may lose its end"
    return wrong("database", "durability", found.commits, do)


def _guards(found: Condition) -> Finding:
    if not found.unguarded:
        return well("database", "append-only", "every trigger that refuses to change the log is in place")
    said = f"missing or altered: {', '.join(found.unguarded)}"
    return wrong(
        "database", "append-only", said, "find out who dropped them; gov serve puts them back, gov audit verify"
    )


def _owned(found: Condition) -> Finding:
    said = f"this user may change {', '.join(found.changeable)}, or drop what refuses it"
    return open_("database", "role", said, "give these tables to a role that nobody logs in as (docs/postgresql.md)")


def _writable(asked: Database) -> Finding:
    try:
        with asked.transaction():
            pass
    except Unavailable as error:
        return wrong("database", "writable", str(error), "run as the user of gov serve, and mend what it says")
    return well("database", "writable", "the lock could be taken")


def _led(database: Database) -> Iterator[Finding]:
    held = lease.leader(database)
    if held is None:
        return
    said = f"{held.lease.who}, epoch {held.lease.epoch}"
    if held.left:
        yield well("database", "leader", f"{said}, for {in_words(timedelta(seconds=held.left))} more unless it goes on")
    else:
        yield open_("database", "leader", f"none; the last one was {said}", "start gov serve")
