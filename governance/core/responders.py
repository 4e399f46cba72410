"""Whom a level of an escalation finds at an instant: people, notifiers, and who should have been there and is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.core.effect import Contact, Effect, message_of
from governance.core.escalation import Rung
from governance.core.escalation_policy import Target
from governance.core.incident import Incident
from governance.core.on_call import on_call
from governance.core.organisation import Organisation


@dataclass(frozen=True, slots=True)
class Found:
    """The people, the notifiers by name, and the targets behind which nobody is."""

    people: tuple[Contact, ...] = ()
    notifiers: tuple[str, ...] = ()
    holes: tuple[Target, ...] = ()


def found(targets: Iterable[Target], organisation: Organisation, at: datetime) -> Found:
    """Return whom targets mean at an instant; each person once."""
    people, notifiers, holes = dict[str, None](), dict[str, None](), list[Target]()
    for each in targets:
        if each.notifier is not None and each.notifier in organisation.notifiers:
            notifiers[each.notifier] = None
            continue
        names = [name for name in responders(each, organisation, at) if name in organisation.people]
        people.update(dict.fromkeys(names))
        if not names:
            holes.append(each)
    return Found(tuple(contact(name, organisation) for name in people), tuple(notifiers), tuple(holes))


def responders(target: Target, organisation: Organisation, at: datetime) -> tuple[str, ...]:
    """Return the people behind a target at an instant, by id; nobody is behind what there is no more."""
    if target.schedule is not None:
        schedule = organisation.schedules.get(target.schedule)
        person = on_call(schedule, at).person if schedule is not None else ""
        return (person,) if person else ()
    if target.team is not None:
        team = organisation.teams.get(target.team)
        return tuple(dict.fromkeys([*team.members, *team.leads])) if team is not None else ()
    return (target.person,) if target.person is not None else ()


def contact(person: str, organisation: Organisation) -> Contact:
    """Return how somebody is reached."""
    known = organisation.people[person]
    return Contact(person, known.email or "", known.slack or "")


def pages(
    incident: Incident, rung: Rung, whom: Found, reaching: Sequence[str], proposals: tuple[str, ...], at: datetime
) -> tuple[Effect, ...]:
    """Return the pages of a level: one for each notifier that reaches people, and one for each place of its own.

    `reaching` are the notifiers that reach people.
    """
    message = message_of(incident, rung.reason, proposals, at)
    through = dict.fromkeys([*(reaching if whom.people else ()), *whom.notifiers])
    return tuple(
        Effect(
            key=key_of(incident, notifier, rung),
            incident=incident.id,
            version=incident.version,
            notifier=notifier,
            message=message,
            next_at=at,
            to=whom.people if notifier in reaching else (),
            level=rung.level,
            rule=rung.rule,
        )
        for notifier in through
    )


def unheard(incident: Incident, rung: Rung, receipt: str, to: tuple[Contact, ...], at: datetime) -> Effect:
    """Return the record of a level that told nobody, with the reason."""
    return Effect(
        key=key_of(incident, "", rung),
        incident=incident.id,
        version=incident.version,
        notifier="",
        message=message_of(incident, rung.reason, (), at),
        state="withheld",
        receipt=receipt,
        to=to,
        level=rung.level,
        rule=rung.rule,
    )


def key_of(incident: Incident, notifier: str, rung: Rung) -> str:
    """Return the key of a page: the same level of the same loop is told once, however often it is asked for."""
    return f"{incident.id}-{incident.version}-{notifier}-{rung.level}-{rung.loop}"
