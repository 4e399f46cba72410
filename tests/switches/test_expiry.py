"""How a setting ends: gated by its guards, by the engine alone, over restarts and steps of the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from switches.desk import CARDS, HOUR, MINUTE, Desk, card, desk

from governance.core.switch import Scope, Setting, Switch
from governance.core.switch_warnings import warnings
from governance.core.waiver import Waiver
from governance.engine import operations, switching
from governance.engine.board import Board
from governance.engine.clock import stepped


@pytest.fixture
def at() -> Iterator[Desk]:
    """Return a desk whose log must verify in the end."""
    made = desk()
    yield made
    made.verify()
    made.engine.database.close()


def pull(at: Desk, **more: Any) -> None:
    said = {"actor": "ana", "because": "x", "at": at.now, "expires": HOUR, **more}
    switching.pull(at.engine, "delay", "fallback", **said)


def left(at: Desk) -> Setting | None:
    return at.switch("delay").at(Scope())


def test_a_healthy_model_comes_back_at_the_end(at: Desk) -> None:
    pull(at)
    at.later(59 * MINUTE)
    assert left(at) is not None
    at.later(MINUTE)
    assert left(at) is None
    entry = at.entries()[-1].decision
    assert (entry.kind, entry.actor) == ("switch.expired", "engine")
    assert at.told() == []


def ill(at: Desk, how: str) -> None:
    """Make the guard of the model unhealthy in one of many ways."""
    if how == "fails":
        at.world.values["delay-errors"] = 0.9
    elif how == "no data":
        at.world.values["delay-errors"] = None
    elif how == "stale":
        at.world.age = HOUR
    elif how == "source down":
        at.world.down = True
    elif how == "waived":
        waiver = Waiver("w1", "delay", "errors", (), "x", "ana", "flo", at.now + 9 * HOUR)
        operations.waive(at.engine, waiver, at=at.now)
    elif how == "rule gone":
        at.replan(*({**each, "rules": []} if each["model"] == "delay" else each for each in CARDS))
    elif how == "only observed":
        rule = {**card("delay")["rules"][0], "enforcement": "observe"}
        at.replan(*({**each, "rules": [rule]} if each["model"] == "delay" else each for each in CARDS))
    elif how == "model gone":
        at.replan(*(each for each in CARDS if each["model"] != "delay"))


ILL = {
    "fails": "errors says fail",
    "no data": "errors says no_data",
    "stale": "errors says stale",
    "source down": "errors says error",
    "waived": "errors says waived",
    "rule gone": "no rule guards it",
    "only observed": "no rule guards it",
    "model gone": "no card declares delay",
}


@pytest.mark.parametrize("how", ILL)
def test_an_unhealthy_guard_keeps_the_switch_and_pages(at: Desk, how: str) -> None:
    pull(at)
    ill(at, how)
    at.later(HOUR)
    setting = left(at)
    assert setting is not None
    assert (setting.extended, setting.expires_at) == (1, at.now + HOUR)
    assert at.kinds()[-1] == "switch.extended"
    (page,) = [each for each in at.told() if "is not given back" in each]
    assert page.startswith("critical first: delay is in fallback since 2026-01-05 00:00 UTC by ana")
    assert ILL[how] in page
    at.later(HOUR)
    assert [each.split(":")[0] for each in at.told() if "is not given back" in each][-1] == "critical new_findings"
    kept = left(at)
    assert kept is not None
    assert kept.extended == 2
    assert list(warnings(at.switch("delay"), at.now)) == ["its end was put off 2 times, as its guards are not healthy"]


def test_it_comes_back_when_the_guard_is_healthy_again_and_the_page_ends(at: Desk) -> None:
    pull(at)
    ill(at, "fails")
    at.later(HOUR)
    at.world.values["delay-errors"] = 0.0
    at.later(HOUR)
    assert left(at) is None
    assert at.incidents() == []
    assert at.kinds() == ["switch.pulled", "switch.extended", "switch.expired"]


def test_a_person_who_restores_ends_the_page(at: Desk) -> None:
    pull(at)
    ill(at, "no data")
    at.later(HOUR)
    said = {"actor": "ana", "because": "x", "at": at.now, "confirmed": "delay"}
    switching.restore(at.engine, "delay", seq=at.switch("delay").seq, **said)
    assert [each.title for each in at.incidents() if "given back" in each.title] == []


def test_the_rules_of_its_incident_guard_a_pull(at: Desk) -> None:
    rules = [{**card("delay")["rules"][0], "rule": name, "when": f"metrics.{name} > 0.5"} for name in "xy"]
    metrics = {name: {"source": "s", "query": name} for name in "xy"}
    at.replan(card("delay", rules=rules, metrics=metrics))
    at.world.values["x"] = 0.9
    at.later()
    pull(at, incident=1)
    at.world.values.update(x=0.0, y=None)
    at.later(HOUR)
    assert left(at) is None, "y did not fire, and does not guard it"


def test_a_rule_that_pulled_guards_and_every_label_set_counts(at: Desk) -> None:
    rule = {**card("delay")["rules"][0], "enforcement": "act", "then": {"switch": "stopped", "expires": "1h"}}
    at.replan(card("delay", rules=[rule]))
    at.world.values["delay-errors"] = 0.9
    at.later()
    at.later(HOUR)
    (setting,) = at.switch("delay").settings
    assert (setting.mode, setting.extended, setting.guards) == ("stopped", 1, ("errors",))


def test_a_new_setting_cancels_the_old_end(at: Desk) -> None:
    pull(at)
    at.later(30 * MINUTE)
    pull(at, expires=None)
    at.later(2 * HOUR)
    setting = left(at)
    assert setting is not None
    assert (setting.extended, setting.expires_at) == (0, None)


def test_a_switch_that_ended_while_the_engine_was_away_is_gated_at_its_return(at: Desk) -> None:
    pull(at)
    at.world.values["delay-errors"] = 0.9
    at.later(10 * HOUR)
    setting = left(at)
    assert setting is not None
    assert (setting.extended, setting.expires_at) == (1, at.now + HOUR)


def test_the_end_moves_with_the_clock(at: Desk) -> None:
    pull(at)
    for by in (timedelta(days=1), timedelta(days=-2)):
        at.now += by
        stepped(at.engine, by, at=at.now)
        at.later(10 * MINUTE)
        assert left(at) is not None
    at.later(41 * MINUTE)
    assert left(at) is None


def test_an_end_that_moved_is_a_change_that_clients_learn_of(at: Desk) -> None:
    pull(at)
    switching.pull(at.engine, "credit", "fallback", actor="ana", because="x", at=at.now, expires=HOUR)
    said = {"actor": "cy", "because": "x", "at": at.now, "seq": 2, "confirmed": "credit"}
    asked = switching.restore(at.engine, "credit", **said)
    assert isinstance(asked, switching.Requested)
    board = Board(at.engine)
    at.now += timedelta(days=1)
    stepped(at.engine, timedelta(days=1), at=at.now)
    board.refresh()
    assert (board.seq, board.switches["delay"].seq, board.switches["credit"].seq) == (4, 4, 3)
    ends = {each.expires_at for model in ("delay", "credit") for each in board.switches[model].settings}
    assert ends == {at.now + HOUR}
    assert at.entries("clock.stepped")[-1].decision.body["switches"] == {"credit": 3, "delay": 4}
    switching.approve(at.engine, asked.approval.id, actor="dee", at=at.now)
    assert at.switch("credit").settings == (), "a restore that waits goes along"


def test_a_request_nobody_answers_is_voided_with_an_entry(at: Desk) -> None:
    switching.pull(at.engine, "credit", "fallback", actor="ana", because="x", at=at.now)
    said = {"actor": "cy", "because": "x", "at": at.now, "seq": 1, "confirmed": "credit"}
    switching.restore(at.engine, "credit", **said)
    at.later(25 * HOUR)
    assert at.kinds()[-1] == "switch.voided"
    assert switching.pending(at.engine) == []


def test_a_switch_not_live_for_a_day_is_warned_of(at: Desk) -> None:
    pull(at, expires=None, scope=Scope("7"))
    assert list(warnings(at.switch("delay"), at.now + 24 * HOUR)) == []
    (said,) = warnings(at.switch("delay"), at.now + 30 * HOUR)
    assert said == "not live (version 7) for 30 h: mend the model, or take it out of service for good"
    assert list(warnings(Switch("delay"), at.now)) == []
