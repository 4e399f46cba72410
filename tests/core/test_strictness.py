"""Which way a rule went: every pair of conditions is also judged on values, so that the answer is proved."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from governance.core.effective import EffectivePolicy
from governance.core.expression import Names, compile_expression
from governance.core.expression.comparing import trend
from governance.core.expression.context import Context
from governance.core.expression.shape import Shape
from governance.core.strictness import Change, change_of, metric_change
from governance.policies import policies

CONDITIONS = [
    ("x > 0.5", "x > 0.4", "more"),
    ("x > 0.5", "x > 0.6", "less"),
    ("x > 0.5", "x >= 0.5", "more"),
    ("x < 0.5", "0.6 > x", "more"),
    ("x <= 0.5", "x < 0.5", "less"),
    ("x > 0.5", "(x) > 0.25 * 2.0", "same"),
    ("x > 0.5 && y > 0.1", "x > 0.5", "unknown"),  # y may bring labels
    ("x > 0.5 && x < 0.9", "x > 0.5", "more"),
    ("x > 0.5", "x > 0.5 || x < 0.1", "more"),
    ("x > 0.5 || x < 0.1", "x < 0.1", "less"),
    ("x > 0.5 || y > 0.5", "y > 0.4 || x > 0.5", "more"),
    ("x > 0.5 || y > 0.5", "x > 0.4 || y > 0.6", "unknown"),
    ("x > 0.5 && y > 0.5", "(x > 0.5 && y > 0.5) || x > 0.9", "more"),
    ("!(x > 0.5)", "!(x > 0.4)", "less"),
    ("x > 0.5 ? y > 0.1 : y > 0.2", "x > 0.5 ? y > 0.1 : y > 0.3", "less"),
    ("x in [0.1, 0.5]", "x in [0.1, 0.5, 0.9]", "more"),
    ("x in [0.1, 0.5]", "x in [0.1, 0.9]", "unknown"),
    ("x > 0.5", "y > 0.5", "unknown"),
    ("x > 0.5", "x < 0.5", "unknown"),
    ("x == 0.5", "x == 0.4", "unknown"),
    ("x > 2.0 * y", "x > 1.5 * y", "unknown"),
    ("[x, y].all(v, v > 0.5)", "[x, y].all(v, v > 0.4)", "more"),
    ("[x, y].exists(v, v > 0.5)", "[x].exists(v, v > 0.5)", "unknown"),
    ("duration('30d') > duration('7d')", "duration('30d') > duration('8d')", "unknown"),
]
VALUES = [each / 10 for each in range(-2, 13)]


@pytest.mark.parametrize(("old", "new", "expected"), CONDITIONS)
def test_which_way_a_condition_went_holds_for_every_value(old: str, new: str, expected: str) -> None:
    texts = [text.replace("x", "metrics.x").replace("y", "metrics.y") for text in (old, new)]
    texts = [text.replace("emetrics.xists", "exists") for text in texts]
    assert trend(*texts, {}, {}) == expected
    names = Names(variables={"x": Shape.leaf("double"), "y": Shape.leaf("double")})
    before, after = (compile_expression(text, names, result="bool") for text in (old, new))
    pairs = {
        (before.evaluate({}, Context({"x": x, "y": y})), after.evaluate({}, Context({"x": x, "y": y})))
        for x, y in product(VALUES, VALUES)
    }
    assert not (expected in ("more", "same") and (True, False) in pairs), "the new one must hold where the old one did"
    assert not (expected in ("less", "same") and (False, True) in pairs), "the new one must not hold where it did not"


HEAD = """kind: pack
pack: house
parameters:
  limit: {default: 0.5, tighter: lower}
  factor: {default: 2.0, tighter: lower}
