"""Judge again once labels are complete: what was found is confirmed or withdrawn, what was missed is found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledPolicy, CompiledRule, EvaluationPlan
from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Query
from governance.core.past import Past
from governance.core.reaction import Step, confirmed
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver
from governance.engine.facts import Facts
from governance.engine.picture import Agenda


@dataclass(frozen=True, slots=True)
class Revision:
    """A provisional finding whose labels are complete now; `asked` maps each query to the one for the past window."""

    alert: Alert
    policy: CompiledPolicy
    rule: CompiledRule
    judged_at: datetime
    asked: Mapping[Query, Query]


@dataclass(frozen=True, slots=True)
class Review:
    """The rules of a policy that rest on labels, judged as of an instant whose labels are complete by now."""

    policy: CompiledPolicy
    rules: tuple[CompiledRule, ...]
    judged_at: datetime
    asked: Mapping[Query, Query]

    def verdicts(
        self, answers: Mapping[Query, Answer], holding: Sequence[Waiver], at: datetime, facts: Facts
    ) -> Iterator[Judged]:
        """Judge each rule on complete labels; the verdict is made at `at`, about the window of then."""
        evaluation = Evaluation(self.policy, known(self.asked, answers), self.judged_at, facts=facts.variables)
        for rule in self.rules:
            for verdict in evaluation.judge(rule, holding):
                yield Judged(rule, replace(verdict, at=at, basis="final"), evaluation)


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the rule and the evaluation that it comes from."""

    rule: CompiledRule
    verdict: Verdict
    evaluation: Evaluation


def reviews(agendas: Sequence[Agenda], at: datetime) -> list[Review]:
    """Return what is judged on complete labels at `at`; rules over a stretch of the past are judged only once."""
    found = []
    for each in agendas:
        rules = tuple(rule for rule in each.rules if reviewed(each.policy, rule))
        if rules:
            found.append(Review(each.policy, rules, at - _shift(each.policy), _later(each.policy, rules)))
    return found


def questions(plan: EvaluationPlan) -> Iterator[tuple[str, Query]]:
    """Yield, with the model, every question that judging on complete labels asks."""
    for policy in plan.policies:
        rules = [rule for rule in policy.rules if reviewed(policy, rule)]
        yield from ((policy.model, query) for query in _later(policy, rules).values())


def _later(policy: CompiledPolicy, rules: Iterable[CompiledRule]) -> dict[Query, Query]:
    """Map each question of the rules to the one for the window whose labels are complete now."""
    shift = _shift(policy)
    return {query: replace(query, offset=query.offset + shift) for rule in rules for query in rule.queries}


def _shift(policy: CompiledPolicy) -> timedelta:
    truth = policy.policy.card.truth
    return truth.complete_after - truth.delay if truth is not None else timedelta(0)


def reviewed(policy: CompiledPolicy, rule: CompiledRule) -> bool:
    """Tell whether a rule is judged once more on complete labels."""
    truth = policy.policy.card.truth
    return truth is not None and truth.complete_after > truth.delay and rule.needs_truth and not _looks_back(rule)


def _looks_back(rule: CompiledRule) -> bool:
    """Tell whether a rule rests on samples as they once were; of these only the newest would be complete."""
    return bool(rule.needs.past or rule.needs.minutes)


def due(plan: EvaluationPlan, active: Mapping[AlertKey, Alert], at: datetime) -> list[Revision]:
    """Return the revisions that can be made at `at`: `complete_after` has passed since the end of their window."""
    found = []
    for alert in active.values():
        policy = plan.by_model.get(alert.key.model)
        if policy is None or alert.basis != "provisional" or alert.until is None or alert.state != "firing":
            continue
        rule = next((each for each in policy.rules if each.rule.id == alert.key.rule), None)
        truth = policy.policy.card.truth
        if rule is None or _looks_back(rule):
            continue
        if truth is not None and at >= alert.until + truth.complete_after:
            found.append(_revision(alert, policy, rule, alert.until + truth.delay, at))
    return found


def evaluation(
    revision: Revision, answers: Mapping[Query, Answer], past: Mapping[Query, Past], facts: Facts
) -> Evaluation:
    """Return the evaluation of a revision's past instant, with what is known of it today."""
    return Evaluation(revision.policy, known(revision.asked, answers), revision.judged_at, past, facts.variables)


def known(asked: Mapping[Query, Query], answers: Mapping[Query, Answer]) -> dict[Query, Answer]:
    """Return the answers for a past instant as if they were those of the present."""
    return {query: answers[past] for query, past in asked.items() if past in answers}


def revised(revision: Revision, evaluation: Evaluation, at: datetime) -> Step | None:
    """Return what complete labels say of a finding, None while they cannot be read."""
    labels = revision.alert.key.labels
    verdicts = evaluation.judge(revision.rule, known=[labels])
    verdict = next((each for each in verdicts if each.labels == labels), None)
    return confirmed(revision.alert, replace(verdict, basis="final"), at) if verdict is not None else None


def _revision(alert: Alert, policy: CompiledPolicy, rule: CompiledRule, judged_at: datetime, at: datetime) -> Revision:
    asked = {query: replace(query, offset=query.offset + (at - judged_at)) for query in rule.queries}
    return Revision(alert, policy, rule, judged_at, asked)
