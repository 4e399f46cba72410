"""Who may do what: every role × every act × every tie to the model, and how far tokens reach."""

from __future__ import annotations

from typing import Any

import pytest

from governance.core.authority import ACTS, NEEDS, ROLES, SCOPES, Act, Actor, Allowed, Refused, authority, scope_of
from governance.core.card import Card
from governance.core.organisation import Organisation

PEOPLE = ("viewer", "responder", "approver", "admin", "member", "lead", "accountable", "restorer", "nobody")
ORGANISATION: dict[str, Any] = {
    "people": {**{each: {} for each in PEOPLE}, "accountable": {"email": "a@example.com"}},
    "teams": {"owners": {"members": ["member", "lead"], "leads": ["lead"]}},
    "roles": [{"role": role, "who": [role]} for role in ROLES],
}
CARD: dict[str, Any] = {"model": "loans", "owners": {"team": "owners", "accountable": "a@example.com"}}
RESTORE = {**CARD, "rollback": {"authority": ["restorer"]}}

READ = {"read", "switch.evaluate"}
RESPOND = {act for act, role in NEEDS.items() if role == "responder"}
APPROVE = {"switch.approve", "waiver.approve", "policy.approve", "runbook.approve"}
MAY: dict[str, set[str]] = {  # on a model whose card names nobody for its rollback
    "viewer": READ,
    "responder": READ | RESPOND,
    "approver": READ | RESPOND | APPROVE,
    "admin": set(ACTS),
    "member": READ | RESPOND,
    "lead": READ | RESPOND | APPROVE,
    "accountable": READ | RESPOND | APPROVE,
    "restorer": set(),
    "nobody": set(),
    "stranger": set(),
}


def organisation(**changes: Any) -> Organisation:
    return Organisation.model_validate({**ORGANISATION, **changes})


def may(actor: Actor | str, act: Act, card: dict[str, Any] | None, **changes: Any) -> Allowed | Refused:
    return authority(actor, act, Card.model_validate(card) if card else None, organisation(**changes))


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("person", MAY)
def test_every_role_and_tie_for_every_act(person: str, act: Act) -> None:
    found = may(person, act, CARD)
    assert isinstance(found, Allowed) == (act in MAY[person]), str(found)
    if isinstance(found, Refused):
        assert set(found.who_may) == {each for each, acts in MAY.items() if act in acts}
        assert str(found).startswith(f"'{person}' may not ")


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("person", MAY)
def test_owning_a_model_gives_nothing_on_the_engine_as_a_whole(person: str, act: Act) -> None:
    owners = {"member", "lead", "accountable"}
    assert isinstance(may(person, act, None), Allowed) == (person not in owners and act in MAY[person])


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("person", MAY)
def test_rollback_authority_alone_restores_and_also_approves(person: str, act: Act) -> None:
    expected = act in MAY[person]
    if act == "switch.restore":
        expected = person == "restorer"
    elif act == "switch.approve":
        expected = expected or person == "restorer"
    found = may(person, act, RESTORE)
    assert isinstance(found, Allowed) == expected, str(found)
    if act == "switch.restore" and isinstance(found, Refused) and person != "stranger":
        assert "rollback.authority of its card (restorer)" in str(found)


def test_rollback_authority_names_teams_and_their_leads() -> None:
    for named, expected in (
        ("owners", {"member", "lead"}),
        ("owners-leads", {"lead"}),
        ("a@example.com", {"accountable"}),
    ):
        card = {**CARD, "rollback": {"authority": [named]}}
        assert {each for each in PEOPLE if isinstance(may(each, "switch.restore", card), Allowed)} == expected


@pytest.mark.parametrize("act", ACTS)
def test_without_roles_all_people_may_and_others_may_not(act: Act) -> None:
    assert all(isinstance(may(each, act, CARD, roles=[]), Allowed) for each in PEOPLE)
    assert isinstance(may("stranger", act, CARD, roles=[]), Refused)


