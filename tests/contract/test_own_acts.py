"""What steps do to the engine itself: in one transaction with their outcome, in somebody's name, and never half."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from scenarios.story import START
from switches.desk import CARDS, Desk, card, desk

from governance.actions.pagerduty import PagerDuty, PagerDutyConfig
from governance.core.effect import Receipt
from governance.core.own_act import OWN_ACTS
from governance.core.performance import Outcome, Request
from governance.core.run import Answer, Run, Visit
from governance.core.runbook import Runbook
from governance.engine import operations
from governance.engine.running import own_acts
from governance.engine.running.notices import notified
from governance.engine.switching import pull
from governance.store import effects, evidence

BOOK = Runbook.model_validate(
    {"runbook": "degrade", "description": "d", "steps": [{"step": "look", "instruct": "Look."}]}
)
REASON = {"reason": "the feed is broken"}
FALLBACK = {"mode": "fallback", **REASON}


def run(who: str = "ana", model: str = "delay", consents: Iterable[tuple[str, datetime]] = (), **more: Any) -> Run:
    answers = tuple(Answer(each, at, approved=True) for each, at in consents)
    visit = Visit("consent", 1, "done", START, answers=answers)
    return Run("RUN-1", BOOK, model, {}, {}, who, START, "why", visits=(visit,), **more)


def act(at_desk: Desk, of: Run, operation: str, *, dry: bool = False, number: int = 1, **with_: Any) -> Outcome:
    request = Request(f"{of.id}/step/{number}", operation, with_, at_desk.now, of.id, of.model)
    do = own_acts.dry_run if dry else own_acts.perform
    with at_desk.engine.database.transaction() as connection:
        return do(connection, at_desk.engine, of, request)


def firing(at_desk: Desk, model: str = "delay") -> int:
    """Let the model's rule fire, and return the number of its incident."""
    at_desk.world.values[f"{model}-errors"] = 0.9
    at_desk.later()
    return next(each.id for each in at_desk.incidents() if each.model == model)


def written(at_desk: Desk) -> list[tuple[Any, ...]]:
    """Return all that is in the database."""
    with at_desk.engine.database.read() as connection:
        tables = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).scalars()
        return [(each, *map(tuple, connection.exec_driver_sql(f"SELECT * FROM {each}"))) for each in tables]


NONSENSE = {
    "switch.pull": ({"mode": "off", **REASON}, "switch.pull: mode: Input should be 'throttle'"),
    "switch.restore": ({}, "switch.restore: give `reason`"),
    "incident.acknowledge": ({"incident": 0}, "incident: Input should be greater than or equal to 1"),
    "incident.note": ({"text": ""}, "text: String should have at least 1"),
    "incident.severity": ({"severity": "grave", **REASON}, "severity: Input should be 'info'"),
    "incident.resolve": ({"reason": "x" * 2001}, "reason: String should have at most 2000"),
    "incident.escalate": ({"to": "bo"}, "to: Extra inputs"),
    "incident.link": ({"address": "ftp://x"}, "address: String should match"),
    "evidence.record": ({"kind": "praised"}, "kind: Input should be"),
}
SOUND = {
    "switch.pull": FALLBACK,
    "switch.restore": REASON,
    "incident.acknowledge": {},
    "incident.note": {"text": "seen"},
    "incident.severity": {"severity": "warning", **REASON},
    "incident.resolve": REASON,
    "incident.escalate": {},
    "incident.link": {"address": "https://tickets.example.org/7"},
    "evidence.record": {"kind": "drilled"},
}
OF_ACTS = ("switch", "incident", "evidence")


def test_every_operation_is_tried() -> None:
    assert set(NONSENSE) == set(SOUND) == set(OWN_ACTS)


@pytest.mark.parametrize("operation", OWN_ACTS)
def test_nonsense_is_refused_with_a_sentence_and_changes_nothing(operation: str) -> None:
    at_desk = desk()
    with_, said = NONSENSE[operation]
    before = written(at_desk)
    found = act(at_desk, run(), operation, **with_)
    assert (found.state, found.again) == ("failed", False)
    assert said in found.detail
    assert written(at_desk) == before


def escalating() -> Desk:
    known = card("delay", tier=2, owners={"team": "ops", "escalation": "duty"})
    levels = [{"to": [{"person": "ana"}]}, {"after": "15m", "to": [{"person": "bo"}]}]
    return desk(known, escalations={"duty": {"levels": levels, "fallback": [{"person": "cy"}]}})


