"""What people do with kill switches: who may, what it takes, what is refused and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from switches.desk import CARDS, DAY, HOUR, MINUTE, Desk, desk

from governance.core.switch import Scope
from governance.engine import operations, switching
from governance.errors import Conflict, Denied, GovernanceError, InvalidDocument, NotFound

V7 = Scope("7")


@pytest.fixture
def at() -> Iterator[Desk]:
    """Return a desk whose log must verify in the end."""
    made = desk()
    yield made
    made.verify()
    made.engine.database.close()


def pull(at: Desk, model: str = "delay", mode: Any = "fallback", **more: Any) -> switching.SwitchDone:
    said = {"actor": "ana", "because": "wrong since noon", "at": at.now, **more}
    return switching.pull(at.engine, model, mode, **said)


def restore(at: Desk, model: str = "delay", **more: Any) -> switching.SwitchDone | switching.Requested:
    said = {"actor": "ana", "because": "mended", "at": at.now, "seq": at.switch(model).seq, "confirmed": model, **more}
    return switching.restore(at.engine, model, **said)


def test_a_pull_is_in_force_named_and_sealed(at: Desk) -> None:
    done = pull(at, mode="throttle", share=0.25, expires=HOUR)
    assert done.switch == at.switch("delay")
    assert done.setting is not None
    assert (done.setting.mode, done.setting.share, done.setting.seq, done.setting.fallback) == (
        "throttle",
        0.25,
        1,
        "schedule",
    )
    assert (done.setting.expires_at, done.setting.lasting, done.setting.set_by) == (at.now + HOUR, HOUR, "ana")
    assert done.because_allowed == "ops is responder of delay"
    entry = at.entries()[-1]
    assert (entry.seq, entry.decision.kind, entry.decision.actor) == (done.entry, "switch.pulled", "ana")
    assert entry.decision.subject == {"model": "delay", "scope": "model"}
    body: Any = entry.decision.body
    assert (body["before"]["mode"], body["after"]["mode"], body["because"]) == ("live", "throttle", "wrong since noon")
    assert body["because_allowed"] == done.because_allowed


REFUSED: list[tuple[str, dict[str, Any], type[GovernanceError], str]] = [
    ("a viewer", {"actor": "eve"}, Denied, "'eve' may not pull kill switches: it needs the role responder for delay"),
    ("who may", {"actor": "eve"}, Denied, "these people may: ana, bo, flo"),
    ("a stranger", {"actor": "mallory"}, Denied, "'mallory' may not pull kill switches"),
    ("an unknown model", {"model": "delya"}, NotFound, "no card declares the model 'delya'; did you mean 'delay'?"),
    ("live", {"mode": "live"}, InvalidDocument, "restore the model instead"),
    ("a throttle of all", {"mode": "throttle"}, InvalidDocument, "more than 0 and less than 1"),
    ("a throttle of none", {"mode": "throttle", "share": 0.0}, InvalidDocument, "more than 0 and less than 1"),
    ("no reason", {"because": " "}, InvalidDocument, "say why"),
    ("a stop, unconfirmed", {"mode": "stopped"}, Denied, "type delay (on the command line: --confirm delay)"),
    ("a stop, confirmed wrong", {"mode": "stopped", "confirmed": "credit"}, Denied, "type delay"),
    ("a short expiry", {"expires": timedelta(seconds=5)}, InvalidDocument, "an expiry is 1m or longer, not 5s"),
    ("a past expiry", {"expires": -HOUR}, InvalidDocument, "1m or longer"),
    ("an unknown incident", {"incident": 9}, NotFound, "no incident 9"),
]


@pytest.mark.parametrize(("given", "error", "said"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_a_pull_that_is_refused_changes_nothing(
    at: Desk, given: dict[str, Any], error: type[GovernanceError], said: str
) -> None:
    with pytest.raises(error) as refused:
        pull(at, **given)
    assert said in str(refused.value)
    assert at.switch("delay").seq == 0
    assert at.kinds() == []


LOOSER: list[dict[str, Any]] = [
    {"mode": "throttle", "share": 0.5},
    {"mode": "throttle", "share": 0.9},
    {"mode": "shadow"},
    {"mode": "fallback", "expires": HOUR},
]


@pytest.mark.parametrize("given", LOOSER)
def test_what_would_loosen_is_a_restore(at: Desk, given: dict[str, Any]) -> None:
    pull(at)
    with pytest.raises(Conflict) as refused:
        pull(at, **given)
    assert "delay is in fallback already" in str(refused.value)
    assert "that is a restore" in str(refused.value)
    assert at.switch("delay").seq == 1


def test_each_step_tighter_is_a_pull_and_a_throttle_keeps_its_salt(at: Desk) -> None:
    salts = [pull(at, mode="throttle", share=share).setting for share in (0.25, 0.5)]
    assert [each.salt for each in salts if each] == ["delay/1", "delay/1"]
    for mode in ("shadow", "fallback", "stopped"):
        pull(at, mode=mode, confirmed="delay")
    assert at.switch("delay").seq == 5
    assert at.kinds() == ["switch.pulled"] * 5


def test_a_stop_for_an_hour_does_not_end_a_throttle_without_end(at: Desk) -> None:
    pull(at, mode="throttle", share=0.25)
    done = pull(at, mode="stopped", confirmed="delay", expires=HOUR)
    assert done.setting is not None
    assert done.setting.expires_at is None


def test_a_new_setting_cancels_the_old_expiry(at: Desk) -> None:
    pull(at, expires=HOUR)
    done = pull(at)
    assert done.setting is not None
    assert (done.setting.expires_at, done.setting.extended) == (None, 0)


def test_a_pull_leaves_narrower_settings_alone(at: Desk) -> None:
    narrow = pull(at, mode="throttle", share=0.5, scope=V7).setting
    pull(at, mode="shadow")
    assert at.switch("delay").at(V7) == narrow
    restore(at)
    assert at.switch("delay").settings == (narrow,)


def test_labels_are_one_scope_in_any_order(at: Desk) -> None:
    pull(at, scope=Scope(labels=(("region", "eu"), ("channel", "web"))))
    pull(at, scope=Scope(labels=(("channel", "web"), ("region", "eu"))), mode="stopped", confirmed="delay")
    assert [each.mode for each in at.switch("delay").settings] == ["stopped"]


def test_a_restore_of_tier_2_takes_one_person(at: Desk) -> None:
    pull(at)
    done = restore(at)
    assert isinstance(done, switching.SwitchDone)
    assert (done.setting, done.switch.settings, done.switch.seq) == (None, (), 2)
    assert at.kinds() == ["switch.pulled", "switch.restored"]


NOT_RESTORED: list[tuple[str, dict[str, Any], type[GovernanceError], str]] = [
    ("not of the card's authority", {"model": "spam"}, Denied, "restoring spam is for rollback.authority of its card"),
    ("who may", {"model": "spam"}, Denied, "these people may: dee"),
    ("unconfirmed", {"confirmed": ""}, Denied, "restoring delay must be confirmed with the model's name; type delay"),
    ("no reason", {"because": ""}, InvalidDocument, "say why"),
    ("another state", {"seq": 0}, Conflict, "you saw seq 0, it is 1"),
    ("what changed", {"seq": 0}, Conflict, "ana: delay is in fallback, because wrong since noon"),
    ("another scope", {"scope": V7}, Conflict, "delay is live (version 7) already, but delay is in fallback"),
    ("tighter", {"to": "stopped"}, Conflict, "that is no restore but a pull"),
    ("the same", {"to": "fallback"}, Conflict, "that is no restore but a pull"),
    ("an unknown model", {"model": "delya"}, NotFound, "did you mean 'delay'?"),
]


@pytest.mark.parametrize(
    ("given", "error", "said"), [each[1:] for each in NOT_RESTORED], ids=[each[0] for each in NOT_RESTORED]
)
def test_a_restore_that_is_refused_changes_nothing(
    at: Desk, given: dict[str, Any], error: type[GovernanceError], said: str
) -> None:
    pull(at)
    pull(at, "spam")
    with pytest.raises(error) as refused:
        restore(at, **given)
    assert said in str(refused.value)
    assert at.kinds() == ["switch.pulled"] * 2


def test_a_model_can_come_back_step_by_step(at: Desk) -> None:
    pull(at, mode="throttle", share=0.25)
    pull(at, mode="stopped", confirmed="delay")
    for to, share in (("fallback", 1.0), ("throttle", 0.5), ("throttle", 0.1)):
        restore(at, to=to, share=share)
    (left,) = at.switch("delay").settings
    assert (left.mode, left.share, left.salt) == ("throttle", 0.1, "delay/1")
    assert at.kinds()[2:] == ["switch.restored"] * 3


def asked(at: Desk) -> switching.Requested:
    pull(at, "credit")
    done = restore(at, "credit", actor="cy")
    assert isinstance(done, switching.Requested)
    return done


def test_a_restore_of_tier_1_waits_for_a_second_person(at: Desk) -> None:
    request = asked(at)
    assert request.who_may == ("dee", "flo")
    assert at.switch("credit").worst is not None
    (shown,) = switching.pending(at.engine)
    assert (shown.id, shown.seq, shown.who_may) == (request.approval.id, 1, ["dee", "flo"])
    assert shown.text == "restore credit to live: mended"
    done = switching.approve(at.engine, request.approval.id, actor="flo", at=at.now)
    assert done.switch.settings == ()
    assert switching.pending(at.engine) == []
    assert at.kinds() == ["switch.pulled", "switch.restore_requested", "switch.approved", "switch.restored"]
    last: Any = at.entries()[-1].decision
    assert (last.actor, last.body["approved_by"], last.body["approval"]) == ("cy", "flo", request.approval.id)


def test_the_same_person_twice_is_not_two(at: Desk) -> None:
    request = asked(at)
    with pytest.raises(Denied, match="cy asked for this restore; a second person must approve it: dee, flo"):
        switching.approve(at.engine, request.approval.id, actor="cy", at=at.now)
    with pytest.raises(Conflict, match=r"cy asked for this .*gov switch approve APR-1"):
        restore(at, "credit", actor="dee")
    assert at.switch("credit").worst is not None


def test_who_may_not_approve_is_told_who_may(at: Desk) -> None:
    request = asked(at)
    with pytest.raises(Denied, match=r"'ana' may not approve restores: .*these people may: cy, dee, flo"):
        switching.approve(at.engine, request.approval.id, actor="ana", at=at.now)
    with pytest.raises(NotFound, match="no approval 'APR-9'"):
        switching.approve(at.engine, "APR-9", actor="flo", at=at.now)


def test_a_change_in_between_voids_the_approval(at: Desk) -> None:
    request = asked(at)
    pull(at, "credit", "stopped", actor="bo", because="worse", confirmed="credit", scope=V7)
    assert switching.pending(at.engine) == []
    with pytest.raises(Conflict) as refused:
        switching.approve(at.engine, request.approval.id, actor="flo", at=at.now)
    assert "APR-1 was voided" in str(refused.value)
    assert "bo changed the switch meanwhile" in str(refused.value)
    assert "credit is stopped (version 7) (seq 2)" in str(refused.value)
    assert at.kinds()[-2:] == ["switch.pulled", "switch.voided"]
    assert len(at.switch("credit").settings) == 2


def test_a_change_of_another_model_voids_nothing(at: Desk) -> None:
    request = asked(at)
    pull(at)
    assert switching.approve(at.engine, request.approval.id, actor="flo", at=at.now).switch.settings == ()


def test_who_asked_must_still_be_allowed(at: Desk) -> None:
    request = asked(at)
    at.replan(teams={"risk": {"members": ["dee"]}, "ops": {"members": ["ana"]}})
    with pytest.raises(Denied, match="'cy' may not restore models"):
        switching.approve(at.engine, request.approval.id, actor="flo", at=at.now)
    assert at.switch("credit").worst is not None


def test_an_approval_runs_out(at: Desk) -> None:
    request = asked(at)
    at.later(DAY + MINUTE, looks=False)
    with pytest.raises(Conflict, match="APR-1 ran out at 2026-01-06 00:00 UTC"):
        switching.approve(at.engine, request.approval.id, actor="flo", at=at.now)
    assert switching.pending(at.engine, at.now) == []
    assert isinstance(restore(at, "credit", actor="dee"), switching.Requested)


@pytest.mark.parametrize("who", ["flo", "cy"])
def test_a_restore_can_be_refused_or_taken_back(at: Desk, who: str) -> None:
    request = asked(at)
    switching.refuse(at.engine, request.approval.id, actor=who, because="not yet", at=at.now)
    assert at.kinds()[-1] == "switch.refused"
    with pytest.raises(Conflict, match=r"APR-1 was refused .*not yet; ask anew"):
        switching.approve(at.engine, request.approval.id, actor="dee", at=at.now)
    assert at.switch("credit").worst is not None


def test_a_partial_restore_names_who_asked_and_who_approved(at: Desk) -> None:
    pull(at, "credit")
    request = restore(at, "credit", actor="cy", to="throttle", share=0.5)
    assert isinstance(request, switching.Requested)
    assert request.approval.text == "restore credit to throttle 50%: mended"
    done = switching.approve(at.engine, request.approval.id, actor="dee", at=at.now)
    assert done.setting is not None
    assert (done.setting.mode, done.setting.set_by, done.setting.approved_by) == ("throttle", "cy", "dee")


def test_breaking_the_glass_restores_pages_and_is_reviewed(at: Desk) -> None:
    pull(at, "credit")
    with pytest.raises(Denied, match="type credit"):
        switching.break_glass(at.engine, "credit", actor="ana", because="sales day", at=at.now, confirmed="")
    done = switching.break_glass(at.engine, "credit", actor="ana", because="sales day", at=at.now, confirmed="credit")
    assert done.switch.settings == ()
    (incident,) = at.incidents()
    assert (incident.severity, incident.status) == ("critical", "triggered")
    at.later()
    assert at.told() == ["critical first: ana broke the glass and restored credit (model) alone: sales day"]
    assert at.kinds() == ["switch.pulled", "switch.glass_broken"]
    with pytest.raises(Denied, match="ana broke the glass; incident 1 is its review, which somebody else resolves"):
        operations.resolve(at.engine, incident.id, actor="ana", because="all fine", at=at.now)
    operations.resolve(at.engine, incident.id, actor="bo", because="it was right", at=at.now)
    assert at.incidents() == []


def test_glass_is_broken_only_where_something_holds(at: Desk) -> None:
    for actor, error, said in (("ana", Conflict, "credit is live already"), ("eve", Denied, "may not break the glass")):
        with pytest.raises(error, match=said):
            switching.break_glass(at.engine, "credit", actor=actor, because="x", at=at.now, confirmed="credit")
    assert at.incidents() == []


def test_a_model_that_left_the_policies_can_be_given_back_by_two(at: Desk) -> None:
    pull(at)
    at.replan(*[each for each in CARDS if each["model"] != "delay"])
    with pytest.raises(NotFound):
        pull(at, mode="stopped", confirmed="delay")
    request = restore(at)
    assert isinstance(request, switching.Requested)
    assert switching.approve(at.engine, request.approval.id, actor="flo", at=at.now).switch.settings == ()


def test_where_nobody_is_named_everybody_may_but_it_still_takes_two(at: Desk) -> None:
    at.replan(people={}, teams={}, roles=[])
    pull(at, "credit", actor="root")
    request = restore(at, "credit", actor="root")
    assert isinstance(request, switching.Requested)
    with pytest.raises(Denied, match="somebody else must approve it"):
        switching.approve(at.engine, request.approval.id, actor="root", at=at.now)
    assert switching.approve(at.engine, request.approval.id, actor="toor", at=at.now).switch.settings == ()
