"""Judge what is due: from what is known at an instant to the changes that follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledPolicy, CompiledRule
from governance.core.decision import Decision
from governance.core.duration import format_duration
from governance.core.evaluation import Evaluation
from governance.core.metric import Labels
from governance.core.reaction import Step, dropped, react, react_final
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver
from governance.engine import entries, revision
from governance.engine.budgets import unwatched
from governance.engine.commit import Change
from governance.engine.health import Known, failures, health_changes
from governance.engine.parts import Engine
from governance.engine.picture import Agenda, Picture
from governance.engine.roll import FORGET, Roll
from governance.store.instances import Place


@dataclass(slots=True)
class Judging:
    """What a cycle begins with, and the verdicts it comes to; `active` changes as findings are judged again.

    `budgets` are what is left of those that no rule looks at.
    """

    engine: Engine
    at: datetime
    late: bool
    active: dict[AlertKey, Alert]
    holding: Sequence[Waiver]
    under: entries.Under
    roll: Roll
    verdicts: list[Verdict] = field(default_factory=list)
    budgets: list[Verdict] = field(default_factory=list)


def all_changes(
    cycle: Judging, picture: Picture, revisions: list[revision.Revision], reviews: list[revision.Review]
) -> Iterator[Change]:
    """Judge again what has complete labels now, then what is due, then the engine itself."""
    for one in revisions:
        yield from _safely(cycle, one.policy, partial(_revised, cycle, one, picture))
    for each in picture.agenda:
        yield from _safely(cycle, each.policy, partial(_changes, cycle, each, picture))
    for review in reviews:
        yield from _safely(cycle, review.policy, partial(_reviewed, cycle, review, picture))
    yield from _dropped(cycle)
    if not cycle.late:  # what an instant that has passed lacks says nothing about the sources of today
        found = failures(picture)
        engine = cycle.engine
        known = Known(engine.plan, picture.agenda, cycle.verdicts, cycle.active, cycle.under, engine.standing)
        yield from health_changes(known, found, cycle.at)


def _safely(cycle: Judging, policy: CompiledPolicy, judge: Callable[[], Iterator[Change]]) -> list[Change]:
    """Judge one policy; what nobody foresaw is an error of that model, and the others are judged all the same."""
    try:
        return list(judge())
    except Exception as error:  # noqa: BLE001 (one model must not blind the fleet, in this cycle and in every other)
        said = f"{type(error).__name__}: {error}".splitlines()[0]
        cycle.verdicts.append(Verdict(policy.model, "its policy", (), cycle.at, "error", reason=said))
        return []


def _revised(cycle: Judging, each: revision.Revision, picture: Picture) -> Iterator[Change]:
    """Judge a provisional finding again; what it becomes is what this cycle goes on from."""
    evaluation = revision.evaluation(each, picture.answers, picture.recalled.past, picture.facts[each.policy.model])
    step = revision.revised(each, evaluation, cycle.at)
    if step is None:
        return
    change = _told(cycle, evaluation, each.rule, step, evaluation.summary(each.rule, step.after.key.labels))
    if step.after.state == "inactive":
        cycle.active.pop(step.after.key, None)
    else:
        cycle.active[step.after.key] = step.after
    yield change


def _reviewed(cycle: Judging, review: revision.Review, picture: Picture) -> Iterator[Change]:
    """Judge on complete labels what was judged on a part of them, and tell what had been missed."""
    for each in review.verdicts(picture.answers, cycle.holding, cycle.at, picture.facts[review.policy.model]):
        verdict = replace(each.verdict, late=cycle.late)
        for step in react_final(each.rule, verdict, cycle.active):
            summary = f"On complete labels: {each.evaluation.summary(each.rule, verdict.labels)}"
            change = _told(cycle, each.evaluation, each.rule, step, summary)
            yield replace(change, judged_at=review.judged_at)


def _changes(cycle: Judging, each: Agenda, picture: Picture) -> Iterator[Change]:
    evaluation = picture.evaluation(each)
    cycle.budgets.extend(unwatched(evaluation, each.policy.model, each.budgets, cycle.at))
    known = _known(each.policy.model, cycle.active)
    for rule in each.rules:
        expected = known[rule.rule.id]
        if rule.references and not cycle.late:
            place = (each.policy.model, rule.rule.id)
            missed, forgotten = cycle.roll.call(place, rule.dimensions, evaluation.present(rule), cycle.at)
            yield from _forgotten(cycle, place, forgotten)
            expected = [one for one in dict.fromkeys([*expected, *missed]) if one not in forgotten]
        for judged in evaluation.judge(rule, cycle.holding, expected):
            verdict = replace(judged, late=True) if cycle.late else judged
            cycle.verdicts.append(verdict)
            for step in react(rule, verdict, cycle.active):
                yield _told(cycle, evaluation, rule, step, _summary(evaluation, step, rule))


def _forgotten(cycle: Judging, place: Place, forgotten: Sequence[Labels]) -> Iterator[Change]:
    """End the alerts of label sets that have been away for too long to come back."""
    if not forgotten:
        return
    for key, alert in cycle.active.items():
        if (key.model, key.rule) == place and key.labels in forgotten:
            step = dropped(alert, cycle.at, f"no data for {format_duration(FORGET)}: it is taken for gone")
            yield Change(step, None, step.verdict.reason, (entries.of_transition(step, "", {}, cycle.under),))


def _told(cycle: Judging, evaluation: Evaluation, rule: CompiledRule, step: Step, summary: str) -> Change:
    decisions: tuple[Decision, ...] = ()
    if step.transition is not None:
        terms = evaluation.explain(rule, step.after.key.labels)
        decisions = (entries.of_transition(step, summary, terms, cycle.under),)
    return Change(step, rule.rule, summary, decisions)


def _dropped(cycle: Judging) -> Iterator[Change]:
    """Resolve the alerts of rules and models that the policies no longer declare."""
    plan = cycle.engine.plan
    declared = {(policy.model, rule.rule.id) for policy in plan.policies for rule in policy.rules}
    final = {
        (each.model, rule.rule.id) for each in plan.policies for rule in each.rules if revision.reviewed(each, rule)
    }
    cycle.roll.strike(declared)
    for key, alert in cycle.active.items():
        if entries.is_outside(key):
            continue  # its end is told by who told it
        if not entries.is_health(key) and (key.model, key.rule) not in (final if key.kind == "final" else declared):
            step = dropped(alert, cycle.at)
            summary = f"{key.rule} is no longer declared for {key.model}"
            yield Change(step, None, summary, (entries.of_transition(step, summary, {}, cycle.under),))


def _summary(evaluation: Evaluation, step: Step, rule: CompiledRule) -> str:
    if step.after.key.kind == "no_data":
        if step.verdict.outcome not in {"no_data", "stale"}:
            return f"{step.verdict.rule} has data again"
        return f"No data for {step.verdict.rule}: {step.verdict.reason}"
    return evaluation.summary(rule, step.verdict.labels)


def _known(model: str, active: Mapping[AlertKey, Alert]) -> defaultdict[str, list[Labels]]:
    """Return the label sets with an active alert, by rule: they may not vanish silently."""
    found: defaultdict[str, list[Labels]] = defaultdict(list)
    for key in active:
        if key.model == model and key.labels not in found[key.rule]:
            found[key.rule].append(key.labels)
    return found
