"""Who may do what: one decision for every channel, which says why, or who may instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from governance.core.card import Card
from governance.core.organisation import Organisation, Role

Act = Literal[
    "read",
    "incident.acknowledge",
    "incident.resolve",
    "incident.note",
    "incident.snooze",
    "incident.severity",
    "incident.hand_over",
    "incident.escalate",
    "incident.merge",
    "incident.link",
    "switch.pull",
    "switch.restore",
    "switch.approve",
    "switch.break-glass",
    "switch.evaluate",
    "waiver.request",
    "waiver.approve",
    "silence.create",
    "silence.end",
    "notification.retry",
    "evidence.record",
    "runbook.start",
    "runbook.tick",
    "runbook.approve",
    "runbook.retry",
    "runbook.skip",
    "runbook.settle",
    "runbook.pause",
    "runbook.resume",
    "runbook.cancel",
    "samples.push",
    "alerts.push",
    "token.administer",
    "policy.apply",
    "policy.approve",
]
ACTS: tuple[Act, ...] = get_args(Act)
NEEDS: Mapping[Act, Role] = {
    "read": "viewer",
    "incident.acknowledge": "responder",
    "incident.resolve": "responder",
    "incident.note": "responder",
    "incident.snooze": "responder",
    "incident.severity": "responder",
    "incident.hand_over": "responder",
    "incident.escalate": "responder",
    "incident.merge": "responder",
    "incident.link": "responder",
    "switch.pull": "responder",
    "switch.restore": "responder",  # or rollback.authority of the card alone, where it names anybody
    "switch.approve": "approver",  # or rollback.authority
    "switch.break-glass": "responder",
    "switch.evaluate": "viewer",
    "waiver.request": "responder",
    "waiver.approve": "approver",
    "silence.create": "responder",
    "silence.end": "responder",
    "notification.retry": "responder",
    "evidence.record": "responder",
    "runbook.start": "responder",
    "runbook.tick": "responder",
    "runbook.approve": "approver",  # or the role that the step names
    "runbook.retry": "responder",
    "runbook.skip": "responder",
    "runbook.settle": "responder",
    "runbook.pause": "responder",
    "runbook.resume": "responder",
    "runbook.cancel": "responder",
    "samples.push": "responder",
    "alerts.push": "responder",
    "token.administer": "admin",
    "policy.apply": "admin",
    "policy.approve": "approver",
}
"""The least role that each act asks of a person."""
ROLES: tuple[Role, ...] = ("viewer", "responder", "approver", "admin")

Scope = Literal["read", "act", "push", "switches"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_SCOPES: Mapping[Act, Scope] = {
    "read": "read",
    "samples.push": "push",
    "alerts.push": "push",
    "switch.evaluate": "switches",
}
"""The scope that a token needs for an act; `act` for those that are not named."""
_PROGRAMS: frozenset[Act] = frozenset({"read", "samples.push", "alerts.push", "switch.evaluate"})
"""What services may do, and who runs the engine; all else is decided by people of the organisation."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person of the organisation or a service, and how far their token goes.

    `local` is whoever runs the engine, on a machine where there are no tokens yet. No `models` are all of them.
    `channel` is where they act: api, cli, slack, tui; run for what a run does in the name of who started it or
    consented in it, file for what stands in a file beside the policies.
    """

    id: str
    kind: Literal["person", "service", "local"] = "person"
    scopes: frozenset[Scope] = frozenset(SCOPES)
    models: tuple[str, ...] = ()
    channel: str = ""

    def __str__(self) -> str:
        """Return the id, under which the log knows them."""
        return self.id


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


def act_words(act: Act) -> str:
    """Return an act as it stands behind "may not"."""
    return _WORDS[act]


_WORDS: Mapping[Act, str] = {
    "read": "look at this",
    "incident.acknowledge": "acknowledge incidents",
    "incident.resolve": "resolve incidents",
    "incident.note": "write notes on incidents",
    "incident.snooze": "snooze incidents",
    "incident.severity": "set the severity of incidents",
    "incident.hand_over": "hand incidents over",
    "incident.escalate": "escalate incidents",
    "incident.merge": "merge incidents",
    "incident.link": "link incidents",
    "switch.pull": "pull kill switches",
    "switch.restore": "restore models",
    "switch.approve": "approve restores",
    "switch.break-glass": "break the glass",
    "switch.evaluate": "read kill switches as a client",
    "waiver.request": "ask for waivers",
    "waiver.approve": "approve waivers",
    "silence.create": "silence",
    "silence.end": "end silences",
    "notification.retry": "have notifications tried again",
    "evidence.record": "record evidence",
    "runbook.start": "start runbooks",
    "runbook.tick": "tick steps of runbooks",
    "runbook.approve": "give the consent that a runbook asks for",
    "runbook.retry": "have steps of runbooks tried again",
    "runbook.skip": "skip steps of runbooks",
    "runbook.settle": "say what became of an act of a runbook",
    "runbook.pause": "pause runs of runbooks",
    "runbook.resume": "resume runs of runbooks",
    "runbook.cancel": "cancel runs of runbooks",
    "samples.push": "push samples",
    "alerts.push": "push alerts",
    "token.administer": "administer tokens",
    "policy.apply": "apply policies",
    "policy.approve": "approve policies that loosen",
}


def authority(
    actor: Actor | str, act: Act, card: Card | None, organisation: Organisation, role: Role | None = None
) -> Allowed | Refused:
    """Decide whether somebody may act on a model (None: on the engine as a whole); a text is a person's id.

    A token never gives more than its owner has: first it must reach as far as the act, then its owner must be allowed.
    `role` is what this one act asks for, where that is not what all acts of its kind do.
    """
    who = actor if isinstance(actor, Actor) else Actor(actor)
    needed = role or NEEDS[act]
    short = _short(who, act, card)
    if short:
        return Refused(who.id, act, short, _who_may(act, needed, card, organisation))
    if who.kind == "service":
        return Allowed(f"the token of the service {who.id} has the scope {scope_of(act)}")
    if who.kind == "local" and act in _PROGRAMS:
        return Allowed(f"{who.id} runs the engine on this machine")
    if not organisation.people:
        return Allowed("the organisation names no people, so that everybody on this machine may")
    because = _why(who.id, act, needed, card, organisation)
    if because:
        return Allowed(because)
    rule = _rule(who.id, act, needed, card, organisation)
    return Refused(who.id, act, rule, _who_may(act, needed, card, organisation))


def who_may(act: Act, card: Card | None, organisation: Organisation, role: Role | None = None) -> tuple[str, ...]:
    """Return the people who may act on a model, by id; everybody where the organisation gives no roles."""
    return _who_may(act, role or NEEDS[act], card, organisation)


def scope_of(act: Act) -> Scope:
    """Return the scope that a token needs for an act."""
    return _SCOPES.get(act, "act")


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
    folded = email.casefold()  # git writes an address as somebody typed it
    return (name for name, person in organisation.people.items() if (person.email or "").casefold() == folded)


def _short(actor: Actor, act: Act, card: Card | None) -> str:
    """Return why a token does not reach as far as an act, "" when it does."""
    if scope_of(act) not in actor.scopes:
        has = ", ".join(sorted(actor.scopes)) or "none"
        return f"it needs a token with the scope {scope_of(act)}, this one has {has}"
    if actor.models and (card is None or card.model not in actor.models):
        about = card.model if card is not None else "the engine as a whole"
        return f"this token is for {', '.join(actor.models)} only, not for {about}"
    if actor.kind == "service" and act not in _PROGRAMS:
        return "people decide this, not services"
    return ""


def _who_may(act: Act, needed: Role, card: Card | None, organisation: Organisation) -> tuple[str, ...]:
    return tuple(sorted(each for each in organisation.people if _why(each, act, needed, card, organisation)))


def _why(person: str, act: Act, needed: Role, card: Card | None, organisation: Organisation) -> str:
    """Return why a person may, "" when not."""
    if person not in organisation.people:
        return ""
    named = _named(card)
    if act in ("switch.restore", "switch.approve") and card is not None and named:
        through = next((each for each in named if person in members(each, organisation)), "")
        if through or act == "switch.restore":
            return f"rollback.authority of {card.model} names {through}" if through else ""
    return _role(person, needed, card, organisation)


def _named(card: Card | None) -> tuple[str, ...]:
    return card.rollback.authority if card is not None and card.rollback is not None else ()


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
    if person in members(card.owners.accountable or "", organisation):
        return f"{person} is accountable for {card.model}"
    if team is not None and person in team.leads:
        return f"{person} leads {card.owners.team}, which owns {card.model}"
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


def _rule(person: str, act: Act, needed: Role, card: Card | None, organisation: Organisation) -> str:
    if person not in organisation.people:
        return "org.yaml does not name them among its `people`"
    named = _named(card)
    if act == "switch.restore" and card is not None and named:
        return f"restoring {card.model} is for rollback.authority of its card ({', '.join(named)})"
    about = f" for {card.model}" if card is not None else ""
    return f"it needs the role {needed}{about}"
