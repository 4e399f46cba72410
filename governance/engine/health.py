"""The engine's own alerts: a source that fails, a model whose rules cannot be judged. Neither may pass in silence.

A source that fails is one incident that lists the models it blinds, not one per model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from governance.core.alert import Alert, AlertKey, Timing, advance, transition
from governance.core.document import Severity
from governance.core.metric import Answer, Query, labels
from governance.core.plan import EvaluationPlan
from governance.core.reaction import Step
from governance.core.verdict import Verdict
from governance.engine import entries
from governance.engine.commit import Change
from governance.engine.parts import Engine

MODEL = entries.ENGINE


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


def health_changes(
    engine: Engine,
    found: Mapping[str, Failure | None],
    verdicts: Iterable[Verdict],
    active: Mapping[AlertKey, Alert],
    at: datetime,
) -> Iterator[Change]:
    """Advance the engine's alert of each source, and of each model with a rule in error that no source explains."""
    for source, failure in found.items():
        key = AlertKey(MODEL, "source-failing", labels(source=source))
        wrong = f"source {source} fails: {failure.reason}; blinds {', '.join(failure.models)}" if failure else ""
        yield from _change(engine, key, wrong, f"source {source} answers again", active, at)
    for key in active:
        if key.model == MODEL and key.rule == "source-failing" and dict(key.labels)["source"] not in found:
            yield from _change(engine, key, "", f"source {dict(key.labels)['source']} is no longer asked", active, at)
        elif (
            key.model == MODEL and key.rule == "rule-in-error" and dict(key.labels)["model"] not in engine.plan.by_model
        ):
            yield from _change(engine, key, "", f"{dict(key.labels)['model']} is no longer declared", active, at)
    blinded = {model for failure in found.values() if failure for model in failure.models}
    broken = {each.model: each for each in verdicts if each.outcome == "error" and each.model not in blinded}
    for policy in engine.plan.policies:
        key = AlertKey(MODEL, "rule-in-error", labels(model=policy.model))
        verdict = broken.get(policy.model)
        if policy.model in blinded:
            continue  # nothing can be said of its rules now
        wrong = f"{verdict.rule} of {verdict.model} cannot be judged: {verdict.reason}" if verdict else ""
        yield from _change(engine, key, wrong, f"the rules of {policy.model} can be judged again", active, at)


def _change(
    engine: Engine, key: AlertKey, wrong: str, right: str, active: Mapping[AlertKey, Alert], at: datetime
) -> Iterator[Change]:
    """Advance one alert of the engine; `wrong` says what is wrong, "" when nothing is."""
    said = wrong or right
    before = active.get(key, Alert(key, {}))
    if not wrong and before.state == "inactive":
        return
    after = advance(before, {"critical": "fail" if wrong else "pass"}, Timing(), at)
    if after == before:
        return
    failing: tuple[Severity, ...] = ("critical",) if wrong else ()
    verdict = Verdict(MODEL, key.rule, key.labels, at, "fail" if wrong else "pass", failing, said)
    step = Step(before, after, verdict, transition(before, after, at, said))
    decisions = (entries.of_transition(step, said, {}, engine.plan.version),) if step.transition else ()
    yield Change(step, None, said, decisions)
