"""What people answer incidents with: who is told, who is not, who was first, and what the log says of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from switches.desk import DAY, HOUR, MINUTE, Desk, card, desk

from governance.core.authority import Actor
from governance.core.incident import Incident
from governance.engine import operations
from governance.engine.timeline import timeline
from governance.errors import Conflict, Denied, InvalidDocument, NotFound

RULE = {"rule": "errors", "when": {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.8"}}
SECOND = timedelta(seconds=1)


@pytest.fixture
def at() -> Desk:
    """Three models: two with a warning that fires, one that is well."""
    made = desk(*(card(name, rules=[RULE]) for name in ("delay", "spam", "credit")))
    made.world.values |= {"delay-errors": 0.6, "spam-errors": 0.7}
    made.later()
    assert [each.model for each in made.incidents()] == ["spam", "delay"]
    made.pager.effects.clear()
    return made


def does(at: Desk, act: str, number: int = 1, actor: Any = "ana", **more: Any) -> operations.Done:
    done: operations.Done = getattr(operations, act)(at.engine, number, actor=actor, at=at.now, **more)
    return done


def incident(at: Desk, number: int = 1) -> Incident:
    return next(each for each in at.incidents("") if each.id == number)


def value(at: Desk, model: str, found: float | None) -> None:
    at.world.values[f"{model}-errors"] = found
    at.later()


def snoozed(at: Desk, number: int = 1, **more: Any) -> None:
    does(at, "snooze", number, until=at.now + HOUR, because="lunch", **more)


# --- every act


ACTS: dict[str, tuple[str, dict[str, Any]]] = {
    "acknowledge": ("incident.acknowledged", {}),
    "resolve": ("incident.resolved", {"because": "fixed"}),
    "note": ("incident.noted", {"text": "the feed is late"}),
    "snooze": ("incident.snoozed", {"until": HOUR, "because": "lunch"}),
    "set_severity": ("incident.severity_set", {"severity": "critical", "because": "it is the main market"}),
    "hand_over": ("incident.handed_over", {"to": "bo", "because": "my shift ends"}),
    "merge": ("incident.merged", {"into": 2, "because": "the same feed"}),
    "link": ("incident.linked", {"address": "https://tickets.example.com/7", "title": "the ticket"}),
}


def given(at: Desk, act: str) -> dict[str, Any]:
    return {name: at.now + each if isinstance(each, timedelta) else each for name, each in ACTS[act][1].items()}


@pytest.mark.parametrize("act", ACTS)
def test_every_act_has_an_entry_with_its_actor_channel_and_reason(at: Desk, act: str) -> None:
    done = does(at, act, actor=Actor("ana", channel="slack"), **given(at, act))
    entry = next(each.decision for each in at.entries("incident") if each.seq == done.entry)
    assert (entry.kind, entry.actor, entry.subject) == (ACTS[act][0], "ana", {"model": "delay", "incident": "1"})
    assert entry.body["channel"] == "slack"
    for name in ("because", "text", "address", "to"):
        assert entry.body.get(name) == ACTS[act][1].get(name)
    assert incident(at).version == (1 if act == "note" else 2)
    assert act == "note" or incident(at).responders == (("ana", "bo") if act == "hand_over" else ("ana",))
    at.verify()


@pytest.mark.parametrize("act", ACTS)
def test_every_act_is_refused_to_who_may_not_and_changes_nothing(at: Desk, act: str) -> None:
    before = len(at.entries("incident"))
    with pytest.raises(Denied, match="these people may: ana, bo, flo"):
        does(at, act, actor="eve", **given(at, act))
    assert (incident(at).version, len(at.entries("incident"))) == (1, before)


@pytest.mark.parametrize("act", ACTS)
def test_every_act_on_what_has_changed_says_who_was_first_and_how_long_ago(at: Desk, act: str) -> None:
    snoozed(at, actor="bo")
    at.now += 3 * MINUTE
    said = r"has changed since version 1: it is snoozed by bo until .* since .* UTC \(3 m ago\), version 2"
    with pytest.raises(Conflict, match=said):
        does(at, act, version=1, **given(at, act))


@pytest.mark.parametrize("act", [each for each in ACTS if each not in ("note", "link")])
def test_every_act_on_what_is_closed_says_who_closed_it(at: Desk, act: str) -> None:
    does(at, "resolve", actor="bo", because="fixed")
    at.now += SECOND
    with pytest.raises(Conflict, match=r"was resolved by bo at .* UTC \(1 s ago\)"):
        does(at, act, **given(at, act))


def test_a_post_script_may_be_noted_and_linked(at: Desk) -> None:
    does(at, "resolve", actor="bo", because="fixed")
    does(at, "note", text="the cause was the feed")
    assert does(at, "link", **given(at, "link")).incident.status == "resolved"


@pytest.mark.parametrize("act", [each for each in ACTS if each != "merge"])
def test_no_act_on_an_incident_that_there_is_not(at: Desk, act: str) -> None:
    with pytest.raises(NotFound, match="no incident 9; the newest is 2"):
        does(at, act, 9, **given(at, act))


# --- snooze


def test_nobody_hears_of_a_snoozed_incident_until_it_wakes_by_itself_and_says_so() -> None:
    labelled = card("delay", metrics={"errors": {"source": "s", "query": "delay-errors"},
                    "late": {"source": "s", "query": "delay-late"}},
                    rules=[RULE, {"rule": "late", "when": "metrics.late > 0.5"}])  # fmt: skip
    at = desk(labelled)
    value(at, "delay", 0.6)
    at.pager.effects.clear()
    snoozed(at)
    at.world.values["delay-late"] = 0.9
    at.later()
    assert at.told() == []
    withheld = at.entries("notification.withheld")[-1].decision.body
    assert withheld["receipt"] == "snoozed by ana until 2026-01-05 01:01 UTC: lunch"
    at.later(HOUR)
    at.later()
    assert at.told() == ["warning reminder: errors (and 1 more rule)"]
    message = at.pager.effects[0].message
    assert message.findings == ("errors", "late")
    assert message.proposals == ("ana's snooze is over (lunch); this is still open.",)
    assert [each.text for each in timeline(at.engine, 1) if each.kind == "incident.woken"] == [
        "the snooze is over: errors (and 1 more rule)"
    ]
    at.verify()


def test_an_end_gets_through_and_ends_the_snooze(at: Desk) -> None:
    snoozed(at)
    value(at, "delay", 0.1)
    assert at.told() == ["warning resolved: errors – errors is 0.1 now"]
    value(at, "delay", 0.6)
    assert at.told()[1:] == ["warning reopened: errors"]
    assert incident(at).snooze is None


def test_what_becomes_worse_ends_a_snooze(at: Desk) -> None:
    snoozed(at)
    value(at, "delay", 0.9)
    assert at.told() == ["critical worsened: errors"]
    assert incident(at).snooze is None


def test_a_snooze_must_end_within_a_week(at: Desk) -> None:
    for until in (at.now, at.now - MINUTE, at.now + 7 * DAY + SECOND):
        with pytest.raises(InvalidDocument, match=r"a snooze ends after now, .*, and within 7 days"):
            does(at, "snooze", until=until, because="lunch")
    does(at, "snooze", until=at.now + 7 * DAY, because="lunch")


# --- severity


def test_a_severity_that_a_person_gives_holds_until_something_new_is_worse(at: Desk) -> None:
    value(at, "delay", 0.9)
    does(at, "acknowledge")
    at.pager.effects.clear()
    does(at, "set_severity", severity="info", because="a test market")
    value(at, "delay", 0.95)
    assert (incident(at).severity, incident(at).status, at.told()) == ("info", "acknowledged", [])
    value(at, "delay", 0.6)
    value(at, "delay", 0.9)
    assert (incident(at).severity, incident(at).status) == ("critical", "triggered"), "it worsened anew"
    assert incident(at).severity_set is None
    assert at.told() == ["critical worsened: errors"]


def test_raising_a_severity_is_told_and_lowering_it_is_not(at: Desk) -> None:
    does(at, "set_severity", severity="critical", because="the main market")
    at.later()
    assert at.told() == ["critical worsened: errors"]
    value(at, "delay", 0.55)
    does(at, "set_severity", severity="warning", because="it is not")
    at.later()
    assert len(at.told()) == 1
    with pytest.raises(Conflict, match="incident 1 is warning already"):
        does(at, "set_severity", severity="warning", because="x")


# --- lead


def test_a_lead_is_handed_over_to_who_may_lead(at: Desk) -> None:
    does(at, "acknowledge")
    assert incident(at).lead == "ana"
    does(at, "hand_over", to="bo", because="my shift ends")
    assert (incident(at).lead, incident(at).acknowledged_by) == ("bo", "ana")
    with pytest.raises(Conflict, match=r"acknowledged by ana; bo leads it \("):
        does(at, "acknowledge", actor="flo")
    with pytest.raises(Conflict, match="bo leads incident 1 already"):
        does(at, "hand_over", to="bo")
    with pytest.raises(NotFound, match="no person 'boo'; did you mean 'bo'"):
        does(at, "hand_over", to="boo")
    with pytest.raises(InvalidDocument, match="to: 'eve' may not acknowledge incidents"):
        does(at, "hand_over", to="eve")


# --- notes and links


def test_a_note_makes_nobody_lose_a_race(at: Desk) -> None:
    does(at, "note", text="looking", actor="bo")
    does(at, "acknowledge", version=1)
    assert [each.text for each in timeline(at.engine, 1)][-2:] == ["looking", "took it"]


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001])
def test_a_note_says_something(at: Desk, text: str) -> None:
    with pytest.raises(InvalidDocument, match="a note says something"):
        does(at, "note", text=text)


@pytest.mark.parametrize("address", ["ftp://a.b", "javascript:alert(1)", "https://", "https://a b", "https://a@b/c"])
def test_a_link_leads_to_the_web(at: Desk, address: str) -> None:
    with pytest.raises(InvalidDocument, match="address: begins with https://"):
        does(at, "link", address=address)


def test_the_same_address_again_has_a_new_title(at: Desk) -> None:
    does(at, "link", address="https://a.example.com/1")
    does(at, "link", address="https://a.example.com/1", title="ticket", actor="bo")
    assert [(each.title, each.by) for each in incident(at).links] == [("ticket", "bo")]


# --- merge


def test_a_merged_incident_points_to_the_one_that_has_its_findings(at: Desk) -> None:
    does(at, "merge", into=2, because="the same feed")
    source, target = incident(at), incident(at, 2)
    assert (source.status, source.merged_into, source.firing) == ("resolved", 2, ())
    assert {each.key.model for each in target.firing} == {"delay", "spam"}
    assert [each.model for each in target.affects] == ["delay"]
    at.later()
    assert at.told() == ["warning resolved: errors – merged into INC-2"], "what was told is not told twice"
    assert timeline(at.engine, 2)[-1].text == "merged INC-1 into it: the same feed"
    with pytest.raises(Conflict, match=r"incident 1 was merged into INC-2 by ana at .*; see INC-2"):
        does(at, "resolve", because="x")
    at.verify()


def test_what_its_alerts_tell_later_goes_to_the_other_while_it_is_open(at: Desk) -> None:
    does(at, "merge", into=2, because="the same feed")
    value(at, "delay", 0.1)
    value(at, "delay", 0.9)
    assert len(at.incidents("")) == 2
    assert incident(at, 2).severity == "critical"
    at.world.values |= {"delay-errors": 0.1, "spam-errors": 0.1}
    at.later()
    assert incident(at, 2).status == "resolved", "both changed in one cycle"
    assert [each.text for each in timeline(at.engine, 2)][-2:] == ["resolved", "told pager (resolved)"]
    at.later(2 * HOUR)
    value(at, "delay", 0.6)
    assert (incident(at, 3).group, incident(at, 3).status) == ("delay", "triggered"), "long after, one of its own"
    at.verify()


def test_findings_that_somebody_has_not_heard_of_are_told_by_the_other() -> None:
    late = {"rule": "late", "when": "metrics.late > 0.5"}
    metrics = {name: {"source": "s", "query": f"delay-{name}"} for name in ("errors", "late")}
    at = desk(card("delay", rules=[RULE, late], metrics=metrics), card("spam", rules=[RULE]))
    at.world.values |= {"delay-errors": 0.6, "spam-errors": 0.7}
    at.later()
    snoozed(at)
    at.world.values["delay-late"] = 0.9
    at.later()
    at.pager.effects.clear()
    does(at, "merge", into=2, because="the same feed")
    at.later()
    ended, more = at.told()
    assert ended == "warning resolved: errors (and 1 more rule) – merged into INC-2"
    assert more.startswith("warning new_findings: errors (and ")
    assert at.pager.effects[1].message.findings[:3] == ("errors", "delay: errors", "delay: late")


def test_a_snooze_under_which_nothing_happened_keeps_nothing_from_anybody(at: Desk) -> None:
    snoozed(at)
    does(at, "merge", into=2, because="the same feed")
    at.later()
    assert at.told() == ["warning resolved: errors – merged into INC-2"]


def test_a_worse_incident_triggers_the_acknowledged_one_anew_unless_it_was_known(at: Desk) -> None:
    value(at, "delay", 0.9)
    does(at, "acknowledge", 2)
    does(at, "merge", into=2, because="x")
    assert (incident(at, 2).status, incident(at, 2).severity) == ("triggered", "critical")


def test_what_both_knew_is_known(at: Desk) -> None:
    value(at, "delay", 0.9)
    does(at, "acknowledge", 1)
    does(at, "acknowledge", 2, actor="bo")
    does(at, "merge", into=2, because="x")
    assert (incident(at, 2).status, incident(at, 2).lead) == ("acknowledged", "bo")
    assert incident(at, 2).responders == ("bo", "ana")


def test_merging_needs_the_right_to_both_and_two_that_are_open(at: Desk) -> None:
    with pytest.raises(InvalidDocument, match="cannot be merged into itself"):
        does(at, "merge", into=1, because="x")
    with pytest.raises(NotFound, match="no incident 9"):
        does(at, "merge", into=9, because="x")
    does(at, "resolve", 2, because="x", actor="bo")
    with pytest.raises(Conflict, match="incident 2 was resolved by bo"):
        does(at, "merge", into=2, because="x")
