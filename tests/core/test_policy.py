from __future__ import annotations

from pathlib import Path

import pytest

from governance.policies import policies

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


def problems(folder: Path, card: str, pack: str = PACK, metric: str = "x: {source: s, query: q}") -> list[str]:
    (folder / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    (folder / "house.yaml").write_text(pack, encoding="utf-8")
    (folder / "m.yaml").write_text(CARD.replace("x: {source: s, query: q}", metric) + card, encoding="utf-8")
    return [f"{each.position.line}:{each.position.column} {each.message}" for each in policies([folder]).problems]


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("parameters: {house/limit: 20d, house/open: 0.9}\n", []),
        (
            "parameters: {house/limit: 60d}\n",
            ["5:14 house/limit may only be tightened: 'house/closed' rests on it and is not overridable"],
        ),
        ("rules: [{rule: house/free, when: card.tier > 2}]\n", []),
        (
            "rules: [{rule: house/closed, for: 1h}]\n",
            ["5:30 'house/closed' may only be tightened by a card (overridable: false); for 1h, was 0s"],
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


OVERRIDES = """kind: pack
pack: house
metrics:
  drift: {source: s, query: drift}
  cost: {measure: cost_per_1k, window: 1d}
rules:
  - {rule: closed, when: metrics.drift > 0.5, overridable: false, no_data: {for: 1h, then: keep}}
  - {rule: costly, when: metrics.cost > 0.5, overridable: false}
  - {rule: two, when: {warning: metrics.drift > 0.2, critical: metrics.drift > 0.4}}
  - {rule: one, severity: critical, when: card.tier > 2}
"""
SEVERITIES = "'house/two' has a condition for each severity"
CLOSED = "may not be changed by a card (overridable: false)"
TIGHTER = "'house/closed' may only be tightened by a card (overridable: false)"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ("{rule: house/two, severity: critical}", [f"{SEVERITIES}; `severity` would change nothing"]),
        ("{rule: house/two, when: metrics.drift > 0.3}", [f"{SEVERITIES}, of which this is one only"]),
        ("{rule: house/two, when: metrics.drift > 0.3, severity: critical}", []),
        ("{rule: house/two, when: {critical: metrics.drift > 0.3}}", []),
        ("{rule: house/one, when: card.tier > 1}", []),
        (
            "{rule: house/one, for_each: {tier: card.slos}}",
            ["`for_each` of 'house/one' is its pack's to say; here it would change nothing"],
        ),
        (
            "{rule: house/one, applies_to: card.tier == 1}",
            ["`applies_to` of 'house/one' is its pack's to say; here it would change nothing"],
        ),
        ("{rule: house/closed, no_data: {then: ok}}", [f"{TIGHTER}; no_data then ok, was keep"]),
        ("{rule: house/closed, no_data: {for: 2h}}", [f"{TIGHTER}; no_data 2h, was 1h"]),
        ("{rule: house/closed, no_data: {severity: info}}", [f"{TIGHTER}; no_data info, was warning"]),
        ("{rule: house/closed, when: metrics.drift > 0.4, severity: critical, keep_firing_for: 1h}", []),
        (
            "{rule: house/closed, when: metrics.drift > 0.6}",
            [f"{TIGHTER}; warning when metrics.drift > 0.6, was metrics.drift > 0.5"],
        ),
        (
            "{rule: house/closed, when: metrics.drift * 2.0 > 0.5}",
            [
                (
                    f"{TIGHTER}; warning when metrics.drift * 2.0 > 0.5, was metrics.drift > 0.5; "
                    "whether that is stricter cannot be told"
                )
            ],
        ),
        ("{rule: house/closed, no_data: {then: alert, for: 1m, severity: critical}}", []),
    ],
)
def test_nothing_that_a_card_says_of_a_rule_is_without_effect(tmp_path: Path, rules: str, expected: list[str]) -> None:
    said = problems(tmp_path, f"rules: [{rules}]\n", OVERRIDES)
    assert [each.partition(" ")[2] for each in said] == expected


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("drift: {source: s, query: nothing}", [f"'house/closed' judges by this metric and {CLOSED}"]),
        ("drifting: {source: s, query: nothing}", []),
        ("cost: {source: s, query: bill}", []),
    ],
    ids=["what a closed rule reads", "another name", "what the pack cannot measure here"],
)
def test_a_card_gives_no_other_meaning_to_what_a_closed_rule_reads(
    tmp_path: Path, metric: str, expected: list[str]
) -> None:
    said = problems(tmp_path, "", OVERRIDES, metric)
    assert [each.partition(" ")[2] for each in said] == expected


