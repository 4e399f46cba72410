"""Would anybody notice if the engine were dead?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance import settings as environment
from governance.core.alive import Alive, Canary
from governance.doctor import reach
from governance.doctor.finding import Finding, open_, well, wrong
from governance.doctor.installation import Installation
from governance.store import progress

LATE = 5
"""Intervals after which a ping that did not come is too late."""
_NAME = "dead-man's-switch"
_NONE = "none, so a dead engine tells nobody"


def check(here: Installation) -> Iterator[Finding]:
    """Say what became of the last ping, and of the last canary."""
    proved = pinged = None
    if here.database is not None:
        with here.database.read() as connection:
            proved, pinged = (progress.last(connection, each) for each in (progress.CANARY, progress.PINGED))
    alive, canary = here.organisation.alive, here.organisation.canary
    if alive is None:
        yield open_("alive", _NAME, _NONE, "name one in org.yaml: alive (docs/alive.md)")
    else:
        yield from _switch(alive, pinged, here.at)
    if canary is None:
        yield open_("alive", "canary", "none proves that findings are told", "add one to org.yaml: canary")
    else:
        yield _canary(canary, proved, here.at)


def _switch(alive: Alive, pinged: datetime | None, at: datetime) -> Iterator[Finding]:
    if not alive.address and not environment.secret(alive.address_env):
        said = f"{alive.address_env} is not set here"
        yield wrong("alive", _NAME, said, "set it where gov serve runs, and in the shell of gov doctor")
        return
    where = reach.place(alive.model_dump())
    if where is not None and not reach.proxied(where[0], where[2]):
        refused = reach.refusal(where[0], where[1], loopback=alive.loopback)
        if refused:
            shown = where[0] if alive.address else "its host"
            yield wrong("alive", _NAME, f"{shown} is not reached: {refused}", "open the way, or mend the address")
    if pinged is None:
        yield open_("alive", _NAME, "it took no ping yet", "one comes after the first full cycle: /readyz says why not")
    elif at - pinged > max(LATE * alive.every, timedelta(minutes=1)):
        said = f"it took the last ping at {pinged:%Y-%m-%d %H:%M:%S}Z"
        yield wrong("alive", _NAME, said, "/readyz of gov serve says why it gets none (ping)")
    else:
        yield well("alive", _NAME, f"it took the last ping at {pinged:%Y-%m-%d %H:%M:%S}Z")


def _canary(canary: Canary, proved: datetime | None, at: datetime) -> Finding:
    due = canary.due(at)
    if proved is not None and proved >= due:
        return well("alive", "canary", f"it went the whole way at {proved:%Y-%m-%d %H:%M}Z")
    last = f"last at {proved:%Y-%m-%d %H:%M}Z" if proved is not None else "never yet"
    said = f"due since {due:%Y-%m-%d %H:%M}Z, it went the whole way {last}"
    if at - due <= canary.within:
        return open_("alive", "canary", said)
    return wrong(
        "alive", "canary", said, "the engine's incident canary-silent says which step is missing: gov incidents"
    )
