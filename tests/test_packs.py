"""Every rule of the shipped packs has a story in which it fires and one in which it does not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from governance.bootstrap import policies
from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Query, Sample, labels
from governance.core.plan import CompiledPolicy
from governance.core.verdict import Verdict
from governance.engine.collect import collect

PACKS = Path(__file__).parent.parent / "policies" / "packs"
AT = datetime(2026, 1, 5, 12, tzinfo=UTC)

ORG = {"kind": "org", "sources": {"warehouse": {"kind": "parquet", "path": "data"}}}
COLUMNS = {"time": "at", "score": "p", "decision": "d", "label": "y", "label_time": "y_at", "error": "failed"}
CARD: Mapping[str, Any] = {
    "kind": "card",
    "model": "loan-risk",
    "description": "Probability of default.",
    "tier": 1,
    "owners": {"team": "lending", "accountable": "ana"},
    "versions": {"serving": "2", "rollback_to": "1"},
    "log": {"source": "warehouse", "table": "loans", "columns": COLUMNS, "reference": "loans_training"},
    "truth": {"delay": "12h", "complete_after": "48h"},
    "slices": ["region"],
    "data": {
        "features": {
            "income": {"type": "number", "range": [0, 1000000]},
            "grade": {"type": "category"},
            "season": {"type": "number", "drift": False},
        }
    },
}

Value = float | Mapping[str, float]


@dataclass(frozen=True)
class Story:
    """What the metrics say of a model, and how the rule must judge it: a severity, or "" where it must be quiet.

    A metric over features or slices is given as {name: value}. `card` replaces fields of the card; None removes one.
    """

    rule: str
    told: str
    fires: str = ""
    metrics: Mapping[str, Value] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""


STORIES = [
    Story("data-quality/no-predictions", "an hour without one", "critical", {"predictions": 0}),
    Story("data-quality/no-predictions", "one is enough", "", {"predictions": 1}),
    Story("data-quality/nulls", "a gap", "warning", {"null_rate": {"income": 0.06}}, summary="income is missing"),
    Story("data-quality/nulls", "a feed is gone", "critical", {"null_rate": {"income": 1.0, "grade": 0}}),
    Story("data-quality/nulls", "at the limit", "", {"null_rate": {"income": 0.05, "grade": 0}}),
    Story("data-quality/nulls", "allowed by the card", "", {"null_rate": {"income": 0.15}},
          {"parameters": {"data-quality/null_warning": 0.2, "data-quality/null_critical": 0.5}}),
    Story("data-quality/out-of-range", "cents for euros", "warning", {"out_of_range": {"income": 0.3}}),
    Story("data-quality/out-of-range", "a few outliers", "", {"out_of_range": {"income": 0.04}}),
    Story("data-quality/new-categories", "renamed upstream", "warning", {"new_categories": {"grade": 0.5}},
          summary="grade has values unknown in training"),
    Story("data-quality/new-categories", "a rare one", "", {"new_categories": {"grade": 0.01}}),
    Story("data-quality/constant-feature", "a default stands in", "warning", {"constant": {"income": 1, "grade": 0}}),
    Story("data-quality/constant-feature", "values differ", "", {"constant": {"income": 0}}),
    Story("data-quality/constant-feature", "one that says nothing by the day", "", {"constant": {"season": 1}}),
    Story("data-quality/errors", "the service fails", "critical", {"errors": 0.02}),
    Story("data-quality/errors", "one in a thousand", "", {"errors": 0.001}),
    Story("drift/psi", "another world", "warning", {"psi": {"income": 0.4, "grade": 0.1}},
          summary="income has drifted: PSI 0.4, limit 0.25"),
    Story("drift/psi", "as in training", "", {"psi": {"income": 0.1, "grade": 0.2}}),
    Story("drift/psi", "a season says nothing", "", {"psi": {"season": 3.0}}),
    Story("drift/psi", "a tighter card", "warning", {"psi": {"income": 0.15}}, {"parameters": {"drift/psi": 0.1}}),
    Story("drift/score", "moved", "warning", {"score_psi": 0.15}),
    Story("drift/score", "moved far", "critical", {"score_psi": 0.3}),
    Story("drift/score", "at home", "", {"score_psi": 0.05}),
    Story("ownership/nobody-accountable", "a team only", "info", {}, {"owners": {"team": "lending"}}),
    Story("ownership/nobody-accountable", "ana is", ""),
    Story("ownership/no-way-back", "no versions", "warning", {}, {"versions": None}),
    Story("ownership/no-way-back", "only what serves", "warning", {}, {"versions": {"serving": "2"}}),
    Story("ownership/no-way-back", "an older version", ""),
    Story("ownership/no-way-back", "a fallback", "", {}, {"versions": {"fallback": "rules"}}),
    Story("ownership/no-way-back", "not critical", "", {}, {"versions": None, "tier": 2}),
    Story("ownership/critical-without-description", "silent", "info", {}, {"description": None}),
    Story("ownership/critical-without-description", "described", ""),
    Story("ownership/critical-without-description", "not critical", "", {}, {"description": None, "tier": 3}),
    Story("performance/calibration", "off", "warning", {"calibration_error": 0.12}),
    Story("performance/calibration", "far off", "critical", {"calibration_error": 0.2}),
    Story("performance/calibration", "close", "", {"calibration_error": 0.03}),
    Story("performance/auc", "weaker", "warning", {"auc": 0.58}, summary="AUC is 0.58 over 7 days, limit 0.6"),
    Story("performance/auc", "a coin", "critical", {"auc": 0.5}),
    Story("performance/auc", "as promised", "", {"auc": 0.75}),
    Story("performance/auc-by-slice", "one region", "warning", {"auc_by_slice": {"north": 0.5, "south": 0.7}},
          summary="AUC is 0.5 for region north"),
    Story("performance/auc-by-slice", "all regions", "", {"auc_by_slice": {"north": 0.6, "south": 0.7}}),
    Story("performance/labels-late", "three days", "warning", {"label_lag": 3 * 86400}),
    Story("performance/labels-late", "one day", "", {"label_lag": 86400}),
]  # fmt: skip


class Fixed:
    """A source that gives every query of one model the same answer at any time."""

    def __init__(self, policy: CompiledPolicy, metrics: Mapping[str, Value]) -> None:
        known = policy.policy.metrics
        self._answers = {known[name].query: _answer(known[name].query, value) for name, value in metrics.items()}

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer what is known; the rest has no rows."""
        assert at == AT
        return {query: self._answers.get(query, Answer()) for query in queries}


