"""Tell who is next while nobody answers: at each beat, what became of incidents and which levels are due.

A level is decided on what the incident is at that moment, and written with its pages, its entry and the clock's next
time in one transaction: a beat that comes twice, late or after a crash tells no level twice and leaves none out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.digest import BURST, waiting
from governance.core.duration import format_duration
from governance.core.effect import Contact, Effect, message_of
from governance.core.escalation import Escalation, Rung, begun, climbed, come_back, due, followed, put_off
from governance.core.incident import Incident
from governance.core.quiet import withheld
from governance.core.responders import Found, found, pages, unheard
from governance.core.silence import Silence
from governance.engine import entries, unmanned
from governance.engine.parts import Engine
from governance.engine.permission import card_of, permit
from governance.errors import Conflict
from governance.ports import reaches
from governance.store import decision_log, effects, escalations, incidents, silences

if TYPE_CHECKING:
    from sqlalchemy import Connection

_INCIDENTS = 50
"""How many incidents are decided on in one transaction, as people's acts wait for it."""
_ROUNDS = 2
"""An incident of the engine that a level opens, as nobody is on call, is escalated in the same beat."""


@dataclass(slots=True)
class _Desk:
    """What one transaction decides, written at its end in bulk; one of `many`, whose pages wait to be put together."""

    connection: Connection
    engine: Engine
    at: datetime
    muted: Sequence[Silence]
    many: bool = False
    clocks: list[Escalation | Incident] = field(default_factory=list)
    told: list[Effect] = field(default_factory=list)
    log: list[Decision] = field(default_factory=list)

    def write(self) -> None:
        """Write it."""
        escalations.save(self.connection, *self.clocks)
        effects.add(self.connection, waiting(self.told) if self.many else self.told)
        withheld = [entries.of_delivery(each, self.at) for each in self.told if each.state == "withheld"]
        decision_log.append(self.connection, [*self.log, *withheld])


def escalate(engine: Engine, now: datetime) -> None:
    """Look at every incident that changed, and tell every level that is due."""
    done: set[int] = set()
    for _ in range(_ROUNDS):
        with engine.database.read() as connection:
            numbers = [each for each in escalations.waiting(connection, now) if each not in done]
        if not numbers:
            break
        done.update(numbers)
        with engine.database.giving_way():
            for first in range(0, len(numbers), _INCIDENTS):
                _looked_at(engine, numbers[first : first + _INCIDENTS], now, many=len(numbers) > BURST)
    unmanned.close(engine, now)
    if done:
        decision_log.seal(engine.database, now)


def escalate_now(
    engine: Engine, number: int, *, actor: Actor | str, at: datetime, because: str = "", version: int | None = None
) -> tuple[Incident, str]:
    """Tell the next level of an incident before its time; return the incident and the id of the entry, to be sealed.

    The clock goes on from there; that of an incident that somebody has answered stays stopped.

    :raises NotFound: when there is none of that number.
    :raises Conflict: when it is resolved, has no escalation, was told to everybody, or changed since `version`.
    :raises Denied: when the actor may not.
    """
    with engine.database.read() as connection:
        model = incidents.get(connection, number).model
    permit(engine, actor, "incident.escalate", model)
    channel = actor.channel if isinstance(actor, Actor) else ""
    said = {name: value for name, value in (("because", because), ("channel", channel)) if value}
    with engine.database.transaction() as connection:
        return escalated(connection, engine, number, actor=str(actor), at=at, said=said, version=version)


def escalated(
    connection: Connection,
    engine: Engine,
    number: int,
    *,
    actor: str,
    at: datetime,
    said: Mapping[str, str],
    version: int | None = None,
) -> tuple[Incident, str]:
    """Tell the next level in the caller's transaction, for who may; it raises what `escalate_now` does but for that."""
    incident = incidents.get(connection, number)
    if version is not None and version != incident.version:
        raise Conflict(f"incident {number} has changed since version {version}; it is {incident.status} now")
    if incident.status == "resolved":
        raise Conflict(f"incident {number} is resolved; nobody is told any more")
    desk = _Desk(connection, engine, at, ())
    before = escalations.of_incidents(connection, [number]).get(number) or _begun(engine, incident, at)
    if before is None:
        raise Conflict(f"{incident.model} has no escalation: its card names none in owners.escalation")
    step = climbed(followed(before, incident, at), at, by=actor)
    if step is None:
        raise Conflict(f"everybody whom {before.name} names has been told of incident {number}")
    after, entry = _tell(desk, incident, *step, actor=actor, said=said)
    desk.clocks.append(after)
    desk.log.append(entry)
    desk.write()
    return incident, entry.id


