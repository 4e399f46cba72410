"""A card to which every shipped pack applies, loaded as an author would have written it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from governance.core.compiled import CompiledPolicy, EvaluationPlan
from governance.core.evaluation import Evaluation
from governance.core.evidence import Evidence, as_context
from governance.core.verdict import Verdict
from governance.policies import policies

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


def in_silence(policy: CompiledPolicy, rule: str) -> list[Verdict]:
    """Judge a rule while no source has any row."""
    evaluation = Evaluation(policy, {}, AT, {}, {"evidence": as_context(Evidence())})
    return [each for each in evaluation.verdicts() if each.rule == rule]
