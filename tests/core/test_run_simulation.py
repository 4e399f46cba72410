"""Simulations go the way that the engine goes, and every runbook that is accepted comes to an end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.core.compiled import CompiledPolicy
from governance.core.organisation import Organisation
from governance.core.own_act import OWN_ACTS
from governance.core.plan import evaluation_plan
from governance.core.run_simulation import Assumption, Simulation, at_its_start, possible, rehearsal, simulated
from governance.core.runbook import Runbook
from governance.core.runbook_checks import step_problems
from governance.errors import InvalidDocument
from governance.loader import Loaded, load_text
from governance.policies import KINDS

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
CARD = """\
kind: card
model: loans
owners: {team: lending}
versions: {serving: "2", rollback_to: "1"}
metrics: {errors: {source: s, query: errors}}
"""
ORG = Organisation.model_validate(
    {
        "people": {"ana": {}, "bo": {}, "cy": {}},
        "teams": {"lending": {"members": ["ana", "bo"], "leads": ["ana"]}},
        "roles": [{"role": "viewer", "who": ["cy"]}],
    }
)


def compiled() -> CompiledPolicy:
    card, problems = load_text(CARD, "loans.yaml", KINDS)
    assert card is not None, problems
    return evaluation_plan([card], []).by_model["loans"]  # type: ignore[list-item]


POLICY = compiled()
ROLL_BACK = """\
kind: runbook
runbook: roll-back
description: Put the previous version back.
applies_to: has(card.versions) && has(card.versions.rollback_to)
parameters: {to: {default: "{card.versions.rollback_to}"}}
steps:
  - {step: look, instruct: "Is {card.model} wrong? Errors {metrics.errors}", timeout: 15m, on_timeout: continue}
  - {step: another, check: parameters.to != card.versions.serving, on_failure: fall-back}
  - {step: consent, approve: {people: 2}, timeout: 20m, on_timeout: fall-back, on_failure: kept}
  - step: put-back
    act: mlflow.set_alias
    with: {version: "{parameters.to}", was: "{steps.consent.by}"}
    on_failure: fall-back
    undo: {act: mlflow.set_alias, with: {version: "{card.versions.serving}"}}
  - {step: well, check: metrics.errors < 0.1, timeout: 30m}
  - {step: tell, when: card.tier == 1, notify: {message: "{card.model} serves {parameters.to}"}, then: end}
  - {step: quiet, wait: 1h, then: end}
  - {step: kept, notify: {message: It stays.}, then: end}
  - {step: fall-back, act: switch.pull, with: {mode: fallback, reason: "{run.id} failed"}}
