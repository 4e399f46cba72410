"""Tell who comes on call, and who goes, that it is so and which incidents are open: once for each hand-over."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.decision import Decision
from governance.core.effect import Effect, Message
from governance.core.incident import Incident
from governance.core.on_call import on_call
from governance.core.responders import contact
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.ports import reaches
from governance.store import decision_log, duties, effects, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection


def hand_over(engine: Engine, now: datetime) -> None:
    """Notice who came on call since the last look; a schedule that is new has only begun."""
    present = {name: on_call(each, now).person for name, each in engine.organisation.schedules.items()}
    with engine.database.read() as connection:
        if duties.known(connection) == present:
            return
    with engine.database.transaction() as connection:
        before = duties.known(connection)
        duties.save(connection, present)
        for name, comes in present.items():
            if name in before and before[name] != comes:
                _tell(connection, engine, name, before[name], comes, now)
    decision_log.seal(engine.database, now)


def _tell(connection: Connection, engine: Engine, schedule: str, goes: str, comes: str, at: datetime) -> None:
    people = engine.organisation.people
    to = tuple(contact(each, engine.organisation) for each in (comes, goes) if each in people)
    left = [each for each in incidents.listed(connection, status="open") if _pages(engine, each, schedule)]
    lines = tuple(f"INC-{each.id} {each.severity}, {each.status}, {each.model}: {each.title}" for each in left)
    message = Message(0, "", "info", "", _title(schedule, goes, comes, len(left)), "handover", lines, (), at)
    for name, notifier in engine.notifiers.items():
        if to and "people" in reaches(notifier):
            key = f"handover-{schedule}-{at:%Y%m%dT%H%M%S}-{name}"
            rule = f"hand-over of {schedule}"
            effects.add(connection, [Effect(key, 0, 0, name, message, next_at=at, to=to, rule=rule)])
    body = {"from": goes, "to": comes, "open": [each.id for each in left]}
    identity = entries.identity("handover", schedule, at.isoformat(), goes, comes)
    decision_log.append(
        connection, [Decision(at, "oncall.handed_over", entries.ENGINE, {"schedule": schedule}, body, identity)]
    )


def _pages(engine: Engine, incident: Incident, schedule: str) -> bool:
    """Tell whether an incident is one for which a schedule wakes somebody."""
    card = card_of(engine, incident.model)
    name = card.owners.escalation if card is not None else None
    policy = engine.organisation.escalations.get(name) if name else None
    return policy is not None and schedule in policy.names("schedule")


def _title(schedule: str, goes: str, comes: str, count: int) -> str:
    who = comes or "nobody"
    instead = f" instead of {goes}" if goes else ""
    left = "no incident is open" if not count else f"{count} incident{'s are' if count > 1 else ' is'} open"
    return f"{who} is on call by {schedule} now{instead}; {left}"
