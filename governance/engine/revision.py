"""Judge provisional findings again once their labels are complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from governance.core.alert import Alert, AlertKey
from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Query
from governance.core.plan import CompiledPolicy, CompiledRule, EvaluationPlan
from governance.core.reaction import Step, confirmed


@dataclass(frozen=True, slots=True)
class Revision:
    """A provisional finding whose labels are complete now; `asked` maps each query to the one for the past window."""

    alert: Alert
    policy: CompiledPolicy
    rule: CompiledRule
    judged_at: datetime
    asked: Mapping[Query, Query]


def due(plan: EvaluationPlan, active: Mapping[AlertKey, Alert], at: datetime) -> list[Revision]:
    """Return the revisions that can be made at `at`: `complete_after` has passed since the end of their window."""
    found = []
    for alert in active.values():
        policy = plan.by_model.get(alert.key.model)
        if policy is None or alert.basis != "provisional" or alert.until is None or alert.state != "firing":
            continue
        rule = next((each for each in policy.rules if each.rule.id == alert.key.rule), None)
        truth = policy.policy.card.truth
        if rule is not None and truth is not None and at >= alert.until + truth.complete_after:
            found.append(_revision(alert, policy, rule, alert.until + truth.delay, at))
    return found


def revised(revision: Revision, answers: Mapping[Query, Answer], at: datetime) -> Step | None:
    """Return what complete labels say of a finding, None while they cannot be read."""
    known = {query: answers[past] for query, past in revision.asked.items() if past in answers}
    evaluation = Evaluation(revision.policy, known, revision.judged_at)
    labels = revision.alert.key.labels
    verdicts = evaluation.judge(revision.rule, known=[labels])
    verdict = next((each for each in verdicts if each.labels == labels), None)
    return confirmed(revision.alert, replace(verdict, basis="final"), at) if verdict is not None else None


def _revision(alert: Alert, policy: CompiledPolicy, rule: CompiledRule, judged_at: datetime, at: datetime) -> Revision:
    queries = {policy.policy.metrics[each.metric].query for each in rule.asked}
    asked = {query: replace(query, offset=query.offset + (at - judged_at)) for query in queries}
    return Revision(alert, policy, rule, judged_at, asked)