def _looked_at(engine: Engine, numbers: Sequence[int], now: datetime, *, many: bool) -> None:
    with engine.database.transaction() as connection:
        desk = _Desk(connection, engine, now, silences.holding(connection, now), many)
        known = escalations.of_incidents(connection, numbers)
        for number in numbers:
            incident = incidents.get(connection, number)
            before = known[number] if number in known else _begun(engine, incident, now)
            if before is None:
                desk.clocks.append(incident)
                continue
            after = _acted(desk, incident, followed(before, incident, now))
            if after.halt and after.halt != before.halt:
                _withdraw(desk, incident)
            if after.halt == "resolved" and before.halt != "resolved" and incident.merged_into is None:
                _tell_end(desk, incident)
            if after != before or number not in known:
                desk.clocks.append(after)
        desk.write()


def _begun(engine: Engine, incident: Incident, at: datetime) -> Escalation | None:
    """Begin the escalation that the card of the model names, None when it names none."""
    card = card_of(engine, incident.model)
    name = card.owners.escalation if card is not None else None
    policy = engine.organisation.escalations.get(name) if name else None
    if name is None or policy is None:
        return None
    fresh = begun(incident, name, policy, at)
    return followed(replace(fresh, version=0), incident, at) if incident.status != "triggered" else fresh


def _acted(desk: _Desk, incident: Incident, clock: Escalation) -> Escalation:
    """Do what is due, and return the clock after it."""
    if not due(clock, desk.at):
        return clock
    why, by = withheld(incident, desk.muted, desk.at)
    if clock.halt == "answered":
        return clock if why else _remind(desk, incident, clock)
    if why:
        return _hush(desk, incident, clock, why, by or why)
    step = climbed(clock, desk.at)
    assert step is not None  # a clock that runs has a next level  # noqa: S101
    after, entry = _tell(desk, incident, *step)
    desk.log.append(entry)
    return after


def _hush(desk: _Desk, incident: Incident, clock: Escalation, why: str, by: str) -> Escalation:
    """Let the level that is due wait for the end of what withholds it, and say so once; the clock stands still."""
    if clock.hushed == by:
        return clock
    step = climbed(clock, desk.at)
    assert step is not None  # as above  # noqa: S101
    whom = found(step[1].targets, desk.engine.organisation, desk.at)
    effect = unheard(incident, step[1], why, whom.people, desk.at)
    desk.told.append(replace(effect, key=f"{effect.key}-{by}-{desk.at:%Y%m%dT%H%M%S}"))
    return replace(clock, hushed=by)


def _tell(
    desk: _Desk,
    incident: Incident,
    after: Escalation,
    rung: Rung,
    *,
    actor: str = entries.ENGINE,
    said: Mapping[str, str] | None = None,
) -> tuple[Escalation, Decision]:
    """Add the pages of a level to what is written, the fallback's where it finds nobody; return the entry too."""
    engine, at = desk.engine, desk.at
    reaching = [name for name, each in engine.notifiers.items() if "people" in reaches(each)]
    proposals = _proposals(desk.connection, incident)
    whom = found(rung.targets, engine.organisation, at)
    told = pages(incident, rung, whom, reaching, proposals, at)
    if not told:
        desk.told.append(unheard(incident, rung, _why_nobody(whom), whom.people, at))
    if after.severity == "critical":  # a warning may wait for who comes in the morning
        unmanned.report(desk.connection, engine, whom.holes, after.name, at)
    if not told and rung.level <= len(after.policy.levels) and after.severity == "critical":
        instead = replace(rung, targets=after.policy.fallback, rule=f"{rung.rule} – nobody; fallback of {after.name}")
        told = pages(incident, instead, found(instead.targets, engine.organisation, at), reaching, proposals, at)
    desk.told.extend(told)
    heard = [*(each.person for one in told for each in one.to), *(each.notifier for each in told if not each.to)]
    after = replace(after, told=tuple(dict.fromkeys([*after.told, *heard])))
    return after, _entry(incident, after, rung, told, at, actor, said or {})