@pytest.mark.parametrize("operation", OWN_ACTS)
def test_a_dry_run_says_what_would_be_and_changes_nothing(operation: str) -> None:
    at_desk = escalating()
    of = run(incident=firing(at_desk))
    if operation == "switch.restore":
        act(at_desk, of, "switch.pull", **FALLBACK)
    before = written(at_desk)
    dry = act(at_desk, of, operation, dry=True, number=2, **SOUND[operation])
    assert dry.state == "done", dry
    assert written(at_desk) == before
    real = act(at_desk, of, operation, number=2, **SOUND[operation])
    assert real.detail == dry.detail
    assert set(real.outputs) == set(OWN_ACTS[operation].outputs)
    assert written(at_desk) != before
    at_desk.later()
    at_desk.verify()
    entered = [each.decision for kind in OF_ACTS for each in at_desk.entries(kind) if each.decision.actor == "ana"]
    assert {each.body["channel"] for each in entered} == {"run"}


def test_a_pull_is_in_the_name_of_who_started_the_run_and_names_the_run() -> None:
    at_desk = desk()
    number = firing(at_desk)
    found = act(at_desk, run(incident=number), "switch.pull", **FALLBACK, expires="4h")
    assert (found.detail, found.outputs["changed"]) == ("delay is in fallback", True)
    setting = at_desk.switch("delay").settings[0]
    assert (setting.set_by, setting.incident, setting.origin) == ("ana", number, "person")
    assert setting.expires_at == at_desk.now + timedelta(hours=4)
    again = act(at_desk, run(), "switch.pull", number=2, mode="shadow", **REASON)
    assert (again.state, again.detail, again.outputs["changed"]) == ("done", "delay is in fallback already", False)
    at_desk.later()
    (entry,) = at_desk.entries("switch.pulled")
    assert (entry.decision.actor, entry.decision.body["run"]) == ("ana", "RUN-1")
    assert entry.decision.body["key"] == "RUN-1/step/1"


@pytest.mark.parametrize("operation", ["switch.pull", "switch.restore", "incident.note", "evidence.record"])
def test_who_lost_the_right_meanwhile_does_nothing_any_more(operation: str) -> None:
    at_desk = desk()
    number = firing(at_desk)
    pull(at_desk.engine, "delay", "fallback", actor="ana", because="x", at=at_desk.now)
    before = written(at_desk)
    found = act(at_desk, run("eve", incident=number), operation, **SOUND[operation])
    assert (found.state, found.again) == ("failed", False)
    assert "'eve' may not" in found.detail
    assert "these people may: " in found.detail
    assert written(at_desk) == before


def test_a_run_that_nobody_started_pulls_within_the_blast_radius_only() -> None:
    at_desk = desk(automation={"models": 1, "share": "0%"})
    rule = run("engine", rule="errors")
    assert act(at_desk, rule, "switch.pull", **FALLBACK).state == "done"
    setting = at_desk.switch("delay").settings[0]
    assert (setting.origin, setting.set_by, setting.guards) == ("rule", "rule errors", ("errors",))
    beyond = act(at_desk, run("engine", "spam"), "switch.pull", **FALLBACK)
    assert beyond.state == "failed"
    assert "rules have pulled 1 models within 15m, and 1 is the most they may" in beyond.detail
    assert "gov switch pull spam fallback" in beyond.detail
    assert at_desk.switch("spam").settings == ()
    assert act(at_desk, rule, "switch.pull", number=2, mode="stopped", **REASON).state == "done"


def pulled(model: str) -> Desk:
    at_desk = desk()
    pull(at_desk.engine, model, "fallback", actor="ana", because="x", at=at_desk.now)
    at_desk.later()
    return at_desk


def test_one_person_restores_a_model_that_needs_no_second() -> None:
    at_desk = pulled("delay")
    found = act(at_desk, run("bo"), "switch.restore", **REASON)
    assert (found.state, found.detail, found.outputs["mode"]) == ("done", "delay is live", "live")
    again = act(at_desk, run("bo"), "switch.restore", number=2, **REASON)
    assert (again.state, again.outputs["changed"]) == ("done", False)


def test_a_model_of_tier_1_is_restored_by_the_starter_and_who_consented_last() -> None:
    at_desk = pulled("credit")
    alone = act(at_desk, run("cy", "credit"), "switch.restore", **REASON)
    assert (alone.state, alone.detail) == (
        "failed",
        "restoring credit takes a second person who consented in this run; these people may: dee, flo",
    )
    own_consent = run("cy", "credit", [("cy", at_desk.now)])
    assert act(at_desk, own_consent, "switch.restore", **REASON).state == "failed"
    both = run("cy", "credit", [("dee", at_desk.now)])
    assert act(at_desk, both, "switch.restore", **REASON).state == "done"
    at_desk.later()
    (entry,) = at_desk.entries("switch.restored")
    assert (entry.decision.actor, entry.decision.body["approved_by"]) == ("cy", "dee")
    assert at_desk.switch("credit").settings == ()


