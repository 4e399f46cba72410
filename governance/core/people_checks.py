"""Check that the people and teams whom documents name are those of the organisation."""

from __future__ import annotations

from collections.abc import Iterator

from governance.core.authored import Authored, Path
from governance.core.card import Card
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


def named_problems(card: Authored[Card], organisation: Organisation) -> Iterator[Problem]:
    """Check whom a card names, as far as the organisation says whom there is."""
    owners, teams, people = card.document.owners, organisation.teams, organisation.people
    if teams and owners.team not in teams:
        yield unknown(card, ("owners", "team"), "team", owners.team, teams)
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
    if card.data is not None:
        yield from ((("data", "access", index), name) for index, name in enumerate(card.data.access))
    yield from ((("review", index, "by"), review.by) for index, review in enumerate(card.review))
