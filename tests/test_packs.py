"""What holds of all rules of the shipped packs; each has its own tests beside it, policies/packs/*.test.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from packs.card import CARD, in_silence, policy_of

PACKS = Path(__file__).parent.parent / "policies" / "packs"
FILES = [path for path in sorted(PACKS.glob("*.yaml")) if not path.name.endswith(".test.yaml")]
DOCUMENTS = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in FILES]
SPEAK_OF_SILENCE = {"data-quality/no-predictions", "slo/slow-burn"}
"""The rules that alert when data is missing; the others leave it to them, so that one silence is not ten alerts."""


def test_a_silent_log_is_no_pass() -> None:
    """Missing data is never healthy, and few rules alert on it."""
    policy = policy_of({})
    measured = [each for each in policy.rules if each.references and each.rule.pack]
    assert len(measured) > 15
    for each in measured:
        verdicts = in_silence(policy, each.rule.id)
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
        ("practice", {"tier": 2}),
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
