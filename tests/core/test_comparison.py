"""What differs around a rule whose own text is as it was: each must be found, as it may tell less."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.core.comparison import Comparison, compared
from governance.core.compiled import EvaluationPlan
from governance.policies import policies

ORG = """
kind: org
people: {ana: {}}
sources: {pushed: {kind: push}}
"""
CARD = """
kind: card
model: loans
tier: 1
labels: {region: us, desk: one}
owners: {team: t}
cadence: {every: 1m, hours: 06:00-22:00}
versions: {serving: "2", rollback_to: "1", fallback: rules}
data: {features: {income: {type: number}, age: {type: number}}}
metrics:
  errors: {source: pushed, query: error_rate}
  bad: {source: pushed, query: bad}
  asked: {source: pushed, query: asked}
slos:
  answered: {objective: 0.99, window: 30d, errors: metrics.bad, total: metrics.asked}
rules:
  - {rule: errors-high, when: metrics.errors > 0.5, for: 10m}
  - {rule: region, when: card.labels.region == 'us'}
  - {rule: burn, when: "burn_rate(slos.answered, '1h') > 14.0"}
  - {rule: features, for_each: {feature: card.data.features}, when: has(feature.value.pii)}
"""
PACKS = {
    name: f"kind: pack\npack: {name}\n"
    for name in ("ownership", "practice", "review", "rollback", "retention-and-pii", "slo")
}


def _plan(directory: Path, card: str) -> EvaluationPlan:
    for name, text in {**PACKS, "org": ORG, "loans": card}.items():
        (directory / f"{name}.yaml").write_text(text.lstrip(), encoding="utf-8")
    found = policies([directory])
    assert not found.problems, [each.render() for each in found.problems]
    return found.plan


def _changed(directory: Path, old: str, new: str) -> Comparison:
    assert old in CARD
    return compared(_plan(directory, CARD), _plan(directory, CARD.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("query: error_rate", "query: errors_seldom", {"errors-high"}),
        ("query: bad", "query: bad_seldom", {"burn"}),
        ("query: asked", "query: everything", {"burn"}),
        (", age: {type: number}", "", {"features"}),
        ("06:00-22:00", "08:00-09:00", {"errors-high", "burn"}),
        ("hours: 06:00-22:00", "hours: 06:00-22:00, zone: Asia/Tokyo", {"errors-high", "burn"}),
        ("10m}", "10m, enforcement: observe}", {"errors-high"}),
        ("10m}", "10m, no_data: {then: ok}}", {"errors-high"}),
        ("tier: 1", "tier: 2", {"errors-high", "region", "burn", "features"}),
        ("owners: {team: t}", "owners: {team: u}", set()),
    ],
)
def test_what_loosens_a_rule_that_says_the_same(tmp_path: Path, old: str, new: str, rules: set[str]) -> None:
    assert {each.rule for each in _changed(tmp_path, old, new).weakened} == rules


def test_a_label_of_the_card_loosens_what_reads_it(tmp_path: Path) -> None:
    reasons = {each.rule: each.reasons for each in _changed(tmp_path, "region: us", "region: eu").weakened}
    assert "labels of the card changed; whether that is stricter cannot be told" in reasons["region"]
