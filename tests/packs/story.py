"""A story of one shipped rule: what is known of a model, and how the rule must judge it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from governance.bootstrap import policies
from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.duration import parse_duration
from governance.core.evaluation import Evaluation
from governance.core.evidence import Evidence, as_context
from governance.core.metric import Answer, Query, Sample, labels
from governance.core.past import Past
from governance.core.verdict import Verdict

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)

ORG = {"kind": "org", "sources": {"warehouse": {"kind": "parquet", "path": "data"}}}
COLUMNS = {"time": "at", "version": "v", "score": "p", "decision": "d", "label": "y", "label_time": "y_at",
           "error": "failed", "cost": "usd"}  # fmt: skip
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
        },
        "retention": {"predictions": {"at_most": "30d"}},
        "access": ["lending"],
    },
    "cost": {"per_1k": 0.4, "per_day": 400},
    "retraining": {"every": "30d", "lead_time": "2d"},
    "rollback": {"when": "metrics.decision_rate > 0.9", "authority": ["lending"], "drill_every": "90d"},
    "review": [{"by": "risk", "every": "180d"}, {"by": "law", "every": "365d", "regime": "eu-ai-act"}],
    "regimes": ["eu-ai-act"],
    "slos": {
        "answers": {
            "objective": "99%",
            "window": "30d",
            "errors": "metrics.errors * metrics.predictions",
            "total": "metrics.predictions",
        }
    },
}

Value = float | Mapping[str, float]


def ago(days: float) -> datetime:
    """Return the instant so many days before the story's."""
    return AT - timedelta(days=days)


@dataclass(frozen=True)
class Story:
    """What is known of a model, and how the rule must judge it: a severity, or "" where it must be quiet.

    A metric over features, slices or versions is given as {name: value}. `past` has one value per day, the last of
    which is today's. `failing` gives the share of predictions that fail in windows at least that long.
    `card` replaces fields of the card; None removes one. `serving` is what a registry says.
    """

    rule: str
    told: str
    fires: str = ""
    metrics: Mapping[str, Value] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    summary: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    past: Mapping[str, Sequence[float]] = field(default_factory=dict)
    failing: Mapping[str, float] = field(default_factory=dict)
    serving: str = ""


class Fixed:
    """A source that knows what a story tells of one model, at one instant."""

    def __init__(self, policy: CompiledPolicy, story: Story) -> None:
        metrics = policy.policy.metrics
        self._story = story
        self._answers = {
            metrics[name].query: _answer(metrics[name].query, each) for name, each in story.metrics.items()
        }

    def answers(self, queries: Sequence[Query]) -> dict[Query, Answer]:
        """Answer what is known; the rest has no rows."""
        return {query: self._answers.get(query) or self._counted(query) for query in queries}

    def _counted(self, query: Query) -> Answer:
        """Answer how many predictions there were in a window, a thousand an hour, and which share of them failed."""
        told = [share for least, share in self._story.failing.items() if query.window >= parse_duration(least)]
        if not told or query.measure not in {"errors", "predictions"}:
            return Answer()
        return _answer(query, told[-1] if query.measure == "errors" else 1000 * (query.window / timedelta(hours=1)))


def policy_of(changes: Mapping[str, Any]) -> CompiledPolicy:
    """Load the card with changes, as an author would have written it, with the shipped packs."""
    card = {name: value for name, value in {**CARD, **changes}.items() if value is not None}
    return _loaded(yaml.safe_dump(card)).by_model[card["model"]]


@cache
def _loaded(card: str) -> EvaluationPlan:
    with TemporaryDirectory() as name:
        (Path(name) / "card.yaml").write_text(card, encoding="utf-8")
        (Path(name) / "org.yaml").write_text(yaml.safe_dump(ORG), encoding="utf-8")
        loaded = policies([Path(name)])
    if loaded.problems:
        raise AssertionError("\n".join(each.render() for each in loaded.problems))
    return loaded.plan


def judged(policy: CompiledPolicy, story: Story) -> tuple[Evaluation, list[Verdict]]:
    """Judge the story's rule by what the story tells; return its verdicts."""
    queries = list(dict.fromkeys(query for rule in policy.rules for query in rule.queries))
    facts: dict[str, object] = {"evidence": as_context(story.evidence)}
    if story.serving:
        card = policy.policy.card.model_dump(exclude_none=True)
        facts["card"] = {**card, "versions": {**card["versions"], "serving": story.serving}}
    past = {policy.policy.metrics[name].query: _past(days) for name, days in story.past.items()}
    evaluation = Evaluation(policy, Fixed(policy, story).answers(queries), AT, past, facts)
    return evaluation, [each for each in evaluation.verdicts() if each.rule == story.rule]


def _answer(query: Query, value: Value) -> Answer:
    at = AT - query.offset
    if not isinstance(value, Mapping):
        return Answer((Sample(float(value), at, count=1000),))
    return Answer(tuple(Sample(float(each), at, _labels(query, name), 1000) for name, each in value.items()))


def _labels(query: Query, name: str) -> tuple[tuple[str, str], ...]:
    return labels(slice="region", value=name) if query.by == "slice" else labels(**{query.by: name})


def _past(days: Sequence[float]) -> Past:
    hours = [value for value in days for _ in range(24)]
    start = AT - timedelta(hours=len(hours) - 1)
    samples = tuple(Sample(value, start + timedelta(hours=hour), count=1000) for hour, value in enumerate(hours))
    return Past(samples, begun=start)