def test_a_run_that_nobody_started_restores_only_by_those_who_consented() -> None:
    at_desk = pulled("credit")
    one = act(at_desk, run("engine", "credit", [("dee", at_desk.now)]), "switch.restore", **REASON)
    assert one.state == "failed"
    assert "only where two people must have consented" in one.detail
    two = run("engine", "credit", [("cy", at_desk.now), ("dee", at_desk.now)])
    assert act(at_desk, two, "switch.restore", **REASON).state == "done"
    at_desk.later()
    (entry,) = at_desk.entries("switch.restored")
    assert (entry.decision.actor, entry.decision.body["approved_by"]) == ("cy", "dee")
    lower = pulled("delay")
    assert act(lower, run("engine"), "switch.restore", **REASON).state == "failed"
    assert act(lower, run("engine", "delay", [("bo", lower.now)]), "switch.restore", **REASON).state == "done"


def test_only_the_last_consent_of_a_run_approves_its_restore() -> None:
    at_desk = pulled("credit")
    asked = run("cy", "credit", [("dee", at_desk.now)])
    later = Visit("other", 1, "done", START, answers=(Answer("eve", at_desk.now, approved=True),))
    found = act(at_desk, replace(asked, visits=(*asked.visits, later)), "switch.restore", **REASON)
    assert found.state == "failed"
    assert "these people may: dee, flo" in found.detail
    refused = Visit("consent", 1, "failed", START, answers=(Answer("dee", at_desk.now, approved=True),))
    assert act(at_desk, replace(asked, visits=(refused,)), "switch.restore", **REASON).state == "failed"


def test_a_consent_to_another_state_of_the_switch_is_void_unless_the_run_changed_it() -> None:
    at_desk = pulled("credit")
    consented = run("cy", "credit", [("dee", at_desk.now)])
    at_desk.later()
    pull(at_desk.engine, "credit", "stopped", actor="bo", because="worse", at=at_desk.now, confirmed="credit")
    found = act(at_desk, consented, "switch.restore", **REASON)
    assert found.state == "failed"
    assert "the switch of credit changed at" in found.detail
    assert "after dee consented at" in found.detail
    ours = Visit("pull", 1, "done", START, outputs={"seq": at_desk.switch("credit").seq})
    by_us = replace(consented, visits=(*consented.visits, ours))
    assert act(at_desk, by_us, "switch.restore", **REASON).state == "done"


def test_a_dry_run_of_a_restore_asks_for_nobodys_consent_and_says_where_nobody_could_give_it() -> None:
    at_desk = pulled("credit")
    assert act(at_desk, run("cy", "credit", mode="dry_run"), "switch.restore", dry=True, **REASON).state == "done"
    only_cy = card("credit", tier=1, rollback={"authority": ["cy"]})
    at_desk.replan(only_cy, roles=[{"role": "responder", "who": ["ops"]}])
    alone = act(at_desk, run("cy", "credit", mode="dry_run"), "switch.restore", dry=True, **REASON)
    assert alone.detail.endswith("these people may: nobody; the organisation names none")


def test_incidents_are_taken_and_closed_by_people_and_what_is_so_already_is_done() -> None:
    at_desk = desk()
    number = firing(at_desk)
    mine, engines = run(incident=number), run("engine", incident=number)
    for operation in ("incident.acknowledge", "incident.resolve"):
        refused = act(at_desk, engines, operation, **SOUND[operation])
        assert refused.detail == (
            f"incident {number} is for a person: a run that nobody started neither takes nor closes one"
        )
    assert act(at_desk, engines, "incident.severity", severity="warning", **REASON).outputs["severity"] == "warning"
    assert act(at_desk, mine, "incident.severity", number=2, severity="warning", **REASON).outputs["changed"] is False
    assert act(at_desk, mine, "incident.acknowledge", number=3).outputs["status"] == "acknowledged"
    again = act(at_desk, run("bo", incident=number), "incident.acknowledge", number=4)
    assert (again.detail, again.outputs["changed"]) == (f"INC-{number} is acknowledged by ana already", False)
    assert act(at_desk, mine, "incident.resolve", number=5, **REASON).outputs["status"] == "resolved"
    assert act(at_desk, mine, "incident.resolve", number=6, **REASON).outputs["changed"] is False
    late = act(at_desk, mine, "incident.severity", number=7, severity="critical", **REASON)
    assert "was resolved by ana" in late.detail


