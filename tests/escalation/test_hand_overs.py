"""Who comes on call and who goes hear of it once, with what is open."""

from __future__ import annotations

from escalation.duty import MINUTE, START, duty, names

from governance.actions.console import rendered
from governance.engine.loop import step
from governance.store import decision_log


def test_who_comes_and_who_goes_hear_once_with_what_is_open() -> None:
    desk = duty()
    desk.look()
    desk.world.values["delay-errors"] = 0.9
    desk.until(59)
    assert not [each for each in desk.mail.effects if each.message.reason == "handover"]
    desk.until(65)
    (told,) = [each for each in desk.mail.effects if each.message.reason == "handover"]
    assert (names(told), told.rule, told.level) == (["bo", "ana"], "hand-over of first", 0)
    assert told.message.title == "bo is on call by first now instead of ana; 1 incident is open"
    assert told.message.findings == (f"INC-1 critical, triggered, delay: {desk.incident().title}",)
    assert told.message.at == START + 60 * MINUTE
    assert rendered(told).splitlines() == [
        f"2026-01-05 09:00Z  · info      handover → bo, ana: {told.message.title}",
        f"                   - INC-1 critical, triggered, delay: {desk.incident().title}",
    ]
    assert not [each for each in desk.pager.effects if each.message.reason == "handover"]  # it is for people
    (entry,) = decision_log.tail(desk.engine.database, 10, kind="oncall")
    assert entry.decision.body == {"from": "ana", "to": "bo", "open": [1]}


def test_an_engine_that_was_away_tells_once_who_is_on_call_instead_of_whom() -> None:
    desk = duty()
    desk.look()
    step(desk.engine, START + 26 * 60 * MINUTE)  # bo came and went meanwhile
    assert desk.mail.effects == []
    step(desk.engine, START + 98 * 60 * MINUTE)
    step(desk.engine, START + 98 * 60 * MINUTE)
    assert [names(each) for each in desk.mail.effects] == [["bo", "ana"]]


def test_a_schedule_that_leaves_a_hole_says_so_to_who_goes() -> None:
    hours = {
        "first": {
            "zone": "UTC",
            "layers": [{"people": ["ana"], "from": "2026-01-01", "handover": "00:00", "hours": "00:00-09:00"}],
        }
    }
    desk = duty(schedules=hours)
    desk.look()
    desk.until(61)
    (told,) = desk.mail.effects
    assert names(told) == ["ana"]
    assert told.message.title == "nobody is on call by first now instead of ana; no incident is open"
