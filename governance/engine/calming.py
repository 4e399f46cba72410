"""The end of an incident's quiet: who was kept from news of one that flapped is told how it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from governance.core.decision import Decision
from governance.core.effect import Effect
from governance.core.flapping import FLAPPING
from governance.core.incident import Incident
from governance.core.quiet import withheld
from governance.core.silence import Silence
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import damped, decision_log, effects, incidents, silences


def calm(engine: Engine, at: datetime) -> int:
    """Tell the final state of each incident whose quiet is over, and return how many there were."""
    with engine.database.read() as connection:
        if not damped.over(connection, at):
            return 0
    with engine.database.transaction() as connection:
        muted = silences.holding(connection, at)
        done = damped.over(connection, at)
        for number in done:
            incident = incidents.get(connection, number)
            told = list(_final(incident, effects.of_incident(connection, number), muted, at))
            effects.add(connection, told)
            kept = [entries.of_delivery(each, at) for each in told if each.state == "withheld"]
            decision_log.append(connection, [_entry(incident, told, at), *kept])
            damped.remove(connection, number)
    decision_log.seal(engine.database, at)
    return len(done)


def _final(incident: Incident, known: Sequence[Effect], muted: Sequence[Silence], at: datetime) -> Iterator[Effect]:
    """Yield, for each notifier that missed something, the newest of it: that is how the incident stands."""
    newest = {each.notifier: each for each in sorted(known, key=attrgetter("version", "key")) if not each.level}
    why, silence = withheld(incident, muted, at) if incident.status != "resolved" else ("", "")
    for effect in newest.values():
        if effect.silence == FLAPPING:
            yield replace(
                effect,
                key=f"{effect.key}-calm",
                state="withheld" if why else "due",
                next_at=None if why else at,
                receipt=why,
                silence=silence,
            )


def _entry(incident: Incident, told: Sequence[Effect], at: datetime) -> Decision:
    body = {
        "status": incident.status,
        "severity": incident.severity,
        "title": incident.title,
        "fired_again": len(incident.flips),
        "told": [each.notifier for each in told if each.state == "due"],
    }
    identity = entries.identity("incident.settled", str(incident.id), str(incident.version), at.isoformat())
    return Decision(at, "incident.settled", entries.ENGINE, entries.subject_of(incident), body, identity)
