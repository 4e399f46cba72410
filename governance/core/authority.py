"""Who may do what: one decision for every channel, which says why, or who may instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from governance.core.card import Card
from governance.core.organisation import Organisation, Role

Act = Literal[
    "read",
    "incident.acknowledge",
    "incident.resolve",
    "switch.pull",
    "switch.restore",
    "switch.approve",
    "switch.break-glass",
    "waiver.request",
    "waiver.approve",
    "silence.create",
    "silence.end",
    "evidence.record",
    "token.administer",
]
NEEDS: Mapping[Act, Role] = {
    "read": "viewer",
    "incident.acknowledge": "responder",
    "incident.resolve": "responder",
    "switch.pull": "responder",
    "switch.restore": "responder",  # and rollback.authority of the card, where it names anybody
    "switch.approve": "approver",  # or rollback.authority
    "switch.break-glass": "responder",
    "waiver.request": "responder",
    "waiver.approve": "approver",
    "silence.create": "responder",
    "silence.end": "responder",
    "evidence.record": "responder",
    "token.administer": "admin",
}
"""The least role that each act asks for."""
_WORDS: Mapping[Act, str] = {
    "read": "look at this",
    "incident.acknowledge": "acknowledge incidents",
    "incident.resolve": "resolve incidents",
    "switch.pull": "pull kill switches",
    "switch.restore": "restore models",
    "switch.approve": "approve restores",
    "switch.break-glass": "break the glass",
    "waiver.request": "ask for waivers",
    "waiver.approve": "approve waivers",
    "silence.create": "silence",
    "silence.end": "end silences",
    "evidence.record": "record evidence",
    "token.administer": "administer tokens",
}
ROLES: tuple[Role, ...] = ("viewer", "responder", "approver", "admin")


@dataclass(frozen=True, slots=True)
class Allowed:
    """The actor may; `because` completes the sentence "you may, because …"."""

    because: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The actor may not; `rule` is what decides so, `who_may` the people who may, by id."""

    actor: str
    act: Act
    rule: str
    who_may: tuple[str, ...]

    def __str__(self) -> str:
        """Return the refusal as a sentence that names the rule and who may."""
        who = ", ".join(self.who_may) or "nobody; the organisation names none"
        return f"'{self.actor}' may not {_WORDS[self.act]}: {self.rule}; these people may: {who}"


def authority(actor: str, act: Act, card: Card | None, organisation: Organisation) -> Allowed | Refused:
    """Decide whether a person may act on a model (None: on the engine as a whole)."""
    if not organisation.people:
        return Allowed("the organisation names no people, so that everybody on this machine may")
    because = _why(actor, act, card, organisation)
    if because:
        return Allowed(because)
    who = tuple(sorted(each for each in organisation.people if _why(each, act, card, organisation)))
    return Refused(actor, act, _rule(act, card), who)


def _why(person: str, act: Act, card: Card | None, organisation: Organisation) -> str:
    """Return why a person may, "" when not."""
    if person not in organisation.people:
        return ""
    named = card.rollback.authority if card is not None and card.rollback is not None else ()
    if act in ("switch.restore", "switch.approve") and card is not None and named:
        through = next((each for each in named if person in members(each, organisation)), "")
        if through or act == "switch.restore":
            return f"rollback.authority of {card.model} names {through}" if through else ""
    return _role(person, NEEDS[act], card, organisation)


def _role(person: str, needed: Role, card: Card | None, organisation: Organisation) -> str:
    for grant in organisation.roles:
        if ROLES.index(grant.role) < ROLES.index(needed) or not _about(grant.models, card):
            continue
        through = next((each for each in grant.who if person in members(each, organisation)), "")
        if through:
            return f"{through} is {grant.role}{f' of {card.model}' if card is not None else ''}"
    if not organisation.roles:
        return "org.yaml gives no roles, so that everybody in `people` may"
    return _owner(person, needed, card, organisation)


def _owner(person: str, needed: Role, card: Card | None, organisation: Organisation) -> str:
    """The team that owns a model answers for it; its leads, and who is accountable, also approve."""
    if card is None or needed == "admin":
        return ""
    team = organisation.teams.get(card.owners.team)
    leads = {*(team.leads if team else ()), *members(card.owners.accountable or "", organisation)}
    if person in leads:
        return f"you lead {card.owners.team}, or are accountable for {card.model}"
    if team is not None and person in team.members and needed != "approver":
        return f"{card.owners.team} owns {card.model}"
    return ""


def _about(models: Mapping[str, str], card: Card | None) -> bool:
    """Tell whether a grant for some models holds for this one; it never holds for the engine as a whole."""
    if not models:
        return True
    return card is not None and all(
        (card.model if name == "model" else card.labels.get(name)) == value for name, value in models.items()
    )


def members(party: str, organisation: Organisation) -> frozenset[str]:
    """Return the people a name stands for: a person (by id or e-mail), a team, or the leads of one (`<team>-leads`)."""
    if party in organisation.people:
        return frozenset({party})
    team = organisation.teams.get(party)
    if team is not None:
        return frozenset({*team.members, *team.leads})
    led = organisation.teams.get(party.removesuffix("-leads"))
    if led is not None:
        return frozenset(led.leads)
    return frozenset(_by_email(party, organisation)) if party else frozenset()


def _by_email(email: str, organisation: Organisation) -> Iterable[str]:
    return (name for name, person in organisation.people.items() if person.email == email)


def _rule(act: Act, card: Card | None) -> str:
    if act == "switch.restore" and card is not None and card.rollback is not None and card.rollback.authority:
        return f"restoring {card.model} is for rollback.authority of its card ({', '.join(card.rollback.authority)})"
    about = f" for {card.model}" if card is not None else ""
    return f"it needs the role {NEEDS[act]}{about}"
