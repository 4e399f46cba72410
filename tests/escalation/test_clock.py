"""Who is paged, when and why, while nobody answers, and what an answer does; on the engine with its real loop."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from escalation.duty import LADDER, MINUTE, RULES, START, Duty, duty, names

from governance.core.organisation import Organisation
from governance.core.silence import Silence
from governance.engine import answering
from governance.engine.loop import step
from governance.engine.queries import why
from governance.engine.timeline import timeline
from governance.errors import Conflict, Denied
from governance.store import decision_log, effects, incidents, silences
from governance.store.database import Database


def broken(severity: float = 0.9, **organisation: object) -> Duty:
    """Return an engine that has just found something wrong."""
    found = duty(**organisation)
    found.look()
    found.world.values["delay-errors"] = severity
    found.later()
    return found


def kinds(desk: Duty) -> list[str]:
    return [each.decision.kind for each in decision_log.tail(desk.engine.database, 1000)]


def test_each_level_has_its_time_then_all_again_then_the_fallback() -> None:
    desk = broken()
    desk.until(200)
    assert desk.paged == [
        (1, "mail", 1, ["ana"], "first"),
        (11, "mail", 2, ["ana", "bo", "cy"], "escalated"),
        (31, "mail", 3, ["dee"], "escalated"),
        (51, "mail", 1, ["ana"], "reminder"),
        (61, "mail", 2, ["ana", "bo", "cy"], "reminder"),
        (81, "mail", 3, ["dee"], "reminder"),
        (101, "mail", 4, ["eve"], "escalated"),
    ]
    assert [each.rule for each in desk.mail.effects[:4]] == [
        "level 1 of night: on call for first",
        "level 2 of night: team ops, person cy",
        "level 3 of night: person dee",
        "level 1 of night (again, 1 of 1): on call for first",
    ]
    assert desk.mail.effects[-1].rule == "fallback of night: team bosses"
    assert (desk.mail.effects[-1].to[0].email, desk.mail.effects[-1].to[0].slack) == ("eve@example.com", "U5")
    assert [each.message.reason for each in desk.pager.effects] == ["first"]  # the place hears of changes only
    clock = desk.clock()
    assert clock is not None
    assert (clock.state, clock.next_at) == ("exhausted", None)
    assert kinds(desk).count("incident.paged") == 7


def test_who_is_on_call_is_asked_when_the_level_is_told() -> None:
    desk = broken(escalations={"night": {"levels": [{"to": [{"schedule": "first"}]}], "repeat": 5}})
    desk.until(80)
    on_call = [(at, people) for at, _, _, people, reason in desk.paged]
    assert on_call == [(1, ["ana"]), (16, ["ana"]), (31, ["ana"]), (46, ["ana"]), (61, ["bo"]), (76, ["bo"])]


def test_an_acknowledgement_stops_it_and_what_is_worse_begins_it_anew() -> None:
    ladder = {**LADDER, "levels": [{**LADDER["levels"][0], "severities": ["warning", "critical"]}]}
    desk = broken(0.6, escalations={"night": ladder})
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    desk.until(40)
    assert [each[:3] for each in desk.paged] == [(1, "mail", 1)]
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    assert desk.paged[-1] == (41, "mail", 1, ["ana"], "worsened")
    assert desk.incident().status == "triggered"


def test_a_warning_pages_nobody_unless_a_level_says_so() -> None:
    desk = broken(0.6)
    desk.until(60)
    assert desk.paged == []
    assert [each.message.reason for each in desk.pager.effects] == ["first"]
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    assert desk.paged == [(61, "mail", 1, ["bo"], "worsened")]


def test_the_end_is_told_to_who_was_paged_and_nothing_comes_after_it() -> None:
    desk = broken()
    desk.until(12)
    desk.world.values["delay-errors"] = 0.0
    desk.later()
    desk.until(100)
    reasons = [(at, level, people, reason) for at, _, level, people, reason in desk.paged]
    assert reasons[-1] == (13, 0, ["ana", "bo", "cy"], "resolved")
    assert len(reasons) == 3
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    assert desk.paged[-1][4] in ("reopened", "first")


def test_a_page_that_could_not_be_delivered_is_not_sent_once_somebody_answered() -> None:
    desk = duty()
    desk.look()
    desk.mail.down = True
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    answering.acknowledge(desk.engine, 1, actor="bo", at=desk.now)
    desk.mail.down = False
    desk.until(30)
    assert desk.paged == []
    (page,) = [each for each in desk.effects() if each.level]
    assert (page.state, page.receipt) == ("withheld", "acknowledged by bo before it could be delivered")


def test_an_acknowledged_incident_comes_back_unless_somebody_works_on_it() -> None:
    desk = broken()
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    desk.until(60, every=5)
    answering.note(desk.engine, 1, actor="ana", at=desk.now, text="the feed is late")
    noted = round((desk.now - START) / MINUTE)
    desk.until(noted + 115, every=5)
    assert desk.incident().status == "acknowledged"
    desk.until(noted + 125, every=5)
    incident = desk.incident()
    assert (incident.status, incident.acknowledged_by) == ("triggered", "")
    assert desk.paged[-1][2:] == (1, ["bo"], "reminder")
    assert desk.pager.effects[-1].message.reason == "reminder"
    assert "incident.reminded" in kinds(desk)
    answering.acknowledge(desk.engine, 1, actor="bo", at=desk.now)
    assert desk.incident().acknowledged_by == "bo"


def test_nobody_on_call_is_an_incident_of_the_engine_and_the_fallback_hears_at_once() -> None:
    weekend = {"zone": "UTC", "layers": [{"people": ["ana"], "from": "2026-01-01", "days": ["sat"]}]}
    desk = broken(schedules={"first": weekend})
    page = desk.paged[0]
    assert page == (1, "mail", 1, ["eve"], "first")
    assert desk.mail.effects[0].rule == "level 1 of night: on call for first – nobody; fallback of night"
    (hole,) = [each for each in desk.effects() if each.notifier == ""]
    assert (hole.state, hole.receipt, hole.level) == ("withheld", "nobody is there: on call for first", 1)
    with desk.engine.database.read() as connection:
        (engine,) = incidents.listed(connection, status="open", model="engine")
    assert engine.title == "nobody is on call by first, whom night would tell"
    assert any(each.message.model == "engine" for each in desk.pager.effects)
    desk.until(60)  # told once, however often the level finds nobody
    assert [each.message.model for each in desk.pager.effects].count("engine") == 1
    desk.engine.organisation = Organisation.model_validate(
        {**desk.engine.organisation.model_dump(by_alias=True), "schedules": {"first": {**weekend, "layers": [
            {"people": ["ana"], "from": "2026-01-01"}]}}}
    )  # fmt: skip
    desk.later()
    assert desk.incident(engine.id).status == "resolved"


def test_while_it_is_silenced_the_clock_stands_still_and_says_why() -> None:
    desk = broken()
    quiet = Silence("SIL-1", "bo", "we deploy", desk.now, START + 25 * MINUTE, "delay")
    with desk.engine.database.transaction() as connection:
        silences.add(connection, quiet)
    desk.until(46)
    assert [each[:4] for each in desk.paged] == [
        (1, "mail", 1, ["ana"]),
        (25, "mail", 2, ["ana", "bo", "cy"]),
        (45, "mail", 3, ["dee"]),
    ]
    muted = [each for each in desk.effects() if each.state == "withheld" and each.level]
    assert [(each.level, each.receipt.partition(":")[0]) for each in muted] == [(2, quiet.words.partition(":")[0])]


def test_a_snoozed_incident_pages_nobody_until_it_wakes() -> None:
    desk = broken()
    answering.snooze(desk.engine, 1, until=START + 45 * MINUTE, because="at noon", actor="ana", at=desk.now)
    desk.until(44)
    assert len(desk.paged) == 1
    desk.until(46)
    assert desk.paged[-1] == (45, "mail", 1, ["ana"], "reminder")


def test_a_person_escalates_before_the_time_and_the_clock_goes_on_from_there() -> None:
    desk = broken()
    desk.now += 3 * MINUTE
    done = answering.escalate(desk.engine, 1, actor="ana", at=desk.now, because="I cannot reach the feed")
    step(desk.engine, desk.now)
    assert desk.paged[-1] == (4, "mail", 2, ["ana", "bo", "cy"], "escalated")
    entry = decision_log.entry(desk.engine.database, done.entry).decision
    assert (entry.kind, entry.actor, entry.body["because"]) == ("incident.escalated", "ana", "I cannot reach the feed")
    desk.until(24)
    assert desk.paged[-1][:3] == (24, "mail", 3)
    with pytest.raises(Denied):
        answering.escalate(desk.engine, 1, actor="eve", at=desk.now)
    for _ in range(4):
        answering.escalate(desk.engine, 1, actor="bo", at=desk.now)
    with pytest.raises(Conflict, match="everybody whom night names has been told"):
        answering.escalate(desk.engine, 1, actor="bo", at=desk.now)


def test_escalating_what_somebody_answered_tells_one_level_and_starts_no_clock() -> None:
    desk = broken()
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    answering.escalate(desk.engine, 1, actor="ana", at=desk.now)
    desk.until(60)
    assert [each[2] for each in desk.paged] == [1, 2]


def test_where_another_system_escalates_ours_stops() -> None:
    ladder = {
        "levels": [
            {"to": [{"schedule": "first"}]},
            {"after": "5m", "to": [{"notifier": "chat"}], "hands_over": True},
        ],
        "repeat": 3,
    }
    desk = broken(escalations={"night": ladder})
    assert desk.pager.effects == []  # it hears when its level is told
    desk.until(90)
    assert [(each.level, names(each), each.message.reason) for each in desk.pager.effects] == [(2, [], "escalated")]
    clock = desk.clock()
    assert clock is not None
    assert clock.state == "handed_over"
    desk.world.values["delay-errors"] = 0.0
    desk.later()
    assert desk.pager.effects[-1].message.reason == "resolved"


def test_the_policy_is_that_of_when_the_incident_opened() -> None:
    desk = broken()
    changed = {"night": {"levels": [{"to": [{"person": "dee"}]}]}}
    desk.engine.organisation = Organisation.model_validate(
        {**desk.engine.organisation.model_dump(by_alias=True), "escalations": changed}
    )
    desk.until(11)
    assert desk.paged[-1] == (11, "mail", 2, ["ana", "bo", "cy"], "escalated")


def test_after_a_standstill_no_level_is_left_out_and_none_overtakes() -> None:
    desk = broken()
    desk.now = START + 46 * MINUTE
    desk.look()
    desk.until(66)
    assert [each[:3] for each in desk.paged] == [(1, "mail", 1), (46, "mail", 2), (66, "mail", 3)]


def test_two_looks_at_one_instant_page_once() -> None:
    desk = broken()
    for _ in range(3):
        desk.look()
    desk.until(11)
    for _ in range(3):
        desk.look()
    assert [each[:3] for each in desk.paged] == [(1, "mail", 1), (11, "mail", 2)]


def test_a_model_without_escalation_pages_nobody() -> None:
    desk = broken(escalations={})
    desk.until(30)
    assert desk.paged == []
    with pytest.raises(Conflict, match="delay has no escalation"):
        answering.escalate(desk.engine, 1, actor="ana", at=desk.now)


def test_why_says_who_was_told_by_which_rule_with_the_receipt() -> None:
    desk = broken()
    desk.until(11)
    said = [(each.notifier, each.level, each.to, each.rule, each.receipt) for each in why(desk.engine, 1).notifications]
    assert said == [
        ("chat", 0, [], "", "kept"),
        ("mail", 1, ["ana"], "level 1 of night: on call for first", "kept"),
        ("mail", 2, ["ana", "bo", "cy"], "level 2 of night: team ops, person cy", "kept"),
    ]


def test_an_incident_that_was_found_late_pages_once_if_it_is_still_true() -> None:
    from switches.desk import Remembering

    desk = duty(cycle={})
    desk.look()
    past = Remembering()
    past.between = (START + 10 * MINUTE, START + timedelta(days=1))
    desk.engine.sources = {"s": past}
    desk.now = START + 40 * MINUTE
    desk.look()
    assert desk.paged == [(40, "mail", 1, ["ana"], "first")]
    over = duty(cycle={})
    over.look()
    gone = Remembering()
    gone.between = (START + 10 * MINUTE, START + 20 * MINUTE)
    over.engine.sources = {"s": gone}
    over.now = START + 40 * MINUTE
    over.look()
    assert over.incident().status == "resolved"
    assert over.paged == []


def test_the_timeline_says_who_was_told_and_by_whom_it_was_asked() -> None:
    desk = broken()
    answering.escalate(desk.engine, 1, actor="bo", at=desk.now, because="the feed is gone")
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    desk.until(130, every=5)
    said = [(each.actor, each.text) for each in timeline(desk.engine, 1) if each.kind.startswith("incident.")]
    assert said[1:] == [
        ("engine", "level 1 of night: on call for first; told ana"),
        ("bo", "escalated it: level 2 of night, as bo asked: team ops, person cy; told ana, bo, cy: the feed is gone"),
        ("ana", "took it"),
        ("engine", "nobody did anything for 2h: it is triggered anew, ana had it"),
        ("engine", "level 1 of night: on call for first; told bo"),
    ]


def test_a_restart_goes_on_with_the_clock(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path}/governance.db"
    first = broken(database=Database(where))
    first.engine.database.close()
    second = duty(database=Database(where))  # nothing is in memory any more
    second.world.values["delay-errors"] = 0.9
    second.now = first.now
    second.until(12)
    assert first.paged == [(1, "mail", 1, ["ana"], "first")]
    assert second.paged == [(11, "mail", 2, ["ana", "bo", "cy"], "escalated")]
    with first.engine.database.read() as connection:
        assert [each.level for each in effects.of_incident(connection, 1)] == [0, 1, 2]


def test_a_snooze_of_what_somebody_has_taken_is_not_disturbed_by_its_coming_back() -> None:
    desk = broken()
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    answering.snooze(desk.engine, 1, until=START + timedelta(hours=6), because="tonight", actor="ana", at=desk.now)
    desk.until(6 * 60, every=30)
    assert (desk.incident().status, len(desk.paged)) == ("acknowledged", 1)
    desk.until(9 * 60, every=30)
    assert desk.incident().status == "triggered"


def test_a_switch_that_a_rule_pulled_is_nobodys_answer() -> None:
    acting = [{**RULES[0], "enforcement": "act", "then": {"switch": "fallback"}}]
    desk = broken(rules=acting)
    assert desk.incident().status == "mitigated"
    desk.until(11)
    assert [each[2] for each in desk.paged] == [1, 2]
    answering.acknowledge(desk.engine, 1, actor="cy", at=desk.now)
    desk.until(300, every=10)
    assert [each[2] for each in desk.paged] == [1, 2]