metrics: {drift: {source: s, query: drift}, cost: {source: s, query: cost}}
"""
BASE = (
    "rules:\n  - {rule: r, when: metrics.drift > parameters.limit, severity: warning, for: 1h, keep_firing_for: 1h}\n"
)


def policy(folder: Path, name: str, pack: str, card: str = "") -> EffectivePolicy:
    where = folder / name
    where.mkdir()
    (where / "org.yaml").write_text("kind: org\nsources: {s: {kind: parquet, path: d}}\n", encoding="utf-8")
    (where / "house.yaml").write_text(pack, encoding="utf-8")
    owners = "kind: card\nmodel: m\nowners: {team: t}\nmetrics: {x: {source: s, query: q}}\n"
    (where / "m.yaml").write_text(owners + card, encoding="utf-8")
    found = policies([where])
    assert not found.problems, "\n".join(each.render() for each in found.problems)
    return found.plan.by_model["m"].policy


def changed(old: EffectivePolicy, new: EffectivePolicy, rule: str = "house/r") -> Change:
    one, other = (next(each for each in policy.rules if each.id == rule) for policy in (old, new))
    return change_of(one, other, old.settings.get("house", {}), new.settings.get("house", {}))


@pytest.mark.parametrize(
    ("rule", "effect", "words"),
    [
        (BASE, "same", ()),
        (BASE.replace("severity: warning", "severity: critical"), "tightened", ("it is critical, was warning",)),
        (BASE.replace("severity: warning", "severity: info"), "loosened", ("warning is not told any more, only info",)),
        (BASE.replace("for: 1h, k", "for: 30m, k"), "tightened", ("for 30m, was 1h",)),
        (BASE.replace("for: 1h, k", "for: 2h, k"), "loosened", ("for 2h, was 1h",)),
        (BASE.replace(", keep_firing_for: 1h", ""), "loosened", ("keep_firing_for 0s, was 1h",)),
        (BASE.replace("1h}", "1h, enforcement: observe}"), "loosened", ("enforcement observe, was notify",)),
        (
            BASE.replace("1h}", "1h, enforcement: act, then: {switch: fallback}}"),
            "tightened",
            ("enforcement act, was notify", "then switch version to fallback, was nothing"),
        ),
        (BASE.replace("1h}", "1h, no_data: {then: keep}}"), "loosened", ("no_data then keep, was alert",)),
        (BASE.replace("1h}", "1h, no_data: {for: 5m}}"), "tightened", ("no_data 5m, was 15m",)),
        (BASE.replace("1h}", "1h, summary: drifts}"), "changed", ("another summary",)),
        (
            BASE.replace("when: metrics.drift > parameters.limit, severity: warning", "when: {warning: "
                         "metrics.drift > 0.5, critical: metrics.drift > 0.9}"),
            "tightened",
            ("it tells critical too: metrics.drift > 0.9",),
        ),
        (
            BASE.replace("parameters.limit", "0.4").replace("for: 1h, k", "for: 2h, k"),
            "loosened",
            ("warning when metrics.drift > 0.4, was metrics.drift > parameters.limit", "for 2h, was 1h"),
        ),
        (
            BASE.replace("metrics.drift > parameters.limit", "metrics.cost > 0.5"),
            "loosened",
            (("warning when metrics.cost > 0.5, was metrics.drift > parameters.limit; "
             "whether that is stricter cannot be told"),),
        ),
    ],
)  # fmt: skip
def test_a_rule_says_which_way_it_went_and_why(tmp_path: Path, rule: str, effect: str, words: tuple[str, ...]) -> None:
    found = changed(policy(tmp_path, "old", HEAD + BASE), policy(tmp_path, "new", HEAD + rule))
    assert (found.effect, found.reasons) == (effect, words)


@pytest.mark.parametrize(
    ("card", "effect", "words"),
    [
        ("parameters: {house/limit: 0.4}\n", "tightened", "warning with limit 0.4, was 0.5"),
        ("parameters: {house/limit: 0.6}\n", "loosened", "warning with limit 0.6, was 0.5"),
        ("rules: [{rule: house/r, when: metrics.drift > 0.8 * parameters.limit}]\n", "tightened",
         "warning when metrics.drift > 0.8 * parameters.limit, was metrics.drift > parameters.limit"),
    ],
)  # fmt: skip
def test_a_parameter_moves_the_rules_that_read_it(tmp_path: Path, card: str, effect: str, words: str) -> None:
    found = changed(policy(tmp_path, "old", HEAD + BASE), policy(tmp_path, "new", HEAD + BASE, card))
    assert (found.effect, found.reasons) == (effect, (words,))


def test_where_a_condition_does_not_tell_its_pack_says_which_way_is_tighter(tmp_path: Path) -> None:
    pack = HEAD + BASE.replace("parameters.limit", "parameters.factor * metrics.cost")
    old, new = policy(tmp_path, "old", pack), policy(tmp_path, "new", pack, "parameters: {house/factor: 1.5}\n")
    assert changed(old, new).effect == "tightened"
    assert changed(new, old).effect == "loosened"


def test_a_metric_that_asks_something_else_counts_as_loosened(tmp_path: Path) -> None:
    old, new = policy(tmp_path, "old", HEAD + BASE), policy(tmp_path, "new", HEAD.replace("drift}", "less}") + BASE)
    assert metric_change(old.metrics["drift"], new.metrics["drift"]).effect == "loosened"
    assert metric_change(old.metrics["cost"], new.metrics["cost"]).effect == "same"