def _why_nobody(whom: Found) -> str:
    if whom.people:
        return "no notifier reaches people"
    return f"nobody is there: {', '.join(map(str, whom.holes))}" if whom.holes else "no notifier of that name is left"


def _entry(
    incident: Incident,
    after: Escalation,
    rung: Rung,
    told: Sequence[Effect],
    at: datetime,
    actor: str,
    said: Mapping[str, str],
) -> Decision:
    body = {
        "policy": after.name,
        "level": rung.level,
        "loop": rung.loop,
        "reason": rung.reason,
        "rule": rung.rule,
        "to": list(dict.fromkeys(each.person for one in told for each in one.to)),
        "notifiers": [each.notifier for each in told],
        "next_at": after.next_at,
        "version": incident.version,
        **said,
    }
    kind = "incident.paged" if actor == entries.ENGINE else "incident.escalated"
    place = (str(incident.id), str(incident.version), str(rung.level), str(rung.loop))
    return Decision(at, kind, actor, entries.subject_of(incident), body, entries.identity("page", *place))


def _proposals(connection: Connection, incident: Incident) -> tuple[str, ...]:
    """Return what was proposed when the incident was told last."""
    known = effects.of_incident(connection, incident.id)
    return next((each.message.proposals for each in reversed(known) if each.message.proposals), ())


def _remind(desk: _Desk, incident: Incident, clock: Escalation) -> Escalation:
    """Let an acknowledged incident come back with which nobody did anything for the time that its policy gives."""
    timeout = clock.policy.acknowledge_timeout
    assert timeout is not None and clock.next_at is not None  # it is due  # noqa: PT018, S101
    last = escalations.last_act(desk.connection, incident.id, clock.next_at - timeout, entries.ENGINE)
    if last is not None and last + timeout > desk.at:
        return put_off(clock, last + timeout)
    if withheld(incident, desk.muted, desk.at)[0]:
        return clock
    after = come_back(incident, desk.at)
    incidents.save(desk.connection, after)
    message = message_of(after, "reminder", _proposals(desk.connection, after), desk.at)
    for notifier in desk.engine.places:
        key = f"{after.id}-{after.version}-{notifier}"
        desk.told.append(Effect(key, after.id, after.version, notifier, message, next_at=desk.at))
    body = {
        "status": after.status,
        "severity": after.severity,
        "was": incident.acknowledged_by,
        "timeout": format_duration(timeout),
    }
    identity = entries.identity("incident", str(after.id), str(after.version))
    subject = entries.subject_of(after)
    desk.log.append(Decision(desk.at, "incident.reminded", entries.ENGINE, subject, body, identity))
    return _acted(desk, after, begun(after, clock.name, clock.policy, desk.at, "reminder"))


def _withdraw(desk: _Desk, incident: Incident) -> None:
    """Withhold the pages of an incident that somebody answered before they could be delivered."""
    who = incident.resolved_by if incident.status == "resolved" else incident.acknowledged_by
    said = f"{incident.status}{f' by {who}' if who else ''}"
    state = f"snoozed by {incident.snooze.by}" if incident.snooze else said
    why = f"{state} before it could be delivered"
    left = [
        each
        for each in effects.of_incident(desk.connection, incident.id)
        if each.level and (each.next_at or each.state == "waiting")
    ]
    over = [replace(each, state="withheld", next_at=None, receipt=why) for each in left]
    effects.save(desk.connection, over)
    desk.log.extend(entries.of_delivery(each, desk.at) for each in over)


def _tell_end(desk: _Desk, incident: Incident) -> None:
    """Tell the end to everybody who was paged through what hears of no change."""
    paged: dict[str, dict[Contact, None]] = {}
    for each in effects.of_incident(desk.connection, incident.id):
        heard = each.state in ("sent", "folded") or each.attempts  # an answer that never came may have been a yes
        if each.level and heard and each.notifier not in desk.engine.places:
            paged.setdefault(each.notifier, {}).update(dict.fromkeys(each.to))
    message = message_of(incident, "resolved", (), desk.at)
    for notifier, people in paged.items():
        key = f"{incident.id}-{incident.version}-{notifier}"
        effect = Effect(key, incident.id, incident.version, notifier, message, next_at=desk.at, to=tuple(people))
        desk.told.append(replace(effect, rule="told of its beginning"))
