"""What is shown of each level of an escalation, on the engine with its real loop: told, answered, unheard, to come."""

from __future__ import annotations

from escalation.duty import LADDER, MINUTE, START, Duty, duty

from governance.engine import answering
from governance.engine.escalation_views import escalation_view
from governance.engine.queries import listed, shown
from governance.engine.timeline import timeline
from governance.views import LevelView


def broken(severity: float = 0.9, **organisation: object) -> Duty:
    """Return an engine that has just found something wrong."""
    found = duty(**organisation)
    found.look()
    found.world.values["delay-errors"] = severity
    found.later()
    return found


def levels(desk: Duty) -> list[LevelView]:
    """Return the levels of the incident as they are shown now."""
    incident = desk.incident()
    with desk.engine.database.read() as connection:
        view = escalation_view(connection, desk.engine, incident, desk.now)
    assert view is not None
    return view.levels


def test_each_level_says_who_was_told_when_who_answered_and_who_comes() -> None:
    desk = broken()
    desk.until(11)
    first, second, third, last = levels(desk)
    assert (first.state, first.told_at, first.to) == ("told", START + MINUTE, ["on call for first"])
    assert [(each.who, each.state) for each in second.reached] == [("ana", "told"), ("bo", "told"), ("cy", "told")]
    assert second.told_at == START + 11 * MINUTE
    assert (third.state, third.who, third.told_at) == ("next", ["dee"], None)
    assert (last.state, last.who, last.fallback) == ("later", ["eve"], True)
    answering.acknowledge(desk.engine, 1, actor="bo", at=desk.now + MINUTE)
    desk.until(20)
    first, second, third, last = levels(desk)
    assert (first.answered_by, second.answered_by, third.answered_by) == ("", "bo", "")
    assert second.answered_at == START + 12 * MINUTE
    assert [third.state, last.state] == ["later", "later"]  # nobody is next while somebody works on it
    one, several = shown(desk.engine, 1).escalation, listed(desk.engine)[0].escalation
    assert one is not None
    assert several is not None
    assert (len(one.levels), several.levels) == (4, [])


def test_who_was_told_first_and_answers_late_answers_what_they_were_told() -> None:
    desk = broken(escalations={"night": {**LADDER, "levels": [LADDER["levels"][0], LADDER["levels"][2]]}})
    desk.until(32)
    answering.acknowledge(desk.engine, 1, actor="ana", at=desk.now)
    first, second, _ = levels(desk)
    assert (first.answered_by, second.answered_by) == ("ana", "")


def test_who_could_not_be_told_is_named_with_the_reason() -> None:
    desk = duty()
    desk.look()
    desk.mail.down = True
    desk.world.values["delay-errors"] = 0.9
    desk.later()
    assert [(each.who, each.state, each.why) for each in levels(desk)[0].reached] == [("ana", "waits", "HTTP 503")]
    nobody = broken(schedules={"first": {"zone": "UTC", "layers": [{"people": ["ana"], "from": "2027-01-01"}]}})
    first = levels(nobody)[0]
    assert first.holes == ["on call for first"]
    assert ("on call for first", "failed", "nobody is there: on call for first") in [
        (each.who, each.state, each.why) for each in first.reached
    ]
    assert ("eve", "told") in [(each.who, each.state) for each in first.reached]  # the fallback heard at once


def test_a_level_that_is_not_for_the_severity_is_passed() -> None:
    ladder = {**LADDER, "levels": [LADDER["levels"][0], {**LADDER["levels"][1], "severities": ["warning"]}]}
    desk = broken(0.6, escalations={"night": ladder})
    assert [each.state for each in levels(desk)] == ["passed", "next", "passed"]


def test_a_level_of_the_round_before_is_to_come_again() -> None:
    desk = broken(escalations={"night": {**LADDER, "fallback": []}})
    desk.until(40)
    assert [each.state for each in levels(desk)] == ["next", "told", "told"]
    desk.until(52)
    assert [each.state for each in levels(desk)] == ["told", "next", "later"]
    assert levels(desk)[0].told_at == START + 51 * MINUTE


def test_the_timeline_tells_which_rule_and_which_level_made_it() -> None:
    desk = broken()
    desk.until(11)
    answering.acknowledge(desk.engine, 1, actor="bo", at=desk.now)
    told = {each.kind: (each.source, each.rule) for each in timeline(desk.engine, 1)}
    assert told["incident.opened"] == ("rule", "errors")
    assert told["incident.paged"] == ("escalation", "")
    assert told["incident.acknowledged"] == ("", "")  # nobody said where
