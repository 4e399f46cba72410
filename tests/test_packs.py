"""Every rule of the shipped packs has a story in which it fires and one in which it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from packs import changing, engine, judging, keeping, people
from packs.story import CARD, Story, judged, policy_of

PACKS = Path(__file__).parent.parent / "policies" / "packs"
STORIES = [*judging.STORIES, *keeping.STORIES, *people.STORIES, *engine.STORIES, *changing.STORIES]
FILES = [path for path in sorted(PACKS.glob("*.yaml")) if not path.name.endswith(".test.yaml")]
DOCUMENTS = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
SPEAK_OF_SILENCE = {"data-quality/no-predictions", "slo/slow-burn"}
"""The rules that alert when data is missing; the others leave it to them, so that one silence is not ten alerts."""


@pytest.mark.parametrize("story", STORIES, ids=[f"{each.rule}: {each.told}" for each in STORIES])
def test_story(story: Story) -> None:
    policy = policy_of(story.card)
    evaluation, verdicts = judged(policy, story)
    assert verdicts, f"{story.rule} was not judged: {policy.inapplicable}"
    failing = [each for each in verdicts if each.outcome == "fail"]
    others = {each.outcome for each in verdicts} - {"fail"}
    assert others <= {"pass"}, f"a story must not rest on missing data: {verdicts}"
    assert [each.severity for each in failing] == ([story.fires] if story.fires else [])
    if failing:
        rule = next(each for each in policy.rules if each.rule.id == story.rule)
        said = evaluation.summary(rule, failing[0].labels)
        assert story.summary in said
        assert "no data" not in said
        assert "?" not in said


RULES = [f"{pack['pack']}/{rule['rule']}" for pack in DOCUMENTS for rule in pack.get("rules", ())]


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "is quiet"])
@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_story(rule: str, fires: bool) -> None:
    assert [each for each in STORIES if each.rule == rule and bool(each.fires) == fires], f"tell a story of {rule}"


def test_every_severity_has_a_story() -> None:
    told = {(each.rule, each.fires) for each in STORIES}
    for pack in DOCUMENTS:
        for rule in pack.get("rules", ()):
            severities = rule["when"] if isinstance(rule["when"], dict) else [rule.get("severity", "warning")]
            assert {(f"{pack['pack']}/{rule['rule']}", each) for each in severities} <= told


def test_a_silent_log_is_no_pass() -> None:
    """Missing data is never healthy, and few rules alert on it."""
    policy = policy_of({})
    measured = [each for each in policy.rules if each.references and each.rule.pack]
    assert len(measured) > 15
    for each in measured:
        _, verdicts = judged(policy, Story(each.rule.id, "silence"))
        assert {verdict.outcome for verdict in verdicts} <= {"no_data", "too_few"}, verdicts
        assert (each.rule.no_data_then == "alert") == (each.rule.id in SPEAK_OF_SILENCE), each.rule.id


def without(*names: str) -> Mapping[str, Any]:
    """Return the changes that take parts out of the card."""
    return dict.fromkeys(names)


@pytest.mark.parametrize(
    ("pack", "changes"),
    [
        ("cost", without("cost")),
        ("cost", {"cost": {"currency": "EUR"}}),
        ("retraining", without("retraining")),
        ("retraining", {"retraining": {"when": "metrics.decision_rate > 0.9"}}),
        ("rollback", {"tier": 3, "rollback": None}),
        ("engine", {}),
        ("retention-and-pii", without("data")),
        ("review", without("review", "regimes")),
        ("slo", without("slos")),
        ("experiments", {}),
        ("llm", {}),
    ],
)
def test_a_card_without_the_part_is_not_judged_by_it(pack: str, changes: Mapping[str, Any]) -> None:
    policy = policy_of(changes)
    assert not [each.rule.id for each in policy.rules if each.rule.pack == pack]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("cost/over-per-1k", "the log maps no column for cost"),
        ("cost/creep", "the log maps no column for cost"),
        ("rollback/target-serves", "the log maps no column for version"),
    ],
)
def test_what_cannot_be_measured_is_said_and_not_passed(rule: str, reason: str) -> None:
    log = {**CARD["log"], "columns": {"time": "at", "score": "p"}}
    policy = policy_of({"log": log, "slos": None, "rollback": None, "truth": None})
    found = {each.rule: each.reason for each in policy.inapplicable}
    assert reason in found[rule]


def test_a_model_without_a_log_keeps_what_needs_none() -> None:
    metrics = {"answers": {"source": "warehouse", "query": "select 1"}}
    parts = without("log", "truth", "slices", "slos", "rollback")
    policy = policy_of({**parts, "metrics": metrics})
    assert {"cost/not-measured", "retraining/overdue", "rollback/no-authority"} <= {
        each.rule.id for each in policy.rules
    }
    found = {each.rule: each.reason for each in policy.inapplicable}
    assert found["retention-and-pii/kept-longer-than-promised"] == "oldest_row: the card has no prediction log"


def test_only_money_and_budgets_page_at_night() -> None:
    """A new critical rule is a decision, not an oversight."""
    critical = {
        f"{pack['pack']}/{rule['rule']}"
        for pack in DOCUMENTS
        for rule in pack.get("rules", ())
        if pack["pack"]
        in {"cost", "retraining", "rollback", "retention-and-pii", "review", "slo", "experiments", "llm"}
        if "critical" in (rule["when"] if isinstance(rule["when"], dict) else [rule.get("severity")])
    }
    assert critical == {"cost/over-per-1k", "cost/over-per-day", "retraining/last-responsible-moment", "slo/fast-burn"}


@pytest.mark.parametrize("pack", [pytest.param(each, id=each["pack"]) for each in DOCUMENTS])
def test_every_parameter_is_used(pack: Mapping[str, Any]) -> None:
    """A card that sets a parameter must change something."""
    conditions = str([rule.get("when") for rule in pack.get("rules", ())])
    unused = [name for name in pack.get("parameters", {}) if not re.search(rf"parameters\.{name}\b", conditions)]
    assert unused == []


@pytest.mark.parametrize("pack", [pytest.param(each, id=each["pack"]) for each in DOCUMENTS if each.get("rules")])
def test_the_documentation_has_a_row_for_every_rule(pack: Mapping[str, Any]) -> None:
    page = (PACKS.parent.parent / "docs" / "packs.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {pack['pack']} — ")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([a-z][a-z0-9-]+) \|", section, re.MULTILINE)
    assert rows == ["rule", *(rule["rule"] for rule in pack["rules"])]