def _answer(query: Query, value: Value) -> Answer:
    if not isinstance(value, Mapping):
        return Answer((Sample(float(value), AT - query.offset, count=1000),))
    return Answer(
        tuple(Sample(float(each), AT - query.offset, _labels(query, name), 1000) for name, each in value.items())
    )


def _labels(query: Query, name: str) -> tuple[tuple[str, str], ...]:
    return labels(slice="region", value=name) if query.by == "slice" else labels(feature=name)


def policy_of(directory: Path, changes: Mapping[str, Any]) -> CompiledPolicy:
    """Load the card with changes, as an author would have written it, with the shipped packs."""
    card = {name: value for name, value in {**CARD, **changes}.items() if value is not None}
    (directory / "card.yaml").write_text(yaml.safe_dump(card), encoding="utf-8")
    (directory / "org.yaml").write_text(yaml.safe_dump(ORG), encoding="utf-8")
    loaded = policies([directory])
    assert [each.render() for each in loaded.problems] == []
    return loaded.plan.by_model["loan-risk"]


def judged(policy: CompiledPolicy, story: Story) -> tuple[Evaluation, list[Verdict]]:
    """Collect and evaluate; return the verdicts of the story's rule."""
    queries = [policy.policy.metrics[each.metric].query for rule in policy.rules for each in rule.references]
    answers = collect(dict.fromkeys(queries), {"warehouse": Fixed(policy, story.metrics)}, AT)
    evaluation = Evaluation(policy, answers, AT)
    return evaluation, [each for each in evaluation.verdicts() if each.rule == story.rule]


@pytest.mark.parametrize("story", STORIES, ids=[f"{each.rule}: {each.told}" for each in STORIES])
def test_story(story: Story, tmp_path: Path) -> None:
    policy = policy_of(tmp_path, story.card)
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


def shipped_rules() -> list[str]:
    """Return every rule that the files declare, read as plain YAML."""
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(PACKS.glob("*.yaml"))]
    return [f"{pack['pack']}/{rule['rule']}" for pack in documents for rule in pack.get("rules", ())]


@pytest.mark.parametrize("fires", [True, False], ids=["fires", "is quiet"])
@pytest.mark.parametrize("rule", shipped_rules())
def test_every_rule_has_a_story(rule: str, fires: bool) -> None:
    assert [each for each in STORIES if each.rule == rule and bool(each.fires) == fires], f"tell a story of {rule}"


def test_every_severity_has_a_story() -> None:
    told = {(each.rule, each.fires) for each in STORIES}
    documents = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(PACKS.glob("*.yaml"))]
    for pack in documents:
        for rule in pack.get("rules", ()):
            severities = rule["when"] if isinstance(rule["when"], dict) else [rule.get("severity", "warning")]
            assert {(f"{pack['pack']}/{rule['rule']}", each) for each in severities} <= told


@pytest.mark.parametrize("rule", [each for each in shipped_rules() if not each.startswith("ownership/")])
def test_a_silent_log_is_no_pass(rule: str, tmp_path: Path) -> None:
    """Missing data is never healthy, and only `no-predictions` alerts on it."""
    policy = policy_of(tmp_path, {})
    _, verdicts = judged(policy, Story(rule, "silence"))
    assert [each.outcome for each in verdicts] == ["no_data"]
    compiled = next(each for each in policy.rules if each.rule.id == rule)
    assert (compiled.rule.no_data_then == "alert") == (rule == "data-quality/no-predictions")


@pytest.mark.parametrize(
    "path",
    [pytest.param(each, id=each.stem) for each in sorted(PACKS.glob("*.yaml"))],
)
def test_every_parameter_is_used(path: Path) -> None:
    """A card that sets a parameter must change something."""
    pack = yaml.safe_load(path.read_text(encoding="utf-8"))
    conditions = str([rule.get("when") for rule in pack.get("rules", ())])
    unused = [name for name in pack.get("parameters", {}) if not re.search(rf"parameters\.{name}\b", conditions)]
    assert unused == []
