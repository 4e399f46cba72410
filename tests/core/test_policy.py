from __future__ import annotations

from pathlib import Path

import pytest

from governance.bootstrap import policies

PACK = """kind: pack
pack: house
parameters:
  limit: {default: 30d, tighter: lower}
  open: {default: 0.5, tighter: lower}
rules:
  - rule: closed
    when: duration('40d') > parameters.limit && card.tier == 1
    overridable: false
  - rule: free
    when: card.tier > 2 && 1.0 > parameters.open
"""
CARD = "kind: card\nmodel: m\nowners: {team: t}\nmetrics: {x: {source: s, query: q}}\n"


def problems(folder: Path, card: str) -> list[str]:
    (folder / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    (folder / "house.yaml").write_text(PACK, encoding="utf-8")
    (folder / "m.yaml").write_text(CARD + card, encoding="utf-8")
    return [f"{each.position.line}:{each.position.column} {each.message}" for each in policies([folder]).problems]


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("parameters: {house/limit: 20d, house/open: 0.9}\n", []),
        (
            "parameters: {house/limit: 60d}\n",
            ["5:14 house/limit may only be tightened: 'house/closed' rests on it and is not overridable"],
        ),
        ("rules: [{rule: house/free, when: card.tier > 9}]\n", []),
        (
            "rules: [{rule: house/closed, for: 1h}]\n",
            ["5:30 'house/closed' may not be changed by a card (overridable: false); ask for a waiver instead"],
        ),
        ("rules: [{rule: house/closed, summary: in our words}]\n", []),
    ],
)
def test_a_card_may_tighten_always_and_loosen_what_is_open(tmp_path: Path, card: str, expected: list[str]) -> None:
    assert problems(tmp_path, card) == expected


def test_an_override_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    assert problems(tmp_path, "tier: 3\nrules: [{rule: house/free, for: 2h}]\n") == []
    plan = policies([tmp_path]).plan
    rule = next(each.rule for each in plan.policies[0].rules if each.rule.id == "house/free")
    assert (str(rule.for_), rule.conditions[0][1].text) == ("2:00:00", "card.tier > 2 && 1.0 > parameters.open")
    assert rule.origin.file.endswith("m.yaml")
    assert rule.conditions[0][1].position().file.endswith("house.yaml")


LOGGED = """kind: card
model: logged
owners: {team: t}
log: {source: s, table: log, columns: {time: at, score: p, request: id, label: y}}
data: {features: {income: {type: number}}}
"""


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (
            "rules: [{rule: r, when: metrics.auc < 0.6}]\n",
            "6:33 no metric 'auc' here: the card does not say how long its truth takes (truth.delay)",
        ),
        (
            "truth: {delay: 1h, complete_after: 2h}\nrules: [{rule: r, when: max(metrics.auc_by_slice) < 0.6}]\n",
            "7:37 no metric 'auc_by_slice' here: the card declares no slices",
        ),
        (
            "rules: [{rule: r, when: metrics.score_mean < 0.6, summary: 'At {metrics.spend}'}]\n",
            "6:73 no metric 'spend' here: the log maps no column for cost",
        ),
        (
            "slos: {good: {objective: 99%, good: metrics.latency_p95 < 1}}\n",
            "6:45 no metric 'latency_p95' here: the log maps no column for latency",
        ),
    ],
)
def test_a_metric_that_a_card_cannot_have_says_what_it_wants(tmp_path: Path, rest: str, said: str) -> None:
    (tmp_path / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    (tmp_path / "logged.yaml").write_text(LOGGED + rest, encoding="utf-8")
    found = policies([tmp_path]).problems
    assert [f"{each.position.line}:{each.position.column} {each.message}" for each in found] == [said]


@pytest.mark.parametrize(
    ("features", "reasons"),
    [
        (
            "{income: {type: number}}",
            {
                "new_categories": "the card declares no features of type category",
                "out_of_range": "the card declares no features with a range",
            },
        ),
        (
            "{note: {type: text}, grade: {type: category}}",
            {
                "ks": "the card declares no features of type number",
                "out_of_range": "the card declares no features with a range",
            },
        ),
        ("{age: {type: number, range: [0, 120]}, grade: {type: category}}", {}),
    ],
)
def test_a_measure_that_fits_no_feature_is_not_applicable_and_not_missing(
    tmp_path: Path, features: str, reasons: dict[str, str]
) -> None:
    (tmp_path / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    card = LOGGED.replace("{income: {type: number}}", features)
    (tmp_path / "logged.yaml").write_text(card, encoding="utf-8")
    policy = policies([tmp_path]).plan.by_model["logged"].policy
    named = ("ks", "psi", "new_categories", "out_of_range", "null_rate")
    assert {name: each.reason for name, each in policy.absent.items() if name in named} == reasons
