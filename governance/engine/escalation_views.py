"""The escalations of incidents as they are now, also between two beats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.escalation import Escalation, followed
from governance.core.incident import Incident
from governance.core.responders import found
from governance.engine.escalation_levels import levels
from governance.engine.parts import Engine
from governance.store import effects, escalations
from governance.views import EscalationView

if TYPE_CHECKING:
    from sqlalchemy import Connection


def escalation_views(
    connection: Connection, engine: Engine, shown: Sequence[Incident], at: datetime
) -> dict[int, EscalationView]:
    """Return the escalations of incidents that have one, by number, without their levels."""
    known = escalations.of_incidents(connection, [each.id for each in shown])
    clocks = {each.id: known.get(each.id) for each in shown}
    return {
        each.id: _view(engine, followed(clock, each, at), at)
        for each in shown
        if (clock := clocks[each.id]) is not None
    }


def escalation_view(connection: Connection, engine: Engine, incident: Incident, at: datetime) -> EscalationView | None:
    """Return the escalation of an incident with every level, None where it has none."""
    clock = escalations.of_incidents(connection, [incident.id]).get(incident.id)
    if clock is None:
        return None
    now = followed(clock, incident, at)
    told = levels(engine, now, incident, effects.of_incident(connection, incident.id), at)
    return _view(engine, now, at).model_copy(update={"levels": told})


def _view(engine: Engine, clock: Escalation, at: datetime) -> EscalationView:
    policy = clock.policy
    return EscalationView(
        policy=clock.name,
        level=clock.level,
        last_level=len(policy.levels) + bool(policy.fallback),
        loop=clock.loop,
        loops=policy.repeat,
        next_at=clock.next_at if not clock.halt else None,
        next_to=_next(engine, clock, at),
        state=clock.state,
        told=list(clock.told),
        since=clock.since,
        comes_back_at=clock.next_at if clock.halt == "answered" else None,
        waits_for=clock.hushed,
    )


def _next(engine: Engine, clock: Escalation, at: datetime) -> list[str]:
    """Return who is told next, by the time at which they are."""
    if clock.following is None or clock.next_at is None or clock.halt:
        return []
    whom = found(clock.targets(clock.following[0]), engine.organisation, max(clock.next_at, at))
    return [each.person for each in whom.people] + list(whom.notifiers)
