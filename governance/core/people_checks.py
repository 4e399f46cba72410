"""Check that the people and teams whom documents name are those of the organisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from governance.core.authored import Authored, Path
from governance.core.card import Card
from governance.core.duration import format_duration
from governance.core.escalation_policy import Level, Target
from governance.core.organisation import Organisation
from governance.core.placed import placed, unknown
from governance.core.problem import Problem
from governance.core.suggestion import closest


def member_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that teams are made of known people."""
    people = organisation.document.people
    for name, team in organisation.document.teams.items():
        for role in ("members", "leads"):
            for index, person in enumerate(getattr(team, role)):
                if person not in people:
                    yield unknown(organisation, ("teams", name, role, index), "person", person, people)


def role_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that roles go to people and teams that there are, and that no name stands for both."""
    document = organisation.document
    people, teams = document.people, document.teams
    leads = {f"{name}-leads" for name, team in teams.items() if team.leads}
    emails = {each.email for each in people.values() if each.email}
    for index, grant in enumerate(document.roles):
        for place, name in enumerate(grant.who):
            path: Path = ("roles", index, "who", place)
            if name in people and name in teams:
                message = f"'{name}' is a person and a team; a role must not go to who was not meant: rename one"
                yield placed(organisation, path, "ambiguous-party", message)
            elif name not in {*people, *teams, *leads, *emails}:
                known = [*teams, *leads, *people]
                message = f"the organisation has no team or person '{name}' (the leads of a team are <team>-leads)"
                yield placed(organisation, path, "unknown-party", message, closest(name, known))


def canary_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that the canary is told to notifiers that there are."""
    canary, known = organisation.document.canary, organisation.document.notifiers
    for place, name in enumerate(canary.notifiers if canary is not None else ()):
        if name not in known:
            yield unknown(organisation, ("canary", "notifiers", place), "notifier", name, known)


def schedule_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that people take turns who there are: to page a name that nobody has is to page nobody."""
    people = organisation.document.people
    for name, schedule in organisation.document.schedules.items():
        for number, layer in enumerate(schedule.layers):
            for place, person in enumerate(layer.people):
                if person not in people:
                    path: Path = ("schedules", name, "layers", number, "people", place)
                    yield unknown(organisation, path, "person", person, people)
        for number, override in enumerate(schedule.overrides):
            if override.person not in people:
                path = ("schedules", name, "overrides", number, "person")
                yield unknown(organisation, path, "person", override.person, people)


def escalation_problems(organisation: Authored[Organisation]) -> Iterator[Problem]:
    """Check that escalations lead to somebody there is, and that every level has its time."""
    for name, policy in organisation.document.escalations.items():
        base: Path = ("escalations", name)
        places = [((*base, "levels", number, "to"), level.to) for number, level in enumerate(policy.levels)]
        for path, targets in [*places, ((*base, "fallback"), policy.fallback)]:
            for index, each in enumerate(targets):
                yield from _target_problems(organisation, (*path, index, each.kind), each)
        yield from _level_problems(organisation, (*base, "levels"), policy.levels)


def _target_problems(organisation: Authored[Organisation], path: Path, target: Target) -> Iterator[Problem]:
    known = organisation.document
    if target.schedule is not None and target.schedule not in known.schedules:
        yield unknown(organisation, path, "schedule", target.schedule, known.schedules)
    if target.team is not None and target.team not in known.teams:
        yield unknown(organisation, path, "team", target.team, known.teams)
    if target.person is not None and target.person not in known.people:
        yield unknown(organisation, path, "person", target.person, known.people)
    if target.notifier is not None and target.notifier not in known.notifiers:
        yield unknown(organisation, path, "notifier", target.notifier, known.notifiers)


def _level_problems(organisation: Authored[Organisation], path: Path, levels: Sequence[Level]) -> Iterator[Problem]:
    for number, (one, other) in enumerate(pairwise(levels), start=1):
        if other.after <= one.after:
            field = "after" if "after" in other.model_fields_set else "to"
            message = (
                f"level {number + 1} comes {_after(other)}, and level {number} {_after(one)}: "
                f"each level comes later than the one before"
            )
            yield placed(organisation, (*path, number, field), "level-order", message)
        if one.hands_over and set(other.severities) <= set(one.severities):
            message = f"level {number + 1} is never told: level {number} hands over to another system"
            yield placed(organisation, (*path, number, "to"), "unreached-level", message)


def _after(level: Level) -> str:
    return f"after {format_duration(level.after)}" if level.after else "at once"


def named_problems(card: Authored[Card], organisation: Organisation) -> Iterator[Problem]:
    """Check whom a card names, as far as the organisation says whom there is."""
    owners, teams, people = card.document.owners, organisation.teams, organisation.people
    if teams and owners.team not in teams:
        yield unknown(card, ("owners", "team"), "team", owners.team, teams)
    if owners.escalation and (teams or organisation.escalations) and owners.escalation not in organisation.escalations:
        yield unknown(card, ("owners", "escalation"), "escalation", owners.escalation, organisation.escalations)
    emails = {each.email for each in people.values()}
    if owners.accountable and people and owners.accountable not in {*people, *emails}:
        yield unknown(card, ("owners", "accountable"), "person", owners.accountable, people)
    if not teams:
        return
    leads = {f"{name}-leads" for name, team in teams.items() if team.leads}
    for path, name in _parties(card.document):
        if name not in {*teams, *leads, *people, *emails}:
            known = [*teams, *leads, *people]
            message = f"the organisation has no team or person '{name}' (the leads of a team are <team>-leads)"
            yield placed(card, path, "unknown-party", message, closest(name, known))


def _parties(card: Card) -> Iterator[tuple[Path, str]]:
    """Yield where a card names teams or people that may do something, and whom."""
    if card.rollback is not None:
        yield from ((("rollback", "authority", index), name) for index, name in enumerate(card.rollback.authority))
    if card.cost is not None and card.cost.owner is not None:
        yield ("cost", "owner"), card.cost.owner
    if card.decision is not None:
        yield from ((("decision", "overrides", index), name) for index, name in enumerate(card.decision.overrides))
    if card.data is not None:
        yield from ((("data", "access", index), name) for index, name in enumerate(card.data.access))
    yield from ((("review", index, "by"), review.by) for index, review in enumerate(card.review))
