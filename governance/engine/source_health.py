"""A source that fails is one incident of the engine that lists the models it blinds, not one per model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core.alert import Alert, AlertKey, Timing, advance, transition
from governance.core.metric import Answer, Query, labels
from governance.core.plan import EvaluationPlan
from governance.core.reaction import Step
from governance.core.verdict import Verdict
from governance.engine import entries
from governance.engine.commit import Change
from governance.engine.parts import Engine

MODEL = "engine"
RULE = "source-failing"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a source failed, and the models that cannot be judged for it."""

    reason: str
    models: tuple[str, ...]


def failures(plan: EvaluationPlan, answers: Mapping[Query, Answer]) -> dict[str, Failure | None]:
    """Return, for every source asked, its failure or None when it answered everything."""
    found: dict[str, Failure | None] = {}
    for policy in plan.policies:
        for metric in policy.policy.metrics.values():
            answer = answers.get(metric.query)
            if answer is None:
                continue
            before = found.setdefault(metric.query.source, None)
            if answer.failure:
                models = dict.fromkeys([*(before.models if before else ()), policy.model])
                found[metric.query.source] = Failure(before.reason if before else answer.failure, tuple(models))
    return found


def source_changes(
    engine: Engine, found: Mapping[str, Failure | None], active: Mapping[AlertKey, Alert], at: datetime
) -> Iterator[Change]:
    """Advance the engine's own alert of each source."""
    for source, failure in found.items():
        key = AlertKey(MODEL, RULE, labels(source=source))
        before = active.get(key, Alert(key, {}))
        after = advance(before, {"critical": "fail" if failure else "pass"}, Timing(), at)
        if after == before or (before.state == "inactive" and after.state == "inactive"):
            continue
        summary = (
            f"source {source} fails: {failure.reason}; blinds {', '.join(failure.models)}"
            if failure
            else f"source {source} answers again"
        )
        reason = failure.reason if failure else ""
        verdict = Verdict(
            MODEL, RULE, key.labels, at, "fail" if failure else "pass", ("critical",) if failure else (), reason
        )
        step = Step(before, after, verdict, transition(before, after, at, reason))
        decisions = (entries.of_transition(step, summary, {}, engine.plan.version),) if step.transition else ()
        yield Change(step, None, summary, decisions)
