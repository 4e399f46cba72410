"""What a cycle asks: each question once, also for models whose version only a registry knows, and what fails then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from questions import AT, MINUTE, Told, card, engine_of, titles

from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Query, Sample
from governance.core.waiver import Waiver
from governance.engine import operations, queries
from governance.engine.collect import Collector
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.engine.parts import Engine


def outcomes(engine: Engine, model: str) -> dict[str, str]:
    return {each.rule: each.outcome for each in queries.judged(engine, model, AT)}


def test_an_answer_from_the_future_is_a_failure() -> None:
    early = Told({"x": (Sample(1.0, AT + MINUTE),)})
    query = Query("s", text="x")
    assert "later than it was asked" in Collector().now([query], {"s": early}, AT)[query].failure


# one question for many models

FLEET = {
    "pack": "fleet",
    "metrics": {"load": {"source": "s", "query": "load by model", "model_label": "model"}},
    "rules": [{"rule": "busy", "when": "metrics.load > 0.8", "summary": "load {metrics.load}"}],
}


def test_one_question_answers_for_the_whole_fleet() -> None:
    samples = tuple(Sample(value, AT, (("model", name),)) for name, value in (("a", 0.9), ("b", 0.1), ("x", 0.99)))
    source = Told({"load by model": samples})
    engine = engine_of([card("a"), card("b"), card("c")], [FLEET], s=source)
    run_cycle(engine, AT)
    assert len(source.asked) == 1
    assert titles(engine) == ["load 0.9"]
    assert [outcomes(engine, model) for model in "abc"] == [
        {"fleet/busy": "fail"},
        {"fleet/busy": "pass"},
        {"fleet/busy": "no_data"},
    ]


def test_an_answer_for_the_fleet_that_names_no_model_is_one_failure_of_its_source() -> None:
    engine = engine_of([card("a"), card("b")], [FLEET], s=Told({"load by model": (Sample(0.9, AT),)}))
    run_cycle(engine, AT)
    why = "no sample has the label 'model' of model_label, which names the model that it is about"
    assert titles(engine) == [f"source s fails: {why}; blinds a, b"]


def test_the_same_question_of_two_models_is_asked_once_and_one_that_names_the_model_twice() -> None:
    metrics = {
        "same": {"source": "s", "query": "select count(*) from t where at > :since"},
        "own": {"source": "s", "query": "select count(*) from t where model = :model"},
    }
    rules = [{"rule": "r", "when": "metrics.same > 5.0 || metrics.own > 5.0"}]
    source = Told({})
    engine = engine_of([card(each, metrics=metrics, rules=rules) for each in ("a", "b")], [], s=source)
    run_cycle(engine, AT)
    asked = sorted((each.text.split()[-3], each.parameters) for each in source.asked)
    assert asked == [("at", ()), ("model", (("model", "a"),)), ("model", (("model", "b"),))]


# what only a registry knows

SERVING = {"versions": {"serving": {"registry": "models", "name": "risk", "serving": "champion"}, "rollback_to": "6"}}
SERVES = "has(card.versions) && has(card.versions.serving)"
RULES = [
    {
        "rule": "wrong-version",
        "when": f"{SERVES} && card.versions.serving == '6'",
        "summary": "{card.versions.serving} serves",
    },
    {"rule": "old", "when": "has(evidence.trained) && now - evidence.trained > duration('30d')"},
    {"rule": "slow", "when": "metrics.p95 > 0.5"},
]
P95 = {"p95": {"source": "s", "query": 'p95{model="$model",version="$version"}'}}


def registered(days: int) -> tuple[Sample, ...]:
    return (Sample((AT - timedelta(days=days)).timestamp(), AT, (("version", "7"),)),)


def test_a_registry_says_which_version_serves_and_when_it_was_trained() -> None:
    registry = Told({"risk@champion": registered(days=31)})
    source = Told({'p95{model="risk",version="7"}': (Sample(0.9, AT),)})
    engine = engine_of([card("risk", **SERVING, metrics=P95, rules=RULES)], [], models=registry, s=source)
    assert outcomes(engine, "risk") == {"wrong-version": "pass", "old": "fail", "slow": "fail"}
    registry.answers["risk@champion"] = registered(days=1)
    assert outcomes(engine, "risk")["old"] == "pass"


def test_a_registry_that_fails_is_one_incident_of_the_engine_and_clears_nothing() -> None:
    registry = Told({"risk@champion": registered(days=1)})
    source = Told({'p95{model="risk",version="7"}': (Sample(0.9, AT),)})
    engine = engine_of([card("risk", **SERVING, metrics=P95, rules=RULES)], [], models=registry, s=source)
    run_cycle(engine, AT)
    assert titles(engine) == ["slow"]
    registry.answers["risk@champion"] = "connection refused"
    source.answers['p95{model="risk",version="7"}'] = (Sample(0.1, AT),)
    run_cycle(engine, AT + MINUTE)  # the version that served a moment ago is still judged
    assert titles(engine) == ["source models fails: connection refused; blinds risk"]
    source.answers['p95{model="risk",version="7"}'] = (Sample(0.9, AT),)
    registry.answers["risk@champion"] = ()  # no such alias any more
    run_cycle(engine, AT + 2 * MINUTE)
    assert sorted(titles(engine)) == ["slow", "source models fails: connection refused; blinds risk"]
    registry.answers["risk@champion"] = registered(days=1)
    run_cycle(engine, AT + 3 * MINUTE)
    assert titles(engine) == ["slow"]


@pytest.mark.parametrize(
    "said",
    [
        (Sample(None, AT, reason="no_data", detail="no alias 'champion' of risk"),),
        (*registered(days=1), Sample(0.0, AT, (("version", "9"),))),
        (Sample(float("nan"), AT, (("version", "9"),)),),
        (Sample(1e20, AT, (("version", "9"),)),),
    ],
    ids=["no alias", "two versions", "trained at no number", "trained in another age"],
)
def test_what_a_registry_says_while_it_fails_is_not_what_it_said_last(said: tuple[Sample, ...]) -> None:
    registry = Told({"risk@champion": registered(days=1)})
    source = Told({'p95{model="risk",version="7"}': (Sample(0.9, AT),)})
    engine = engine_of([card("risk", **SERVING, metrics=P95, rules=RULES)], [], models=registry, s=source)
    run_cycle(engine, AT)
    registry.answers["risk@champion"] = said
    for minutes in (1, 2, 3):
        run_cycle(engine, AT + minutes * MINUTE)
        assert {each.text for each in source.asked} == {'p95{model="risk",version="7"}'}
        assert "slow" in titles(engine)


def test_a_question_that_names_no_version_is_asked_whatever_the_registry_says() -> None:
    registry, source = Told({"risk@champion": "connection refused"}), Told({"queue": (Sample(9.0, AT),)})
    metrics = {"queue": {"source": "s", "query": "queue"}}
    rules = [{"rule": "long", "when": "metrics.queue > 5.0"}]
    engine = engine_of([card("risk", **SERVING, metrics=metrics, rules=rules)], [], models=registry, s=source)
    run_cycle(engine, AT)
    assert "long" in titles(engine)


# failures that spread


def messages(engine: Engine) -> list[tuple[str, str]]:
    pager: Any = engine.notifiers["pager"]
    return [(each.message.reason, each.message.title) for each in pager.effects]


def beats(engine: Engine, *minutes: int) -> None:
    for minute in minutes:
        run_cycle(engine, AT + minute * MINUTE)
        dispatch(engine, AT + minute * MINUTE)


def test_a_source_that_dies_behind_one_wrong_question_is_told_again_once() -> None:
    source = Told({"wrong": "bad_data: parse error", "right": (Sample(0.1, AT),)})
    rules = [{"rule": "high", "when": "metrics.x > 0.5"}]
    cards = [
        card(name, metrics={"x": {"source": "s", "query": text}}, rules=rules)
        for name, text in (("a", "wrong"), ("b", "right"))
    ]
    engine = engine_of(cards, [], s=source)
    beats(engine, 0, 1)
    source.answers = dict.fromkeys(source.answers, "connection refused")
    beats(engine, 2, 3)
    source.answers["right"] = (Sample(0.1, AT + 4 * MINUTE),)
    beats(engine, 4)
    source.answers["right"] = "connection refused"
    beats(engine, 5)
    assert titles(engine) == ["source s fails: connection refused; blinds a, b"]
    assert messages(engine) == [
        ("first", "source s fails: bad_data: parse error; blinds a"),
        ("new_findings", "source s fails: connection refused; blinds a, b"),
    ]
    source.answers = {"wrong": (Sample(0.1, AT + 6 * MINUTE),), "right": (Sample(0.1, AT + 6 * MINUTE),)}
    beats(engine, 6)
    assert titles(engine) == []
    end = "source s fails: connection refused; blinds a, b – source s answers again"
    assert messages(engine)[2:] == [("resolved", end)]


def test_a_second_rule_in_error_of_a_model_is_told_too() -> None:
    metrics = {name: {"source": "s", "query": name, "labels": ["host"]} for name in ("x", "y")}
    rules = [{"rule": f"{name}-high", "when": f"metrics.{name} > 0.5"} for name in metrics]
    sound, odd = (Sample(0.1, AT, (("host", "h"),)),), (Sample(0.1, AT, (("pod", "h"),)),)
    source = Told({"x": odd, "y": sound})
    engine = engine_of([card("a", metrics=metrics, rules=rules)], [], s=source)
    beats(engine, 0, 1)
    source.answers["y"] = odd
    beats(engine, 2, 3)
    why = "answered with labels pod, declared are host"
    said = [f"{each}-high of a cannot be judged: metrics.{each}: {each} {why}" for each in "xy"]
    assert messages(engine) == [("first", said[0]), ("new_findings", "; ".join(said))]


# samples that are none


@pytest.mark.parametrize(
    "sample",
    [
        Sample(1.0, AT, (("host", "\ud800"),)),
        Sample(1.0, AT, (("host", 5),)),  # type: ignore[arg-type]
        Sample(1.0, AT, [("host", "a")]),  # type: ignore[arg-type]
        Sample(1.0, AT, (("host", "b"), ("host", "a"))),
        Sample(1.0, AT, count=2**70),
        Sample(10**400, AT),
        Sample(1.0, None),  # type: ignore[arg-type]
        Sample(1.0, datetime(1, 1, 1, tzinfo=ZoneInfo("Asia/Tokyo"))),
        "no sample",
    ],
    ids=[
        "half an emoji",
        "a number as label",
        "a list",
        "a name twice",
        "count",
        "digits",
        "no time",
        "year 1",
        "text",
    ],
)
def test_an_odd_sample_fails_its_source_and_stops_nothing_else(sample: Any) -> None:
    odd, sound = Told({"x": (sample,)}), Told({"y": (Sample(0.9, AT),)})
    history = "avg_over_time(metrics.x, '1h') > 0.5 || metrics.x > 0.5"
    cards = [
        card("a", metrics={"x": {"source": "odd", "query": "x"}}, rules=[{"rule": "r", "when": history}]),
        card("b", metrics={"y": {"source": "sound", "query": "y"}}, rules=[{"rule": "s", "when": "metrics.y > 0.5"}]),
    ]
    engine = engine_of(cards, [], odd=odd, sound=sound)
    for minutes in range(3):
        run_cycle(engine, AT + minutes * MINUTE)
    assert sorted(each.split(":")[0] for each in titles(engine)) == ["s", "source odd fails"]


def test_what_nobody_foresaw_blinds_one_model_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = {"x": {"source": "s", "query": "x"}}
    rules = [{"rule": "high", "when": "metrics.x > 0.5"}]
    cards = [card(each, metrics=metrics, rules=rules) for each in ("a", "b")]
    engine = engine_of(cards, [], s=Told({"x": (Sample(0.9, AT),)}))
    judge = Evaluation.judge

    def failing(self: Evaluation, *arguments: Any) -> Any:
        if self._policy.model == "a":
            raise ZeroDivisionError("the sky fell")
        return judge(self, *arguments)

    monkeypatch.setattr(Evaluation, "judge", failing)
    run_cycle(engine, AT)
    assert titles(engine) == ["its policy of a cannot be judged: ZeroDivisionError: the sky fell", "high"]


# what was missed


@pytest.mark.parametrize(("late", "found"), [(True, ["high"]), (False, [])], ids=["missed then", "judged today"])
def test_what_was_missed_is_not_waived_by_a_waiver_of_today(late: bool, found: list[str]) -> None:
    metrics = {"x": {"source": "s", "query": "x"}}
    rules = [{"rule": "high", "when": "metrics.x > 0.5"}]
    answers = {"x": (Sample(0.9, AT),)}
    engine = engine_of([card("a", metrics=metrics, rules=rules)], [], s=Told(answers))
    until = AT + timedelta(days=1)
    operations.waive(engine, Waiver("w", "a", "high", (), "known", "ana", "bo", until), at=AT + 10 * MINUTE)
    given = {query: Answer(answers["x"]) for query in engine.plan.queries}
    run_cycle(engine, AT, late=late, given=given)
    assert titles(engine) == found
