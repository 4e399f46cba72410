"""The canary's way: its rule trips, its incident is told and ends, and that is told too; or the engine says it did not.

What has come of it is read from the incident and its deliveries, so that a restart neither repeats nor forgets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alive import CANARY, Canary
from governance.core.decision import Decision
from governance.core.duration import format_duration
from governance.core.effect import Effect
from governance.engine import entries
from governance.engine.grouping import CANARY_GROUP
from governance.engine.parts import Engine
from governance.store import decision_log, effects, incidents, progress

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Way:
    """How far the canary has come since it was `due`: its incident (0: none yet), and what is `missing`, if anything.

    `trips` tells whether its metric is to be bad now.
    """

    due: datetime
    incident: int
    missing: str
    trips: bool


def way(connection: Connection, canary: Canary, at: datetime) -> Way:
    """Return how far the canary has come in the stretch of time that `at` lies in."""
    due = canary.due(at)
    last = incidents.latest(connection, [CANARY_GROUP]).get(CANARY_GROUP)
    if last is None or last.opened_at < due:
        return Way(due, 0, "its rule has not tripped", trips=True)
    deliveries = effects.of_incident(connection, last.id)
    told = [each for each in deliveries if each.message.reason != "resolved"]
    missing = _untold(canary, told, "its incident")
    late = at - last.opened_at > canary.within  # it ends all the same: nobody should have to end it
    if last.status != "resolved":
        return Way(due, last.id, missing or "its incident has not ended", trips=bool(missing) and not late)
    ended = [each for each in deliveries if each.message.reason == "resolved"]
    return Way(due, last.id, missing or _untold(canary, ended, "the end of its incident"), trips=False)


def _untold(canary: Canary, deliveries: list[Effect], what: str) -> str:
    """Return what a notifier was not told, and the notifier's words."""
    for name in canary.notifiers:
        own = [each for each in deliveries if each.notifier == name]
        if not any(each.state == "sent" for each in own):
            said = f" ({own[-1].receipt})" if own and own[-1].receipt else ""
            return f"{name} was not told of {what}{said}"
    return ""


def watch(engine: Engine, at: datetime) -> None:
    """Look how far the canary has come, record its proof once, and note in the engine's standing when it is late."""
    canary = engine.organisation.canary
    if canary is None:
        engine.standing.canary = ""
        return
    with engine.database.read() as connection:
        found = way(connection, canary, at)
        seen, proved = progress.last(connection, progress.CANARY_DUE), progress.last(connection, progress.CANARY)
        back = progress.last(connection, progress.BACK)
    if not found.missing:
        engine.standing.canary = ""
        if proved is None or proved < found.due:
            _prove(engine, canary, found, at)
        return
    if seen is None or seen < found.due or seen > at:
        with engine.database.transaction() as connection:
            progress.set_last(connection, progress.CANARY_DUE, at)
        return
    since = max(each for each in (seen, back) if each is not None and each <= at)
    if at - since > canary.within:
        limit = format_duration(canary.within)
        engine.standing.canary = f"{found.missing}, {limit} after it was due at {found.due:%Y-%m-%d %H:%M}Z"


def _prove(engine: Engine, canary: Canary, found: Way, at: datetime) -> None:
    subject = {"model": CANARY, "incident": str(found.incident)}
    body = {"due": found.due, "notifiers": list(canary.notifiers)}
    identity = entries.identity("canary.proved", found.due.isoformat(), str(found.incident))
    with engine.database.transaction() as connection:
        progress.set_last(connection, progress.CANARY, at)
        if not decision_log.holds(connection, identity):
            decision_log.append(connection, [Decision(at, "canary.proved", entries.ENGINE, subject, body, identity)])
