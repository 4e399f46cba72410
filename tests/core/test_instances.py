"""One rule, many instances: which label sets a rule is judged for, and what it sees in each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest

from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Labels, Query, Sample, labels
from governance.policies import policies

AT = datetime(2026, 1, 5, 9, tzinfo=UTC)
CARD = """kind: card
model: m
owners: {team: t}
max_instances: 6
metrics:
  psi:    {source: s, query: psi, labels: [feature]}
  nulls:  {source: s, query: nulls, labels: [feature, version]}
  share:  {source: s, query: share, labels: [version]}
  region: {source: s, query: region, labels: [region]}
  limit:  {source: s, query: limit}
data:
  features: {carrier: {pii: none}, delay: {pii: direct}, unlogged: {pii: none}}
regimes: [eu, us, eu]
review: [{by: risk, every: 7d}, {by: legal, every: 7d, regime: eu}]
rules:
"""
VALUES: dict[str, dict[Labels, float | None]] = {
    "psi": {labels(feature="carrier"): 0.3, labels(feature="delay"): 0.1},
    "nulls": {
        labels(feature="carrier", version="1"): 0.2,
        labels(feature="carrier", version="2"): 0.0,
        labels(feature="origin", version="1"): 0.5,
    },
    "share": {labels(version="1"): 0.9, labels(version="3"): 0.1},
    "region": {labels(region="eu"): 1.0},
    "limit": {(): 0.25},
}


def loaded(folder: Path, *rules: str) -> tuple[list[str], Evaluation | None]:
    """Return the problems of a card with these rules, and its evaluation when there are none."""
    written = "".join(f"  - {{rule: rule{at}, {each}}}\n" for at, each in enumerate(rules))
    (folder / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    (folder / "m.yaml").write_text(CARD + written, encoding="utf-8")
    found = policies([folder])
    problems = [f"{each.code} {each.message} ({each.suggestion})" for each in found.problems]
    if problems:
        return problems, None
    (policy,) = [each for each in found.plan.policies if each.model == "m"]

    def answered(query: Query) -> Answer:
        rows = VALUES[query.text]
        return Answer(tuple(Sample(value, AT - timedelta(seconds=1), key) for key, value in rows.items()))

    return [], Evaluation(policy, {each: answered(each) for each in policy.queries}, AT)


def verdicts(folder: Path, *rules: str) -> dict[str, dict[str, str]]:
    """Return, for each rule, its label sets as text with their outcomes."""
    problems, evaluation = loaded(folder, *rules)
    assert problems == []
    assert evaluation is not None
    found: dict[str, dict[str, str]] = {}
    for each in evaluation.verdicts():
        if each.rule.startswith("rule"):
            found.setdefault(each.rule, {})[" ".join("=".join(pair) for pair in each.labels)] = each.outcome
    return found


def test_an_unlabelled_value_is_broadcast(tmp_path: Path) -> None:
    assert verdicts(tmp_path, "when: metrics.psi > metrics.limit") == {
        "rule0": {"feature=carrier": "fail", "feature=delay": "pass"}
    }


THREE = ["metrics.psi > 0.2", "metrics.nulls > 0.1", "metrics.share > 0.5"]


def test_three_values_join_alike_in_every_order(tmp_path: Path) -> None:
    orders = [" && ".join(order) for order in permutations(THREE)]
    found = verdicts(tmp_path, *(f"when: '{each}'" for each in orders))
    assert len(found) == len(orders)
    for each in found.values():
        assert each == {
            "feature=carrier version=1": "fail",
            "feature=carrier version=2": "pass",  # no sample of share, but false && … is false
            "feature=delay": "pass",
            "feature=origin version=1": "no_data",
            "version=3": "pass",
        }


def test_aggregates_by_label_join_like_metrics(tmp_path: Path) -> None:
    rule = "when: \"max(metrics.nulls, ['version']) > 0.4 && metrics.share > 0.5\""
    assert verdicts(tmp_path, rule) == {"rule0": {"version=1": "fail", "version=2": "pass", "version=3": "pass"}}


def test_series_makes_no_instances(tmp_path: Path) -> None:
    some = "when: \"series(metrics.nulls).exists(s, s.value > 0.4 && s.labels.feature == 'origin')\""
    both = 'when: "metrics.psi > 0.2 && series(metrics.region).exists(s, s.value > 0.4)"'
    assert verdicts(tmp_path, some, both) == {
        "rule0": {"": "fail"},
        "rule1": {"feature=carrier": "fail", "feature=delay": "pass"},
    }


def test_a_for_each_is_a_label_that_joins_and_all_there_can_be(tmp_path: Path) -> None:
    rule = "for_each: {feature: card.data.features}, when: \"metrics.nulls > 0.1 || feature.value.pii == 'direct'\""
    assert verdicts(tmp_path, rule) == {
        "rule0": {
            "feature=carrier version=1": "fail",
            "feature=carrier version=2": "pass",
            "feature=delay": "fail",  # without a sample, decided by the card
            "feature=unlogged": "no_data",
        }
    }


def test_a_for_each_over_a_list(tmp_path: Path) -> None:
    """A text names itself, whatever its place, and twice the same is one; records are named by their place."""
    texts = "for_each: {region: card.regimes}, when: metrics.region > 0.5 || region.value == 'us'"
    records = "for_each: {review: card.review}, when: has(review.value.regime) && review.key == '1'"
    assert verdicts(tmp_path, texts, records) == {
        "rule0": {"region=eu": "fail", "region=us": "fail"},
        "rule1": {"review=0": "pass", "review=1": "fail"},
    }


def test_a_for_each_over_what_the_card_does_not_have_judges_nothing(tmp_path: Path) -> None:
    assert verdicts(tmp_path, "for_each: {name: card.rollback.authority}, when: name.key == 'x'") == {}


def test_too_many_label_sets_are_an_error_of_the_rule(tmp_path: Path) -> None:
    VALUES["psi"].update({labels(feature=f"f{each}"): 0.0 for each in range(7)})
    try:
        _, evaluation = loaded(tmp_path, "when: metrics.psi > 0.2")
        assert evaluation is not None
        (verdict,) = (each for each in evaluation.verdicts() if each.rule == "rule0")
        assert (verdict.outcome, verdict.reason) == ("error", "9 label sets, the limit is 6 (max_instances)")
    finally:
        for each in range(7):
            VALUES["psi"].pop(labels(feature=f"f{each}"))


APART = "metrics.share has version; they share none (write max(metrics.share))"


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (
            "when: metrics.psi > 0.2 && metrics.share > 0.5",
            "no-shared-label metrics.psi has label feature, " + APART,
        ),
        (
            "for_each: {feature: card.data.features}, when: metrics.share > 0.5",
            "no-shared-label for_each has label feature, " + APART,
        ),
        (
            "when: metrics.psi > 0.2 && labels.featrue == 'x'",
            "unknown-label the instances of this rule have no label 'featrue' (did you mean 'feature'?)",
        ),
        (
            "when: max(metrics.psi) > 0.2 && has(labels.region)",
            "unknown-label the instances of this rule have no label 'region' (nothing in this rule has labels)",
        ),
        (
            "for_each: {feature: card.data.features}, when: feature.value.pi == 'direct'",
            "unknown-field no field 'pi' in feature.value (did you mean 'pii'?)",
        ),
        (
            "for_each: {review: card.review}, when: review.value.regime == 'eu'",
            "unguarded-field review.value.regime may be absent (write has(review.value.regime) && …)",
        ),
        (
            "for_each: {regime: card.regimes}, when: regime.value > 3",
            "wrong-type cannot compare a string with an int ()",
        ),
    ],
)
def test_what_cannot_be_judged_does_not_load(tmp_path: Path, rule: str, problem: str) -> None:
    quoted = rule.replace("when: ", 'when: "') + '"'
    assert loaded(tmp_path, quoted)[0] == [problem]