def test_a_limit_of_a_closed_rule_without_a_tighter_side_stays(tmp_path: Path) -> None:
    pack = PACK.replace("{default: 30d, tighter: lower}", "{default: 30d}")
    (said,) = problems(tmp_path, "parameters: {house/limit: 20d}\n", pack)
    assert "may only be tightened: 'house/closed' rests on it" in said


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (
            "{source: s, query: q, where: a > 1}",
            "`where` belongs to a `measure` over the log; say it in the query itself",
        ),
        ("{source: s, query: q, of: latency}", "`of` belongs to a `measure` over the log; say it in the query itself"),
        (
            "{source: s, query: q, against: {window: 1d}}",
            "`against` belongs to a `measure` over the log; say it in the",
        ),
        ("{source: s, measure: errors}", "`source` belongs to a `query` to a source; a measure is computed over the"),
        (
            "{measure: errors, extract: body.x}",
            "`extract` belongs to a `query` to a source; a measure is computed over",
        ),
        ("{source: s, query: q, by: slice}", ""),
    ],
)
def test_what_would_be_ignored_in_a_metric_is_refused(tmp_path: Path, metric: str, message: str) -> None:
    assert problems(tmp_path, "") == []
    (tmp_path / "m.yaml").write_text(CARD.replace("{x: {source: s, query: q}}", f"{{x: {metric}}}"), encoding="utf-8")
    said = [each.message for each in policies([tmp_path]).problems]
    assert (message in said[0]) if message else not said


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
    card = LOGGED.replace("{income: {type: number}}", features).replace("table: ", "reference: training, table: ")
    assert "reference" in card
    (tmp_path / "logged.yaml").write_text(card, encoding="utf-8")
    policy = policies([tmp_path]).plan.by_model["logged"].policy
    named = ("ks", "psi", "new_categories", "out_of_range", "null_rate")
    assert {name: each.reason for name, each in policy.absent.items() if name in named} == reasons


@pytest.mark.parametrize(
    ("feature", "absent"),
    [
        ("{type: number}", True),
        ("{type: number, against: {window: 28d}}", False),
        ("{type: number, against: {reference: training}}", True),
    ],
)
def test_without_rows_to_compare_with_a_drift_is_not_applicable(tmp_path: Path, feature: str, absent: bool) -> None:
    (tmp_path / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    card = LOGGED.replace("{income: {type: number}}", f"{{income: {feature}}}")
    (tmp_path / "logged.yaml").write_text(card, encoding="utf-8")
    policy = policies([tmp_path]).plan.by_model["logged"].policy
    reason = "there is nothing to compare with (log.reference, or `against`)"
    assert (policy.absent["psi"].reason if "psi" in policy.absent else "") == (reason if absent else "")


DEFAULTS = "kind: pack\npack: house\ndefaults:\n  retraining: {every: 30d}\n  truth: {delay: 1d, complete_after: 2d}\n"


def test_a_card_may_omit_what_a_pack_declares_and_its_own_word_stands(tmp_path: Path) -> None:
    assert problems(tmp_path, "retraining: {lead_time: 2d}\ntruth: {delay: 3d, complete_after: 4d}\n", DEFAULTS) == []
    policy = policies([tmp_path]).plan.by_model["m"].policy
    assert policy.card.retraining is not None
    assert policy.card.truth is not None
    assert (str(policy.card.retraining.every), str(policy.card.retraining.lead_time)) == (
        "30 days, 0:00:00",
        "2 days, 0:00:00",
    )
    assert policy.card.truth.delay.days == 3
    assert {path: str(at).rpartition("/")[2] for path, at in policy.defaults.items()} == {
        ("retraining", "every"): "house.yaml:4:23"
    }


def test_what_a_pack_fills_in_other_packs_judge(tmp_path: Path) -> None:
    assert problems(tmp_path, "", DEFAULTS) == []
    rules = {each.id for each in policies([tmp_path]).plan.by_model["m"].policy.rules}
    assert "retraining/never-recorded" in rules


@pytest.mark.parametrize(
    ("defaults", "said"),
    [
        ("tier: 9", "3:18 tier: Input should be 1, 2 or 3"),
        ("truth: {delay: 1d}", "3:12 truth.complete_after: Field required"),
        ("model: all", "3:19 `model` is each card's to say; it has no default"),
    ],
)
def test_a_default_is_checked_like_a_card(tmp_path: Path, defaults: str, said: str) -> None:
    assert said in problems(tmp_path, "", f"kind: pack\npack: house\ndefaults: {{{defaults}}}\n")
