from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from governance.core.card import Card
from governance.core.flag import KINDS, Flags, Request, UnfitContext, evaluated, flags_of, request_of
from governance.core.switch import Mode, Scope, Setting, Switch, changed

AT = datetime(2026, 1, 5, tzinfo=UTC)


def pulled(mode: Mode, share: float = 1.0, scope: Scope = Scope(), switch: Switch = Switch("loans")) -> Switch:  # noqa: B008
    setting = Setting(scope, mode, share, "drift", "ana", AT, fallback="rules", expires_at=AT)
    return changed(switch, scope, setting, seq=switch.seq + 1, at=AT)


def asked(switch: Switch, context: dict[str, Any], kind: Any = "serve", **known: str) -> Any:
    return evaluated(Flags(switch, **known), kind, request_of(context))


@pytest.mark.parametrize(
    ("mode", "serves", "variant"),
    [("shadow", False, "shadow"), ("fallback", False, "fallback"), ("stopped", False, "stopped")],
)
def test_what_is_pulled_does_not_serve(mode: Mode, serves: bool, variant: str) -> None:
    found = asked(pulled(mode), {"targetingKey": "u"})
    assert (found.value, found.variant, found.reason) == (serves, variant, "STATIC")
    assert dict(found.metadata) == {"seq": 1, "mode": mode, "reason": "drift", "fallback": "rules"}


def test_what_was_never_pulled_serves() -> None:
    found = asked(Switch("loans"), {}, fallback="baseline")
    assert (found.key, found.value, found.variant, found.reason) == ("loans.serve", True, "model", "STATIC")
    assert dict(found.metadata) == {"seq": 0, "mode": "live", "reason": "", "fallback": "baseline"}


def test_a_throttle_splits_by_key_and_says_so() -> None:
    switch = pulled("throttle", 0.25)
    found = [asked(switch, {"targetingKey": f"user-{n}"}) for n in range(2000)]
    assert {each.reason for each in found} == {"SPLIT"}
    assert {(each.value, each.variant) for each in found} == {(True, "model"), (False, "fallback")}
    assert 0.22 < sum(not each.value for each in found) / len(found) < 0.28
    assert [asked(switch, {"targetingKey": f"user-{n}"}).value for n in range(2000)] == [each.value for each in found]


def test_a_throttle_gives_the_fallback_to_who_has_no_key() -> None:
    found = asked(pulled("throttle", 0.01), {})
    assert (found.value, found.variant, found.reason) == (False, "fallback", "DEFAULT")


@pytest.mark.parametrize(
    ("context", "serves"),
    [
        ({"version": "2"}, False),
        ({"version": 2}, False),
        ({"version": 2.0}, False),
        ({"version": "1"}, True),
        ({}, True),  # the card says that 1 serves
        ({"version": None}, True),
    ],
)
def test_a_request_is_of_the_version_that_it_names_or_that_serves(context: dict[str, Any], serves: bool) -> None:
    found = asked(pulled("stopped", scope=Scope("2")), context, serving="1")
    assert (found.value, found.reason) == (serves, "TARGETING_MATCH")


def test_a_request_that_may_be_of_any_version_gets_the_most_restrictive() -> None:
    assert asked(pulled("stopped", scope=Scope("2")), {}).value is False


def test_labels_are_attributes_of_the_context() -> None:
    switch = pulled("fallback", scope=Scope(labels=(("region", "eu"), ("vip", "true"))))
    assert asked(switch, {"region": "eu", "vip": True}).value is False
    assert asked(switch, {"region": "us", "vip": True}).value is True
    assert asked(switch, {"region": ["eu"]}).value is False  # not said in a way that can be read: it may be


def test_the_object_has_all_that_a_client_needs_to_decide_by_itself() -> None:
    switch = pulled("throttle", 1.0, switch=pulled("stopped", scope=Scope("2", (("region", "eu"),))))
    found = asked(switch, {"version": "1"}, "switch", serving="1")
    assert json.loads(found.json())["value"] == {
        "model": "loans", "serving": "1", "mode": "throttle", "share": 1.0, "salt": "loans/2", "fallback": "rules",
        "reason": "drift", "expires_at": "2026-01-05T00:00:00+00:00", "seq": 2,
        "settings": [
            {
                "scope": {"version": "2", "labels": {"region": "eu"}}, "mode": "stopped", "share": 1.0,
                "salt": "loans/1", "fallback": "rules", "reason": "drift",
                "expires_at": "2026-01-05T00:00:00+00:00", "seq": 1, "override": "",
            },
            {
                "scope": {"version": "", "labels": {}}, "mode": "throttle", "share": 1.0,
                "salt": "loans/2", "fallback": "rules", "reason": "drift",
                "expires_at": "2026-01-05T00:00:00+00:00", "seq": 2, "override": "",
            },
        ],
        "overrides": [],
    }  # fmt: skip
    assert '"share":1.0' in found.json()
    assert '"share":1.0' in asked(pulled("fallback", 1), {}, "switch").json()
    assert (found.variant, found.reason) == ("throttle", "TARGETING_MATCH")


def test_every_flag_is_written_with_all_members() -> None:
    for kind in KINDS:
        for switch in (Switch("loans"), pulled("throttle", 0.5), pulled("stopped", scope=Scope("2"))):
            assert json.loads(asked(switch, {}, kind).json()).keys() == {
                "key",
                "value",
                "variant",
                "reason",
                "metadata",
            }


def test_who_set_a_switch_is_not_told_to_programs() -> None:
    assert "ana" not in "".join(asked(pulled("stopped"), {}, kind).json() for kind in KINDS)


@pytest.mark.parametrize("wrong", [["u"], {"id": 1}, True])
@pytest.mark.parametrize("name", ["targetingKey", "version"])
def test_a_key_or_version_that_is_no_text_is_refused(name: str, wrong: Any) -> None:
    with pytest.raises(UnfitContext, match=f"`{name}` of the context must be text"):
        request_of({name: wrong})


def test_a_key_is_no_label() -> None:
    assert request_of({"targetingKey": 7, "a": 1.5, "b": None, "c": {}}) == Request("7", "", {"a": "1.5"})


def test_the_card_says_what_serves_and_what_falls_back() -> None:
    owned: dict[str, Any] = {"model": "loans", "owners": {"team": "t"}}
    card = Card.model_validate({**owned, "versions": {"serving": "3", "fallback": "rules"}})
    assert flags_of(Switch("loans"), card) == Flags(Switch("loans"), "3", "rules")
    canary = Card.model_validate({**owned, "versions": {"serving": "3", "canary": {"version": "4", "share": 0.1}}})
    assert flags_of(Switch("loans"), canary).serving == ""
    gone = pulled("stopped")
    assert flags_of(gone, None) == Flags(gone)
    assert replace(flags_of(gone, card), switch=Switch("loans")) == flags_of(Switch("loans"), card)
