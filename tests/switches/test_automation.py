"""What rules pull by themselves, and where they stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from switches.desk import HOUR, MINUTE, Desk, Remembering, World, card, desk

from governance.core.switch import Scope
from governance.engine import operations, switching
from governance.engine.loop import step


def acting(model: str, when: Any = "metrics.errors > 0.5", /, **then: Any) -> dict[str, Any]:
    """Return a card whose rule pulls; also told are warnings where `when` names severities."""
    rule = {"rule": "errors", "when": when, "enforcement": "act", "then": {"switch": "fallback", **then}}
    return card(model, rules=[{**rule, **({"severity": "critical"} if isinstance(when, str) else {})}])


@pytest.fixture
def made() -> Iterator[list[Desk]]:
    """Return a list for desks, whose logs must verify in the end."""
    found: list[Desk] = []
    yield found
    for each in found:
        each.verify()
        each.engine.database.close()


def at(made: list[Desk], *cards: dict[str, Any], world: World | None = None, **organisation: Any) -> Desk:
    made.append(desk(*cards, world=world, **organisation))
    return made[-1]


def wrong(where: Desk, *models: str, value: float = 0.9) -> None:
    where.world.values.update({f"{model}-errors": value for model in models})
    where.later()


def test_a_rule_pulls_what_serves_and_says_so_in_its_page(made: list[Desk]) -> None:
    where = at(made, acting("a", expires="2h"))
    wrong(where, "a")
    (setting,) = where.switch("a").settings
    assert (setting.scope, setting.mode, setting.origin) == (Scope("7"), "fallback", "rule")
    assert (setting.set_by, setting.incident, setting.guards) == ("rule errors", 1, ("errors",))
    assert (setting.expires_at, setting.lasting) == (where.now + 2 * HOUR, 2 * HOUR)
    (effect,) = where.pager.effects
    assert effect.message.proposals == ("Pulled by errors: a is in fallback (version 7).",)
    (entry,) = where.entries()
    assert (entry.decision.kind, entry.decision.actor) == ("switch.pulled", "engine")
    assert entry.decision.subject == {"model": "a", "scope": "version 7", "incident": "1"}
    assert entry.decision.body["rule"] == "errors"


@pytest.mark.parametrize(
    ("then", "versions", "scope"),
    [
        ({"scope": "model"}, {"serving": "7"}, Scope()),
        ({"scope": "version"}, {"serving": "7"}, Scope("7")),
        ({"scope": "version"}, {"fallback": "schedule"}, Scope()),
        ({"scope": "labels"}, {"serving": "7"}, Scope()),
    ],
)
def test_the_scope_of_a_pull(made: list[Desk], then: dict[str, Any], versions: dict[str, Any], scope: Scope) -> None:
    where = at(made, {**acting("a", **then), "versions": versions})
    wrong(where, "a")
    assert [each.scope for each in where.switch("a").settings] == [scope]


def test_a_throttle_by_a_rule_has_its_share(made: list[Desk]) -> None:
    where = at(made, acting("a", switch="throttle", share="25%"))
    wrong(where, "a")
    assert [(each.mode, each.share) for each in where.switch("a").settings] == [("throttle", 0.25)]


def test_only_the_highest_severity_pulls(made: list[Desk]) -> None:
    where = at(made, acting("a", {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.8"}))
    wrong(where, "a", value=0.6)
    assert where.switch("a").settings == ()
    assert where.pager.effects[-1].message.proposals == ("switch version to fallback",)
    wrong(where, "a", value=0.9)
    assert [each.mode for each in where.switch("a").settings] == ["fallback"]


def test_a_rule_that_only_notifies_pulls_nothing(made: list[Desk]) -> None:
    where = at(made, {**acting("a"), "rules": [{**acting("a")["rules"][0], "enforcement": "notify"}]})
    wrong(where, "a")
    assert where.switch("a").seq == 0
    assert where.pager.effects[-1].message.proposals == ("switch version to fallback",)


def test_missing_data_pulls_nothing(made: list[Desk]) -> None:
    where = at(made, acting("a"))
    where.world.values["a-errors"] = None
    where.later(HOUR)
    where.later(HOUR)
    assert where.incidents()
    assert where.switch("a").seq == 0


def test_a_rule_never_restores_and_pulls_once_while_it_fires(made: list[Desk]) -> None:
    where = at(made, acting("a"))
    wrong(where, "a")
    wrong(where, "a", value=0.0)
    assert where.incidents() == []
    assert [each.mode for each in where.switch("a").settings] == ["fallback"]
    wrong(where, "a")
    assert where.switch("a").seq == 1, "it holds already"
    switching.restore(
        where.engine, "a", actor="ana", because="we know", at=where.now, seq=1, confirmed="a", scope=Scope("7")
    )
    where.later()
    assert where.switch("a").settings == (), "it still fires, but people decided"
    wrong(where, "a", value=0.0)
    wrong(where, "a")
    assert [each.seq for each in where.switch("a").settings] == [3], "it fires anew"


def test_what_people_set_is_never_loosened_by_a_rule(made: list[Desk]) -> None:
    where = at(made, acting("a", scope="model", expires="1h"))
    switching.pull(where.engine, "a", "stopped", actor="ana", because="x", at=where.now, confirmed="a")
    wrong(where, "a")
    assert [(each.mode, each.set_by, each.expires_at) for each in where.switch("a").settings] == [
        ("stopped", "ana", None)
    ]


def test_two_rules_guard_what_both_pulled(made: list[Desk]) -> None:
    rules = [{**acting("a", scope="model")["rules"][0], "rule": name, "when": f"metrics.{name} > 0.5"} for name in "xy"]
    metrics = {name: {"source": "s", "query": name} for name in "xy"}
    where = at(made, card("a", rules=rules, metrics=metrics))
    where.world.values["x"] = 0.9
    where.later()
    where.world.values["y"] = 0.9
    where.later()
    assert [each.guards for each in where.switch("a").settings] == [("x", "y")]


def test_beyond_its_blast_radius_automation_asks_a_person(made: list[Desk]) -> None:
    names = list("abcdef")
    where = at(made, *map(acting, names), automation={"models": 3, "share": "10%", "window": "15m"})
    wrong(where, *names)
    assert [name for name in names if where.switch(name).settings] == ["a", "b", "c"]
    assert where.kinds() == ["switch.pulled"] * 3 + ["switch.withheld"] * 3
    (told,) = where.pager.effects  # so many at once are one message, which asks for each of them
    asked = [each for each in told.message.proposals if each.startswith("Not")]
    assert len(asked) == 3
    assert "rules have pulled 3 models within 15m, and 3 is the most they may. A person decides" in asked[0]
    assert "gov switch pull d fallback --version 7 --because …" in asked[0]
    wrong(where, *names, value=0.0)
    where.later(15 * MINUTE)
    wrong(where, "d", "e")
    assert [name for name in names if where.switch(name).settings] == ["a", "b", "c", "d", "e"], "the window is over"


def test_a_restored_model_still_counts_in_the_window(made: list[Desk]) -> None:
    where = at(made, acting("a"), acting("b"), automation={"models": 1})
    wrong(where, "a")
    switching.restore(where.engine, "a", actor="ana", because="x", at=where.now, seq=1, confirmed="a", scope=Scope("7"))
    wrong(where, "b")
    assert where.switch("b").settings == ()


def test_a_share_of_a_large_fleet_is_more_than_three(made: list[Desk]) -> None:
    names = [f"m{number}" for number in range(8)]
    where = at(made, *map(acting, names), automation={"models": 1, "share": "50%"})
    wrong(where, *names)
    assert sum(bool(where.switch(name).settings) for name in names) == 4


def test_what_ended_while_the_engine_was_away_is_not_pulled(made: list[Desk]) -> None:
    for ends in (True, False):
        world = Remembering()
        where = at(made, acting("a"), world=world)
        world.between = (where.now + 5 * MINUTE, where.now + (20 if ends else 99) * MINUTE)
        where.now += 30 * MINUTE
        step(where.engine, where.now)
        assert [each.severity for each in where.incidents("")] == ["critical"]
        assert bool(where.switch("a").settings) == (not ends)


def test_what_a_late_cycle_could_not_pull_is_asked_of_a_person(made: list[Desk]) -> None:
    world = Remembering()
    where = at(made, acting("a"), world=world, automation={"models": 0, "share": 0})
    world.between = (where.now + 5 * MINUTE, where.now + HOUR)
    where.now += 30 * MINUTE
    step(where.engine, where.now)
    assert where.switch("a").seq == 0
    assert where.kinds() == ["switch.withheld"]
    assert any("errors would pull a: rules have pulled 0 models" in each for each in where.told())
    operations.resolve(where.engine, 2, actor="ana", because="left", at=where.now)
    step(where.engine, where.now + MINUTE)
    assert where.kinds() == ["switch.withheld"], "said once"