"""


def simulate(text: str, assumed: Mapping[str, Assumption] | None = None, **parameters: str) -> Simulation:
    loaded, problems = load_text(text, "runbook.yaml", KINDS)
    assert loaded is not None, problems
    return played(loaded.document, assumed or {}, parameters)  # type: ignore[arg-type]


def played(runbook: Runbook, assumed: Mapping[str, Assumption], parameters: Mapping[str, str]) -> Simulation:
    run = at_its_start(runbook, POLICY, parameters, AT)
    return simulated(rehearsal(runbook, POLICY, ORG, OWN_ACTS), run, assumed, AT)


def way(found: Simulation) -> list[str]:
    return [each.step for each in found.passed]


def test_the_way_where_all_goes_well() -> None:
    found = simulate(ROLL_BACK)
    assert way(found) == ["look", "another", "consent", "put-back", "well", "tell", "quiet"]
    assert (found.ending.state, found.ending.step) == ("done", "quiet")
    look, another, consent, put_back, well, tell, quiet = found.passed
    assert look.text == "Is loans wrong? Errors {metrics.errors}"
    assert (look.who, look.people, str(look.within)) == (("ana", "bo"), 1, "0:15:00")
    assert (another.assumed, another.why) == (False, "parameters.to '1' != card.versions.serving '2' is true")
    assert (consent.who, consent.people, consent.to) == (("ana",), 2, "put-back")
    assert (put_back.act, put_back.key) == ("mlflow.set_alias", "RUN-0/put-back/1")
    assert put_back.asked == {"version": "1", "was": "person 2"}
    assert (well.assumed, well.why) == (True, "assumed: metrics.errors < 0.1")
    assert (tell.outcome, tell.assumed, tell.why) == ("skipped", False, "card.tier 2 == 1 is false")
    assert (quiet.outcome, quiet.to) == ("done", "end")


@pytest.mark.parametrize(
    ("assumed", "state", "last", "said"),
    [
        ({"look": "times-out"}, "done", "quiet", ""),
        ({"another": "fails"}, "done", "fall-back", ""),
        ({"another": "missing"}, "done", "fall-back", ""),
        ({"consent": "refused"}, "done", "kept", ""),
        ({"consent": "times-out"}, "done", "fall-back", ""),
        ({"put-back": "fails"}, "done", "fall-back", ""),
        ({"put-back": "missing"}, "done", "fall-back", ""),
        ({"put-back": "unknown"}, "unknown", "put-back", "assumed that nobody knows"),
        ({"well": "fails"}, "stopped", "well", "assumed of metrics.errors < 0.1"),
        ({"well": "times-out"}, "stopped", "well", "assumed of metrics.errors < 0.1"),
        ({"consent": "refused", "put-back": "fails"}, "done", "kept", ""),
        ({"another": "fails", "fall-back": "fails"}, "stopped", "fall-back", "assumed to fail"),
    ],
)
def test_an_assumption_leads_elsewhere(assumed: dict[str, Assumption], state: str, last: str, said: str) -> None:
    found = simulate(ROLL_BACK, assumed)
    assert (found.ending.state, found.ending.step) == (state, last)
    assert said in found.ending.said


def test_every_way_to_end_has_what_must_happen_for_it_and_what_can_be_taken_back() -> None:
    found = simulate(ROLL_BACK)
    ways = {(each.state, each.step): (dict(each.where), each.undo) for each in found.ways}
    back = ("put-back: mlflow.set_alias",)
    assert ways == {
        ("done", "quiet"): ({}, back),
        ("done", "kept"): ({"consent": "refused"}, ()),
        ("done", "fall-back"): ({"consent": "times-out"}, ()),
        ("unknown", "put-back"): ({"put-back": "unknown"}, ()),
        ("stopped", "well"): ({"well": "times-out"}, back),
        ("stopped", "fall-back"): ({"consent": "times-out", "fall-back": "fails"}, ()),
    }
    assert not found.more


def test_what_the_card_and_parameters_decide_is_not_assumed() -> None:
    found = simulate(ROLL_BACK, to="2")
    assert way(found) == ["look", "another", "fall-back"]
    assert ("done", "quiet") not in {(each.state, each.step) for each in found.ways}


LOOP = """\
kind: runbook
runbook: loop
description: Look until it is well.
steps:
  - {step: look, instruct: Look., timeout: 1h, on_timeout: continue}
  - {step: again, when: metrics.errors > 0.1, wait: 1h, then: {step: look, at_most: 3}}
  - {step: tell, notify: {message: It is well.}}
