"""One cycle: collect, evaluate, advance, gather, respond, record."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from governance.core.alert import Alert, AlertKey
from governance.core.decision import Decision
from governance.core.evaluation import Evaluation
from governance.core.incident import IncidentChange
from governance.core.metric import Answer, Labels, Query
from governance.core.plan import CompiledPolicy, CompiledRule
from governance.core.reaction import Step, dropped, react
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver
from governance.engine import entries, revision
from governance.engine.collect import collect
from governance.engine.commit import Change, commit
from governance.engine.health import failures, health_changes
from governance.engine.parts import Engine
from governance.store import alerts, decision_log, progress, waivers

_GROUPS_PER_TRANSACTION = 50  # keeps each transaction short, as people's acts wait for it


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle did, and the seconds it spent on each part."""

    at: datetime
    outcomes: Mapping[str, int]
    changes: tuple[IncidentChange, ...]
    collect_seconds: float
    evaluate_seconds: float
    commit_seconds: float


def run_cycle(engine: Engine, at: datetime) -> CycleReport:
    """Judge every rule as of `at` and commit what follows; repeating a cycle that was cut off changes nothing twice."""
    started = time.perf_counter()
    with engine.database.read() as connection:
        active = alerts.active(connection)
        holding = waivers.holding(connection, at)
    revisions = revision.due(engine.plan, active, at)
    past = (query for each in revisions for query in each.asked.values())
    answers = collect(dict.fromkeys([*engine.plan.queries, *past]), engine.sources, at)
    collected = time.perf_counter()

    verdicts: list[Verdict] = []
    changes = [*_revised(engine, revisions, answers, active, at)]
    for policy in engine.plan.policies:
        changes.extend(_changes(engine, policy, answers, active, holding, verdicts, at))
    changes.extend(_dropped(engine, active, at))
    changes.extend(health_changes(engine, failures(engine.plan, answers), verdicts, active, at))
    evaluated = time.perf_counter()

    incident_changes = _committed(engine, changes, at)
    with engine.database.transaction() as connection:
        last = progress.last_cycle(connection)
        if last != at:  # the same instant again has its entry already
            decision_log.append(connection, [entries.of_cycle(verdicts, at, last, engine.plan.version)])
        progress.set_last_cycle(connection, at)
    decision_log.seal(engine.database, at)
    done = time.perf_counter()
    outcomes: Counter[str] = Counter(verdict.outcome for verdict in verdicts)
    spent = (collected - started, evaluated - collected, done - evaluated)
    return CycleReport(at, dict(outcomes), tuple(incident_changes), *spent)


def _revised(
    engine: Engine,
    revisions: list[revision.Revision],
    answers: Mapping[Query, Answer],
    active: dict[AlertKey, Alert],
    at: datetime,
) -> Iterator[Change]:
    """Judge provisional findings again; what they become is what this cycle goes on from."""
    for each in revisions:
        step = revision.revised(each, answers, at)
        if step is None:
            continue
        if step.after.state == "inactive":
            active.pop(step.after.key, None)
        else:
            active[step.after.key] = step.after
        known = {query: answers[asked] for query, asked in each.asked.items() if asked in answers}
        evaluation = Evaluation(each.policy, known, each.judged_at)
        summary = evaluation.summary(each.rule, step.after.key.labels)
        terms = evaluation.explain(each.rule, step.after.key.labels)
        decision = entries.of_transition(step, summary, terms, engine.plan.version)
        yield Change(step, each.rule.rule, summary, (decision,))


def _changes(
    engine: Engine,
    policy: CompiledPolicy,
    answers: Mapping[Query, Answer],
    active: Mapping[AlertKey, Alert],
    holding: list[Waiver],
    verdicts: list[Verdict],
    at: datetime,
) -> Iterator[Change]:
    evaluation = Evaluation(policy, answers, at)
    known = _known(policy.model, active)
    for rule in policy.rules:
        for verdict in evaluation.judge(rule, holding, known.get(rule.rule.id, ())):
            verdicts.append(verdict)
            for step in react(rule, verdict, active):
                summary = _summary(evaluation, step, rule)
                decisions: tuple[Decision, ...] = ()
                if step.transition is not None:
                    terms = evaluation.explain(rule, verdict.labels)
                    decisions = (entries.of_transition(step, summary, terms, engine.plan.version),)
                yield Change(step, rule.rule, summary, decisions)


def _dropped(engine: Engine, active: Mapping[AlertKey, Alert], at: datetime) -> Iterator[Change]:
    """Resolve the alerts of rules and models that the policies no longer declare."""
    declared = {(policy.model, rule.rule.id) for policy in engine.plan.policies for rule in policy.rules}
    for key, alert in active.items():
        if key.model != entries.ENGINE and (key.model, key.rule) not in declared:
            step = dropped(alert, at)
            summary = f"{key.rule} is no longer declared for {key.model}"
            yield Change(step, None, summary, (entries.of_transition(step, summary, {}, engine.plan.version),))


def _summary(evaluation: Evaluation, step: Step, rule: CompiledRule) -> str:
    if step.after.key.kind == "no_data":
        return f"No data for {step.verdict.rule}: {step.verdict.reason}"
    return evaluation.summary(rule, step.verdict.labels)


def _known(model: str, active: Mapping[AlertKey, Alert]) -> dict[str, list[Labels]]:
    """Return the label sets with an active alert, by rule: they may not vanish silently."""
    found: dict[str, list[Labels]] = defaultdict(list)
    for key in active:
        if key.model == model and key.labels not in found[key.rule]:
            found[key.rule].append(key.labels)
    return found


def _committed(engine: Engine, changes: list[Change], at: datetime) -> list[IncidentChange]:
    groups: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        groups[change.group(engine.organisation.incidents)].append(change)
    pending = iter(groups.items())
    found: list[IncidentChange] = []
    while chunk := list(islice(pending, _GROUPS_PER_TRANSACTION)):
        found.extend(commit(engine, dict(chunk), at))
    return found
