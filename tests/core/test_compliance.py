"""What is known of a model decides its controls: nothing is met without evidence, and every control says how."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from governance.core.card import Card
from governance.core.compliance import judgements, named_elsewhere
from governance.core.control import Budget, Cited, Finding, Judgement, Known, Logged, State
from governance.core.control_checks import CHECKS, how, judged_by
from governance.core.effective import EffectiveRule
from governance.core.evidence import Record
from governance.core.frameworks import FRAMEWORKS, NIST
from governance.core.incident import Finding as Fired
from governance.core.incident import Incident
from governance.core.problem import Position
from governance.core.verdict import Input, Outcome, Verdict
from governance.core.waiver import Waiver
from governance.policies import shipped

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SUBCATEGORIES = {
    "govern": (7, 3, 2, 3, 2, 2),
    "map": (6, 3, 5, 2, 2),
    "measure": (3, 13, 3, 3),
    "manage": (4, 4, 2, 3),
}
"""How many subcategories each category of the AI RMF 1.0 has: GOVERN 1 has seven."""


def cited(seq: int, *, sound: bool = True, at: datetime = AT, kind: str = "x.done") -> Cited:
    return Cited(seq, kind, at, "ana", f"{seq:064x}", sound)


CYCLE, ADOPTED = cited(9, kind="cycle.evaluated"), cited(1, kind="policy.adopted")


def card(**more: Any) -> Card:
    return Card.model_validate({"model": "m", "owners": {"team": "t"}, **more})


def rule(name: str, pack: str = "drift", controls: tuple[str, ...] = ()) -> EffectiveRule:
    here = Position("m.yaml", 1, 1)
    zero = timedelta(0)
    return EffectiveRule(
        f"{pack}/{name}", pack, "", None, (), zero, zero, zero, "alert", "warning", "notify", None, None, None, "",
        controls, here,
    )  # fmt: skip


def verdict(outcome: Outcome, name: str = "drift/psi", **more: Any) -> Verdict:
    failing = ("warning",) if outcome == "fail" else ()
    value = Input("metrics.psi", 0.1, AT, "s")
    return Verdict("m", name, (), AT, outcome, failing, inputs=(value,), **more)


def known(*verdicts: Verdict, rules: tuple[EffectiveRule, ...] = (rule("psi"),), **more: Any) -> Known:
    base: Mapping[str, Any] = {"card": card(), "at": AT, "adopted": ADOPTED, "cycle": CYCLE}
    return Known(verdicts=verdicts, rules={each.id: each for each in rules}, **{**base, **more})


def record(kind: Any, ago: int, **more: Any) -> Record:
    return Record("m", kind, AT - ago * DAY, more.pop("actor", "cy"), AT - ago * DAY, "d", **more)


def of(found: tuple[Judgement, ...], control: str) -> Judgement:
    return next(each for each in found if each.control.id == control)


def test_every_control_names_how_it_is_judged() -> None:
    controls = [each for framework in FRAMEWORKS for each in framework.controls]
    assert len({each.id for each in controls}) == len(controls)
    for framework in FRAMEWORKS:
        assert framework.source.startswith("https://")
        assert framework.status
        assert framework.left_out
        for each in framework.controls:
            assert each.id.startswith(f"{framework.id}/"), each.id
            assert each.id == each.id.casefold(), "as rules name it"
            assert each.checks, f"{each.id} is judged by nothing"
            assert all("{" not in how(check) for check in each.checks)
            assert all(judged_by(check, known()).why for check in each.checks)
    used = {check.partition(":")[0] for each in controls for check in each.checks}
    assert used == set(CHECKS), "no check is left over"


def test_the_ids_of_the_nist_framework_are_subcategories_of_it() -> None:
    assert sum(map(sum, SUBCATEGORIES.values())) == 72
    for each in NIST.controls:
        function, category, number = re.fullmatch(r"nist-rmf/(\w+)-(\d)\.(\d+)", each.id).groups()  # type: ignore[union-attr]
        assert int(number) <= SUBCATEGORIES[function][int(category) - 1], each.id


def test_each_subcategory_that_a_shipped_rule_names_is_in_the_matrix() -> None:
    listed = {each.id for each in NIST.controls}
    named = {
        control
        for path in (shipped("policies") / "packs").glob("*.yaml")
        for rule in yaml.safe_load(path.read_text(encoding="utf-8")).get("rules", ())
        for control in rule.get("controls", ())
        if control.startswith("nist-rmf/")
    }
    assert named
    assert named <= listed


def test_of_a_model_of_which_nothing_is_known_nothing_is_met() -> None:
    everything = Card.model_validate({
        "model": "m", "description": "d", "tier": 1, "regimes": ["eu-ai-act", "sr-26-2"], "slices": ["s"],
        "owners": {"team": "t", "accountable": "a", "channel": "#c"},
        "versions": {"serving": "2", "rollback_to": "1", "fallback": "f", "provider": "p"},
        "log": {"source": "s", "table": "t", "columns": {"time": "at"}},
        "data": {"features": {"x": {}}, "retention": {"predictions": {"at_most": "2y", "at_least": "1y"}}},
        "rollback": {"authority": ["t"], "then": {"switch": "fallback"}},
        "review": [{"by": "risk", "every": "90d", "regime": "eu-ai-act"}],
    })  # fmt: skip
    found = judgements(Known(everything, AT))
    assert {each.state for each in found} <= {"no evidence", "not met", "not applicable"}
    assert "no evidence" in {each.state for each in found}


@pytest.mark.parametrize(
    ("verdicts", "more", "state", "why", "entries"),
    [
        ((verdict("pass"),), {}, "met", "1 of 1 verdicts of 1 rule pass", [9]),
        ((verdict("pass"), verdict("too_few")), {}, "met", "1 of 2 verdicts", [9]),
        ((verdict("pass"), verdict("no_data", expected=False)), {}, "met", "1 of 2 verdicts", [9]),
        ((verdict("too_few", reason="3 rows"),), {}, "no evidence", "3 rows", [9]),
        ((verdict("pass"), verdict("no_data", reason="no rows")), {}, "no evidence", "drift/psi: no rows", [9]),
        ((verdict("pass"), verdict("stale")), {}, "no evidence", "stale", [9]),
        ((verdict("pass"), verdict("error", reason="refused")), {}, "no evidence", "refused", [9]),
        ((verdict("pass", missing=("metrics.psi",)),), {}, "no evidence", "0 of 1", [9]),
        ((verdict("pass"),), {"cycle": None}, "no evidence", "no cycle of the engine", []),
        ((verdict("pass"),), {"cycle": cited(9, at=AT - 25 * DAY / 24)}, "no evidence", "is 1 d 1 h old", [9]),
        ((verdict("pass"), verdict("fail")), {"summaries": {"drift/psi": "PSI 0.3"}}, "not met", "PSI 0.3", [9]),
        ((verdict("pass"), verdict("waived", reason="waived until July")), {}, "not met", "waived until July", []),
        ((), {}, "no evidence", "no rule of pack drift is judged", []),
    ],
)  # fmt: skip
def test_what_rules_say(
    verdicts: tuple[Verdict, ...], more: dict[str, Any], state: State, why: str, entries: list[int]
) -> None:
    found = judged_by("rules:drift", known(*verdicts, **more))
    assert (found.state, [each.seq for each in found.entries]) == (state, entries), found.why
    assert why in found.why


def test_a_failing_rule_is_proved_by_its_incident_and_a_waived_one_by_its_approval() -> None:
    from governance.core.alert import AlertKey

    fired = Fired(AlertKey("m", "drift/psi", ()), "warning", "warning", AT, "PSI", {})
    incident = Incident(7, "g", "m", "triggered", "warning", AT, AT, (fired,))
    found = judged_by("rules:drift", known(verdict("fail"), incidents=((incident, cited(5)),)))
    assert [each.seq for each in found.entries] == [5]
    waiver = Waiver("w", "m", "drift/psi", (), "season", "ana", "bo", AT + DAY, since=AT - DAY)
    found = judged_by("rules:drift", known(verdict("waived"), waivers=((waiver, cited(6)),)))
    assert [each.seq for each in found.entries] == [6]


def test_a_rule_that_names_a_control_counts_for_it() -> None:
    named = rule("psi", controls=("nist-rmf/measure-2.6", "iso-42001/A.6"))
    versions = {"fallback": "f"}
    passing = known(verdict("pass"), rules=(named,), card=card(versions=versions))
    failing = known(verdict("fail"), rules=(named,), card=card(versions=versions))
    assert of(judgements(passing), "nist-rmf/measure-2.6").state == "met"
    assert of(judgements(failing), "nist-rmf/measure-2.6").state == "not met"
    assert [(each.control.id, each.state) for each in named_elsewhere(failing)] == [("iso-42001/a.6", "not met")]


@pytest.mark.parametrize(
    ("retention", "state"),
    [
        ({}, "no evidence"),
        ({"predictions": {"at_most": "90d"}}, "not met"),
        ({"predictions": {"at_most": "400d"}}, "no evidence"),
        ({"predictions": {"at_most": "400d", "at_least": "183d"}}, "not met"),
        ({"predictions": {"at_most": "400d", "at_least": "184d"}}, "met"),
    ],
)
def test_logs_are_kept_for_six_months(retention: dict[str, Any], state: State) -> None:
    answering = known(card=card(regimes=["eu-ai-act"], data={"retention": retention}))
    assert of(judgements(answering), "eu-ai-act/19").state == state
    assert of(judgements(answering), "eu-ai-act/26-6").state == state


@pytest.mark.parametrize(
    ("records", "state"),
    [
        ((), "no evidence"),
        (((record("reviewed", 10, team="risk", regime="eu-ai-act"), cited(3)),), "met"),
        (((record("reviewed", 10, team="risk", regime="eu-ai-act"), None),), "no evidence"),
        (((record("reviewed", 10, team="risk"), cited(3)),), "no evidence"),
        (((record("reviewed", 100, team="risk", regime="eu-ai-act"), cited(3)),), "not met"),
    ],
)
def test_a_review_for_a_regime_is_made_for_it_in_time_and_sealed(records: Any, state: State) -> None:
    owing = card(review=[{"by": "risk", "every": "90d", "regime": "eu-ai-act"}])
    assert judged_by("reviewed-for:eu-ai-act", known(card=owing, records=records)).state == state


def test_its_own_people_are_not_independent() -> None:
    own = ((record("reviewed", 1, team="t"), cited(3)),)
    assert judged_by("independent-review", known(records=own)).state == "not met"
    others = (*own, (record("reviewed", 2, team="risk"), cited(4)))
    assert judged_by("independent-review", known(records=others)).state == "met"


def test_an_approval_is_for_the_version_that_serves() -> None:
    old, new = ((record("approved", 1, version=each), cited(3)) for each in ("1", "2"))
    assert judged_by("approved", known(version="2")).state == "no evidence"
    assert judged_by("approved", known(version="2", records=(old,))).state == "not met"
    assert judged_by("approved", known(version="2", records=(new,))).state == "met"
    assert judged_by("approved", known(records=(new,))).state == "no evidence", "who knows what serves?"


def test_practice_grows_old() -> None:
    practised = {"switch.pulled": Logged(1, cited(3, at=AT - 300 * DAY))}
    assert judged_by("switch-practised", known(logged=practised)).state == "met"
    practised = {"switch.pulled": Logged(1, cited(3, at=AT - 400 * DAY))}
    assert judged_by("switch-practised", known(logged=practised)).state == "no evidence"
    drilled = ((record("drilled", 40), cited(3)),)
    asked = card(rollback={"drill_every": "30d"})
    assert judged_by("rollback-practised", known(records=drilled)).state == "met"
    assert judged_by("rollback-practised", known(records=drilled, card=asked)).state == "not met"


def test_incidents_are_answered_by_somebody() -> None:
    waiting = Incident(7, "g", "m", "triggered", "critical", AT, AT, ())
    taken = replace(waiting, status="acknowledged")

    def answered(**more: Any) -> Finding:
        return judged_by("incidents-answered", known(**more))

    assert answered(incidents=((waiting, cited(3)),)).state == "not met"
    assert answered(incidents=((taken, cited(3)), (waiting, cited(4)))).state == "not met"
    assert answered(incidents=((taken, cited(3)),)).state == "met"
    assert answered(logged={"incident.resolved": Logged(2, cited(3))}).state == "met"
    assert answered().state == "not applicable"


def test_budgets() -> None:
    left = Budget("fast", 0.9, DAY, 0.4)
    assert judged_by("objectives", known()).state == "no evidence"
    assert judged_by("objectives", known(budgets=(left,))).state == "met"
    assert judged_by("objectives", known(budgets=(left, replace(left, left=None)))).state == "no evidence"
    assert judged_by("objectives", known(budgets=(left, replace(left, left=0.0)))).state == "not met"


def test_a_log_that_does_not_verify_proves_nothing() -> None:
    logged = {"x.done": Logged(1, cited(3))}
    assert judged_by("log-sound", known(logged=logged)).state == "met"
    assert judged_by("log-sound", known(logged=logged, unsound_since=AT)).state == "not met"
    broken = {"x.done": Logged(1, cited(3, sound=False))}
    found = judged_by("log-sound", known(logged=broken))
    assert (found.state, [each.seq for each in found.entries]) == ("not met", [3])


def test_who_answers_to_which_framework() -> None:
    def states(**more: Any) -> dict[str, set[State]]:
        found = judgements(known(card=card(**more)))
        return {each.id: {one.state for one in found if one.control.id.startswith(each.id)} for each in FRAMEWORKS}

    assert states()["eu-ai-act"] == states()["sr-26-2"] == {"not applicable"}
    assert "not met" in states()["nist-rmf"]
    assert "not met" in states(regimes=["eu-ai-act"])["eu-ai-act"]
    assert "not met" in states(regimes=["sr-11-7"])["sr-26-2"], "a card may still name what SR 26-2 replaced"
    assert states(regimes=["sr-26-2"], versions={"prompt": "3"})["sr-26-2"] == {"not applicable"}


def test_a_declaration_proves_something_once_an_engine_rules_by_it() -> None:
    described = card(description="d")
    assert judged_by("purpose", known(card=described)).state == "met"
    assert judged_by("purpose", known(card=described, adopted=None)).state == "no evidence"