"""


def test_a_way_back_is_gone_as_often_as_it_says() -> None:
    found = simulate(LOOP)
    assert way(found) == [*["look", "again"] * 4, "tell"]
    assert [each.visit for each in found.passed if each.step == "look"] == [1, 2, 3, 4]
    assert way(simulate(LOOP, {"again": "skipped"})) == ["look", "again", "tell"]


def test_an_act_is_tried_until_its_time_is_over() -> None:
    text = ROLL_BACK.replace(
        "    act: mlflow", "    timeout: 5m\n    retry: {times: 9}\n    on_timeout: kept\n    act: mlflow", 1
    )
    found = simulate(text, {"put-back": "times-out"})
    assert (found.passed[3].outcome, found.passed[3].to, found.ending.step) == ("timed_out", "kept", "kept")


def test_ways_round_and_round_do_not_hide_the_ends() -> None:
    text = LOOP.replace("at_most: 3", "at_most: 100").replace(
        "  - {step: tell",
        "  - {step: more, when: metrics.errors > 0.2, wait: 1h, then: {step: look, at_most: 100}}\n  - {step: tell",
    )
    found = simulate(text)
    assert found.more
    assert [(each.state, each.step, dict(each.where)) for each in found.ways] == [
        ("done", "tell", {"again": "skipped", "more": "skipped"})
    ]


@pytest.mark.parametrize(
    ("assumed", "said"),
    [
        ({"lok": "fails"}, "no step 'lok'; did you mean 'look'?"),
        ({"look": "refused"}, "'look' cannot be assumed 'refused'; of this step can be: holds, times-out"),
        ({"tell": "times-out"}, "of this step can be: holds, skipped"),
        ({"fall-back": "unknown"}, "of this step can be: holds, fails, missing"),
    ],
)
def test_an_assumption_that_cannot_be_is_refused(assumed: dict[str, Assumption], said: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        simulate(ROLL_BACK, assumed)
    assert said in str(refused.value)


NAMES = ["a", "b", "c", "d", "e"]
WHERE = st.sampled_from([*NAMES, "stop", "continue"])
KIND = st.sampled_from(
    [
        {"instruct": "Look."},
        {"check": "metrics.errors < 0.1"},
        {"check": "card.tier == 1"},
        {"approve": {"people": 2}},
        {"act": "switch.pull", "with": {"mode": "fallback", "reason": "x"}},
        {"act": "jobs.start", "undo": {"act": "jobs.stop"}},
        {"wait": "1h"},
        {"notify": {"message": "Hello."}},
    ]
)
MORE = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(["metrics.errors > 0.1", "card.tier == 2", "card.tier == 1"]),
        "on_failure": WHERE,
        "timeout": st.just("1h"),
        "on_timeout": WHERE,
        "then": st.one_of(
            st.sampled_from([*NAMES, "end"]),
            st.fixed_dictionaries({"step": st.sampled_from(NAMES), "at_most": st.integers(1, 3)}),
        ),
    },
)


@st.composite
def runbooks(draw: st.DrawFn) -> Runbook | None:
    """Draw a runbook of steps that may lead anywhere, None where it is not accepted."""
    steps = []
    for name in NAMES[: draw(st.integers(1, len(NAMES)))]:
        kind, more = draw(KIND), draw(MORE)
        if not {"instruct", "check", "approve"} & set(kind):
            more = {key: value for key, value in more.items() if key not in ("timeout", "on_timeout")}
        elif "timeout" not in more:
            more = {key: value for key, value in more.items() if key != "on_timeout"}
        steps.append({"step": name, **kind, **more})
    try:
        runbook = Runbook.model_validate({"runbook": "r", "description": "d", "steps": steps})
    except ValidationError:
        return None
    source, _ = load_text(CARD, "x.yaml", KINDS)
    assert source is not None
    return None if list(step_problems(Loaded(runbook, source.source))) else runbook


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(runbooks().filter(lambda each: each is not None), st.data())
def test_whatever_is_accepted_comes_to_an_end_and_that_end_is_foretold(runbook: Runbook, data: Any) -> None:
    assumed: dict[str, Assumption] = {
        each.step: data.draw(st.sampled_from(possible(each, OWN_ACTS)))
        for each in runbook.steps
        if data.draw(st.booleans())
    }
    found = played(runbook, assumed, {})
    assert found.ending.state in ("done", "stopped", "unknown")
    assert len(found.passed) <= 5 * 4**5
    decided = any(each.check == "card.tier == 1" or each.when in ("card.tier == 1", "card.tier == 2")
                  for each in runbook.steps)  # fmt: skip
    if not decided and not found.more:  # an assumption may say otherwise than the card does
        assert (found.ending.state, found.ending.step) in {(each.state, each.step) for each in found.ways}