def test_an_incident_that_is_none_and_one_of_another_model_are_refused() -> None:
    at_desk = desk()
    other = firing(at_desk, "spam")
    assert (
        act(at_desk, run(), "incident.note", text="x").detail
        == "this run is about no incident; say which one: `incident`"
    )
    assert "no incident 99" in act(at_desk, run(), "incident.note", text="x", incident=99).detail
    engines = act(at_desk, run("engine"), "incident.note", text="x", incident=other)
    assert "acts on delay only" in engines.detail


def test_two_notes_of_one_instant_are_two_notes() -> None:
    at_desk = desk()
    of = run(incident=firing(at_desk))
    assert [act(at_desk, of, "incident.note", number=each, text="seen").state for each in (1, 2)] == ["done", "done"]
    at_desk.later()
    assert len(at_desk.entries("incident.noted")) == 2


def test_what_fails_halfway_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_desk = desk()
    before = written(at_desk)

    def breaks(*_: object) -> None:
        raise operations.NotFound("what it needs is gone")

    monkeypatch.setattr("governance.engine.switching.change.follow", breaks)
    found = act(at_desk, run(), "switch.pull", **FALLBACK)
    assert (found.state, found.detail) == ("failed", "what it needs is gone")
    assert written(at_desk) == before


def test_evidence_is_recorded_once_for_each_visit_and_a_review_is_said_by_people() -> None:
    at_desk = desk()
    for number in (1, 2):
        assert act(at_desk, run("engine"), "evidence.record", number=number, kind="drilled", note="n").state == "done"
    assert act(at_desk, run("engine"), "evidence.record", kind="approved").state == "failed"
    assert act(at_desk, run(), "evidence.record", number=3, kind="approved").state == "done"
    with at_desk.engine.database.read() as connection:
        found = [(each.kind, each.actor) for each, _ in evidence.of_model(connection, "delay")]
    assert sorted(found) == [("approved", "ana"), ("drilled", "engine"), ("drilled", "engine")]


class Rooms:
    """A notifier that has channels, as Slack's has."""

    FOLDS = "channel"

    def perform(self, effect: Any) -> Receipt:  # noqa: ARG002 (the shape that plug-ins share)
        return Receipt(delivered=True)


def notices(at_desk: Desk, **asked: Any) -> tuple[Outcome, list[tuple[str, str]]]:
    with at_desk.engine.database.transaction() as connection:
        found = notified(
            connection, at_desk.engine, run(), "RUN-1/tell/1", "delay is back.\nThanks.", at_desk.now, **asked
        )
        return found, [(each.notifier, each.place) for each in effects.pending(connection)]


def test_a_notice_is_told_to_who_hears_of_the_model_or_to_whom_it_names() -> None:
    at_desk = desk(card("delay", owners={"team": "ops", "channel": "#delay"}))
    at_desk.engine.notifiers = {"pager": at_desk.pager, "rooms": Rooms()}
    found, told = notices(at_desk)
    assert (found.state, told) == ("done", [("pager", ""), ("rooms", "#delay")])
    at_desk.later()
    assert at_desk.told() == ["info notice: delay is back."]
    (effect,) = at_desk.pager.effects
    assert (effect.message.findings, effect.rule, effect.incident) == (("Thanks.",), "RUN-1 (degrade)", 0)


@pytest.mark.parametrize(
    ("asked", "told", "said"),
    [
        ({"channel": "#war"}, [("rooms", "#war")], "told by rooms in #war: delay is back."),
        ({"notifier": "pager"}, [("pager", "")], "told by pager: delay is back."),
        ({"notifier": "rooms", "channel": "#war"}, [("rooms", "#war")], "told by rooms in #war: delay is back."),
        ({"notifier": "pagr"}, [], "no notifier 'pagr'; did you mean 'pager'?"),
    ],
)
def test_a_notice_goes_where_it_says(asked, told, said) -> None:
    at_desk = desk(*CARDS)
    at_desk.engine.notifiers = {"pager": at_desk.pager, "rooms": Rooms()}
    found, effects_ = notices(at_desk, **asked)
    assert (effects_, found.detail) == (told, said)


def test_a_notifier_of_incidents_alone_hears_no_notice() -> None:
    at_desk = desk()
    events = PagerDuty(PagerDutyConfig(routing_key_env="KEY"))
    at_desk.engine.notifiers = {"events": events, "pager": at_desk.pager}
    assert notices(at_desk)[1] == [("pager", "")]
    found, _ = notices(at_desk, notifier="events")
    assert (found.state, found.detail) == ("failed", "'events' tells of incidents only, and this is a notice")


def test_a_notice_that_nobody_would_hear_is_a_failure() -> None:
    at_desk = desk()
    at_desk.engine.notifiers = {}
    assert notices(at_desk)[0].detail == "no notifier hears of delay"