@pytest.mark.parametrize("act", ACTS)
def test_without_people_everybody_may(act: Act) -> None:
    assert isinstance(authority("anybody", act, None, Organisation()), Allowed)


def test_a_role_for_some_models_holds_for_these_alone() -> None:
    labelled = {**CARD, "labels": {"domain": "credit"}}
    for models, card, expected in (
        ({"domain": "credit"}, labelled, True),
        ({"domain": "travel"}, labelled, False),
        ({"domain": "credit"}, CARD, False),
        ({"model": "loans"}, CARD, True),
        ({"model": "other"}, CARD, False),
        ({"model": "loans", "domain": "credit"}, CARD, False),
        ({"domain": "credit"}, None, False),
    ):
        roles = [{"role": "approver", "who": ["nobody"], "models": models}]
        assert isinstance(may("nobody", "waiver.approve", card, roles=roles), Allowed) == expected, models


def test_a_refusal_names_the_rule_and_who_may() -> None:
    assert str(may("viewer", "switch.pull", CARD)) == (
        "'viewer' may not pull kill switches: it needs the role responder for loans; these people may: "
        "accountable, admin, approver, lead, member, responder"
    )
    assert "org.yaml does not name them among its `people`" in str(may("stranger", "read", None))
    assert "nobody; the organisation names none" in str(
        may("viewer", "token.administer", None, roles=[ORGANISATION["roles"][0]])
    )


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_reaches_as_far_as_its_scopes(scope: str, act: Act) -> None:
    found = may(Actor("admin", scopes=frozenset([scope])), act, CARD)  # type: ignore[list-item]
    assert isinstance(found, Allowed) == (scope_of(act) == scope), str(found)
    if isinstance(found, Refused):
        assert f"it needs a token with the scope {scope_of(act)}, this one has {scope}" in str(found)


@pytest.mark.parametrize("act", ACTS)
def test_a_token_for_some_models_reaches_no_other(act: Act) -> None:
    token = Actor("admin", models=("loans",))
    assert isinstance(may(token, act, CARD), Allowed)
    assert isinstance(may(token, act, {**CARD, "model": "other"}), Refused)
    assert isinstance(may(token, act, None), Refused)


@pytest.mark.parametrize("act", ACTS)
def test_a_token_gives_no_more_than_its_owner_has(act: Act) -> None:
    assert isinstance(may(Actor("viewer"), act, CARD), Allowed) == (act in MAY["viewer"])


@pytest.mark.parametrize("act", ACTS)
def test_services_read_push_and_ask_and_decide_nothing(act: Act) -> None:
    found = may(Actor("pipeline", "service"), act, CARD)
    assert isinstance(found, Allowed) == (act in {"read", "samples.push", "alerts.push", "switch.evaluate"}), str(found)


@pytest.mark.parametrize("act", ACTS)
def test_who_runs_the_engine_reads_and_pushes_and_else_is_a_person(act: Act) -> None:
    found = may(Actor("stranger", "local"), act, CARD)
    assert isinstance(found, Allowed) == (act in {"read", "samples.push", "alerts.push", "switch.evaluate"}), str(found)
    assert isinstance(may(Actor("admin", "local"), act, CARD), Allowed)


def test_an_act_may_ask_for_another_role_than_its_kind_does() -> None:
    card, known = Card.model_validate(CARD), organisation()
    for role, able in (("responder", {"responder", "approver", "admin", "member", "lead", "accountable"}),
                       ("admin", {"admin"})):  # fmt: skip
        for person in PEOPLE:
            found = authority(person, "runbook.approve", card, known, role)  # type: ignore[arg-type]
            assert isinstance(found, Allowed) == (person in able), str(found)
            if isinstance(found, Refused):
                assert set(found.who_may) == able
                assert f"it needs the role {role} for loans" in str(found)
