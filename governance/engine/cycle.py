"""One cycle: collect, evaluate, advance, gather, respond, record."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledRule
from governance.core.decision import Decision
from governance.core.evaluation import Evaluation
from governance.core.incident import IncidentChange
from governance.core.metric import Answer, Labels, Query
from governance.core.reaction import Step, dropped, react, react_final
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver
from governance.engine import entries, revision
from governance.engine.commit import Change, commit
from governance.engine.health import Known, failures, health_changes, troubled
from governance.engine.parts import Engine
from governance.engine.picture import Agenda, Picture, agenda, taken
from governance.engine.recall import remember
from governance.store import alerts, decision_log, evidence, progress, waivers


@dataclass(frozen=True, slots=True)
class CycleReport:
    """What a cycle did, and the seconds it spent on each part."""

    at: datetime
    outcomes: Mapping[str, int]
    changes: tuple[IncidentChange, ...]
    collect_seconds: float
    evaluate_seconds: float
    commit_seconds: float


@dataclass(slots=True)
class _Cycle:
    """What a cycle begins with, and the verdicts it comes to; `active` changes as findings are judged again."""

    engine: Engine
    at: datetime
    late: bool
    active: dict[AlertKey, Alert]
    holding: Sequence[Waiver]
    under: entries.Under
    verdicts: list[Verdict] = field(default_factory=list)


def run_cycle(
    engine: Engine, at: datetime, *, late: bool = False, given: Mapping[Query, Answer] | None = None
) -> CycleReport:
    """Judge what is due as of `at` and commit what follows; repeating a cycle that was cut off changes nothing twice.

    A `late` cycle catches up on an instant that has passed, from the answers `given`: it judges only rules whose
    questions these answer, and what it would tell waits until the present is known.
    """
    started = time.perf_counter()
    with engine.database.read() as connection:
        under = entries.Under(engine.plan.version, progress.era(connection))
        cycle = _Cycle(engine, at, late, alerts.active(connection), waivers.holding(connection, at), under)
        last = progress.last(connection, progress.JUDGED)
        news = evidence.recorded(connection, last, at) if last is not None else frozenset()
    repeated = last == at  # cut off, or asked for again: all of it once more
    trouble = troubled(cycle.active)
    trouble = replace(trouble, models=trouble.models | news)
    due = agenda(engine.plan.policies, None if repeated else last, at, trouble)
    if late:
        due = _answerable(due, given or {})
    revisions = revision.due(engine.plan, cycle.active, at)
    reviews = [] if late else revision.reviews(due, at)
    again = [*(revisions if not late else ()), *reviews]
    picture = taken(engine, due, at, also=(query for each in again for query in each.asked.values()), given=given)
    collected = time.perf_counter()
    changes = list(_all_changes(cycle, picture, revisions, reviews))
    evaluated = time.perf_counter()
    with engine.database.giving_way():
        incident_changes = commit(engine, _groups(engine, changes), at)
        _finish(cycle, picture)
    done = time.perf_counter()
    outcomes: Counter[str] = Counter(verdict.outcome for verdict in cycle.verdicts)
    spent = (collected - started, evaluated - collected, done - evaluated)
    return CycleReport(at, dict(outcomes), tuple(incident_changes), *spent)


def _answerable(due: Sequence[Agenda], given: Mapping[Query, Answer]) -> tuple[Agenda, ...]:
    """Leave out the rules that rest on the present only: of an instant that has passed nobody can tell."""
    return tuple(
        replace(
            each,
            rules=tuple(rule for rule in each.rules if all(query in given for query in rule.queries)),
            slos=tuple(
                slo
                for slo in each.slos
                if all(each.policy.policy.metrics[one.metric].query in given for one in slo.references)
            ),
        )
        for each in due
    )


def _finish(cycle: _Cycle, picture: Picture) -> None:
    """Remember the samples that are looked back on, say that the cycle is complete, and seal what it decided."""
    engine, at = cycle.engine, cycle.at
    remember(engine, picture.recalled)
    with engine.database.transaction() as connection:
        last = progress.last(connection, progress.CYCLE)
        if last != at:  # the same instant again has its entry already
            over = waivers.ended(connection, last, at) if last is not None else []
            entry = entries.of_cycle(cycle.verdicts, at, last, cycle.under, late=cycle.late)
            decision_log.append(connection, [*(entries.of_waiver_end(each, at, cycle.under) for each in over), entry])
        progress.set_last(connection, progress.CYCLE, at)
        progress.set_last(connection, progress.JUDGED, at)
    decision_log.seal(engine.database, at)


def _all_changes(
    cycle: _Cycle, picture: Picture, revisions: list[revision.Revision], reviews: list[revision.Review]
) -> Iterator[Change]:
    yield from _revised(cycle, revisions, picture)
    for each in picture.agenda:
        yield from _changes(cycle, each, picture.evaluation(each))
    for review in reviews:
        yield from _reviewed(cycle, review, picture)
    yield from _dropped(cycle)
    if not cycle.late:  # what an instant that has passed lacks says nothing about the sources of today
        found = failures(picture)
        known = Known(cycle.engine.plan, picture.agenda, cycle.verdicts, cycle.active, cycle.under)
        yield from health_changes(known, found, cycle.at)


def _revised(cycle: _Cycle, revisions: list[revision.Revision], picture: Picture) -> Iterator[Change]:
    """Judge provisional findings again; what they become is what this cycle goes on from."""
    for each in revisions:
        evaluation = revision.evaluation(each, picture.answers, picture.recalled.past)
        step = revision.revised(each, evaluation, cycle.at)
        if step is None:
            continue
        if step.after.state == "inactive":
            cycle.active.pop(step.after.key, None)
        else:
            cycle.active[step.after.key] = step.after
        yield _told(cycle, evaluation, each.rule, step, evaluation.summary(each.rule, step.after.key.labels))


def _reviewed(cycle: _Cycle, review: revision.Review, picture: Picture) -> Iterator[Change]:
    """Judge on complete labels what was judged on a part of them, and tell what had been missed."""
    for each in review.verdicts(picture.answers, cycle.holding, cycle.at):
        for step in react_final(each.rule, each.verdict, cycle.active):
            summary = f"On complete labels: {each.evaluation.summary(each.rule, each.verdict.labels)}"
            change = _told(cycle, each.evaluation, each.rule, step, summary)
            yield replace(change, judged_at=review.judged_at)


def _changes(cycle: _Cycle, each: Agenda, evaluation: Evaluation) -> Iterator[Change]:
    known = _known(each.policy.model, cycle.active)
    for rule in each.rules:
        for judged in evaluation.judge(rule, cycle.holding, known.get(rule.rule.id, ())):
            verdict = replace(judged, late=True) if cycle.late else judged
            cycle.verdicts.append(verdict)
            for step in react(rule, verdict, cycle.active):
                yield _told(cycle, evaluation, rule, step, _summary(evaluation, step, rule))


def _told(cycle: _Cycle, evaluation: Evaluation, rule: CompiledRule, step: Step, summary: str) -> Change:
    decisions: tuple[Decision, ...] = ()
    if step.transition is not None:
        terms = evaluation.explain(rule, step.after.key.labels)
        decisions = (entries.of_transition(step, summary, terms, cycle.under),)
    return Change(step, rule.rule, summary, decisions)


def _dropped(cycle: _Cycle) -> Iterator[Change]:
    """Resolve the alerts of rules and models that the policies no longer declare."""
    plan = cycle.engine.plan
    declared = {(policy.model, rule.rule.id) for policy in plan.policies for rule in policy.rules}
    for key, alert in cycle.active.items():
        if not entries.is_health(key) and (key.model, key.rule) not in declared:
            step = dropped(alert, cycle.at)
            summary = f"{key.rule} is no longer declared for {key.model}"
            yield Change(step, None, summary, (entries.of_transition(step, summary, {}, cycle.under),))


def _groups(engine: Engine, changes: Sequence[Change]) -> dict[str, list[Change]]:
    found: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        found[change.group(engine.organisation.incidents)].append(change)
    return found


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
