"""All that is known at an instant: which rules are judged, and what they are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from governance.core.compiled import CompiledPolicy, CompiledRule
from governance.core.evaluation import Evaluation
from governance.core.metric import Answer, Query
from governance.core.need import Needs
from governance.core.policy import EffectivePolicy
from governance.core.slo import CompiledSlo
from governance.engine.facts import Facts, facts
from governance.engine.fleet import Fleet, nameless
from governance.engine.memory import last_said
from governance.engine.parts import Engine
from governance.engine.recall import Recalled, Wanted, recall
from governance.store import evidence

_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is judged at an instant: for each policy its rules, and the SLOs whose minute is due; `also` of a run.

    `budgets` are the SLOs of which no rule asks what is left, and which is told all the same.
    """

    policy: CompiledPolicy
    rules: tuple[CompiledRule, ...]
    slos: tuple[CompiledSlo, ...]
    also: tuple[Needs, ...] = ()
    budgets: tuple[CompiledSlo, ...] = ()

    @property
    def needs(self) -> list[Needs]:
        """All that must be answered beside the minutes of SLOs."""
        rules = [needs for rule in self.rules for needs in (rule.needs, rule.told)]
        return [*self.also, *rules, *(self.policy.unwatched[each.name] for each in self.budgets)]

    @property
    def whole(self) -> bool:
        """True when every rule of the policy is judged."""
        return len(self.rules) == len(self.policy.rules)

    @property
    def queries(self) -> list[Query]:
        """Every question that must be asked."""
        metrics = self.policy.policy.metrics
        found = [query for needs in self.needs for query in needs.queries]
        return [*found, *(metrics[each.metric].query for slo in self.slos for each in slo.references)]


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known as of `at`; `answers` are those of plan queries and registries, `recalled` their past."""

    at: datetime
    agenda: tuple[Agenda, ...]
    facts: Mapping[str, Facts]
    answers: Mapping[Query, Answer]
    recalled: Recalled
    beat: timedelta
    fleet: Fleet

    def evaluation(self, each: Agenda) -> Evaluation:
        """Return the evaluation of one policy, with this minute of its SLOs judged."""
        known = self.facts[each.policy.model].variables
        answers, past = self.fleet.answers(each.policy), self.fleet.past(each.policy)
        found = Evaluation(each.policy, answers, self.at, past, known, self.beat)
        due = {slo.series for slo in each.slos}
        for series, sample in found.slo_samples(due).items():
            self.recalled.add(series, sample)
        return found


@dataclass(frozen=True, slots=True)
class Trouble:
    """The sources that fail and the models with a rule in error, or new evidence: looked at in every cycle."""

    sources: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    def touches(self, policy: CompiledPolicy, rule: CompiledRule) -> bool:
        """Tell whether a rule may be in trouble."""
        return policy.model in self.models or any(query.source in self.sources for query in rule.queries)

    def blinds(self, policy: CompiledPolicy, slo: CompiledSlo) -> bool:
        """Tell whether an SLO rests on a source that fails."""
        metrics = policy.policy.metrics
        return any(metrics[each.metric].query.source in self.sources for each in slo.references)


def agenda(
    policies: Iterable[CompiledPolicy], last: datetime | None, at: datetime, trouble: Trouble, *, budgets: bool = False
) -> tuple[Agenda, ...]:
    """Return what is due: each rule as often as its metrics are asked, counted on a grid from 1970; at first all.

    With `budgets` also those that no rule looks at.
    """

    def due(every: timedelta) -> bool:
        return last is None or at < last or (at - _EPOCH) // every > (last - _EPOCH) // every

    return tuple(
        Agenda(
            policy,
            tuple(rule for rule in policy.rules if due(rule.needs.every) or trouble.touches(policy, rule)),
            tuple(
                slo
                for slo in policy.slos.values()
                if slo.good is not None and (due(slo.every) or trouble.blinds(policy, slo))
            ),
            budgets=tuple(policy.slos[name] for name in policy.unwatched if due(policy.slos[name].every))
            if budgets
            else (),
        )
        for policy in policies
    )


def taken(
    engine: Engine,
    agendas: Sequence[Agenda],
    at: datetime,
    *,
    also: Iterable[tuple[str, Query]] = (),
    given: Mapping[Query, Answer] | None = None,
) -> Picture:
    """Ask all that the agenda needs, and `also` these; `given` are answers that are known already."""
    policies = [each.policy for each in agendas]
    with engine.database.read() as connection:
        recorded = evidence.latest(connection, known_by=at)
    registries = dict.fromkeys(policy.registry for policy in policies if policy.registry is not None)
    answers = dict(given or {})
    answers.update(_asked(engine, {each: each for each in registries if each not in answers}, at))
    said = last_said(engine, {each: answers[each] for each in registries}, at)
    known = facts(policies, said, recorded)
    asked = {**_questions(agendas, known), **_filled(also, known)}
    answers.update(_asked(engine, {query: each for query, each in asked.items() if query not in answers}, at))
    answers.update(nameless(policies, answers))
    wanted = _wanted(agendas) | dict.fromkeys(registries, Wanted(timedelta(0), _MINUTE))
    recalled = recall(engine, wanted, asked, answers, at)
    fleet = Fleet(policies, answers, recalled.past)
    return Picture(at, tuple(agendas), known, answers, recalled, engine.organisation.cycle.every, fleet)


def past_answers(
    engine: Engine, *, start: datetime, end: datetime, step: timedelta, also: Iterable[tuple[str, Query]] = ()
) -> dict[Query, Answer]:
    """Return what can still be told of instants that have passed, for every question of the plan and `also` these."""
    everything = agenda(engine.plan.policies, None, end, Trouble())
    registries = dict.fromkeys(each.policy.registry for each in everything if each.policy.registry is not None)
    now = _asked(engine, {each: each for each in registries}, end)
    with engine.database.read() as connection:
        recorded = evidence.latest(connection, known_by=end)
    known = facts([each.policy for each in everything], now, recorded)
    asked = {**_questions(everything, known), **_filled(also, known)}
    replies = engine.collector.past(asked.values(), engine.sources, start=start, end=end, step=step)
    return {query: replies[question] for query, question in asked.items()}


def _asked(engine: Engine, questions: Mapping[Query, Query], at: datetime) -> dict[Query, Answer]:
    answers = engine.collector.now(questions.values(), engine.sources, at) if questions else {}
    return {query: answers[asked] for query, asked in questions.items()}


def _questions(agendas: Sequence[Agenda], known: Mapping[str, Facts]) -> dict[Query, Query]:
    """Map every question of the plan to the one that is asked, with what is only known now."""
    return _filled(((each.policy.model, query) for each in agendas for query in each.queries), known)


def _filled(questions: Iterable[tuple[str, Query]], known: Mapping[str, Facts]) -> dict[Query, Query]:
    """Map questions about models to the ones that are asked; those that cannot be asked now are left out."""
    found = {query: known[model].asked(query) for model, query in questions}
    return {query: asked for query, asked in found.items() if asked is not None}


def _wanted(agendas: Sequence[Agenda]) -> dict[Query, Wanted]:
    found: dict[Query, Wanted] = {}
    for each in agendas:
        steps = _steps(each.policy.policy)
        for needs in each.needs:
            for query, back in needs.past.items():
                before = found.get(query)
                found[query] = Wanted(max(back, before.back) if before else back, steps.get(query, _MINUTE))
        found.update(_minutes(each))
    return found


def _minutes(each: Agenda) -> dict[Query, Wanted]:
    """Return the windows over which the minutes of SLOs are counted.

    Also of those that no rule looks at now: since when they are judged must not be lost.
    """
    counted = {slo.series: frozenset[timedelta]() for slo in each.slos}
    for needs in each.needs:
        for series, windows in needs.minutes.items():
            counted[series] = counted.get(series, frozenset()) | windows
    every = {slo.series: slo.every for slo in each.policy.slos.values()}
    return {series: Wanted(timedelta(0), every[series], windows) for series, windows in counted.items()}


def _steps(policy: EffectivePolicy) -> dict[Query, timedelta]:
    return {metric.query: metric.every for metric in policy.metrics.values()}
