"""A mistake of form does not hide a mistake of meaning, nor make one."""

from __future__ import annotations

from pathlib import Path

import pytest

from governance.policies import policies

ORG = "kind: org\nsources: {s: {kind: parquet, path: data}}\n"
CARD = "kind: card\nmodel: m\nowners: {team: t}\n"


def codes(folder: Path, card: str) -> list[str]:
    (folder / "org.yaml").write_text(ORG, encoding="utf-8")
    (folder / "m.yaml").write_text(CARD + card, encoding="utf-8")
    return [problem.code for problem in policies([folder]).problems]


METRIC = "metrics: {x: {source: s, query: q}}\n"


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (METRIC + "descripton: a\nrules: [{rule: r, when: metrics.y > 1}]\n", ["unknown-field", "unknown-metric"]),
        (METRIC + "rules: [{rule: r, when: metrics.x > 1, fro: 5m}]\n", ["unknown-field"]),
        ("metrcs: {x: {source: s, query: q}}\nrules: [{rule: r, when: metrics.x > 1}]\n", ["unknown-field"]),
        ("metrics: {x: {source: s}}\nrules: [{rule: r, when: metrics.x > 1}]\n", ["invalid-value"]),
        (METRIC + "rules: [{rule: r, when: 5}, {rule: q, when: metrics.y > 1}]\n", ["wrong-type"]),
        (METRIC + "tier: 9\nrules: [{rule: r, when: metrics.x > 1, for: soon}]\n", ["unknown-value", "invalid-value"]),
    ],
)
def test_each_mistake_is_one_problem(tmp_path: Path, card: str, expected: list[str]) -> None:
    assert codes(tmp_path, card) == expected


def test_a_salvaged_document_is_never_in_force(tmp_path: Path) -> None:
    (tmp_path / "org.yaml").write_text(ORG + "peopel: {}\n", encoding="utf-8")
    found = policies([tmp_path])
    assert not found.organised
    assert [problem.code for problem in found.problems] == ["unknown-field"]
