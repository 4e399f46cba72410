"""Play recorded samples to the policies of one model, with the steps of a cycle and nothing written or sent."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from governance.core.alert import Alert, AlertKey
from governance.core.compiled import CompiledPolicy, CompiledRule
from governance.core.evaluation import Evaluation
from governance.core.evidence import Evidence
from governance.core.incident import Incident, IncidentChange, Told, gather
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.past import Past
from governance.core.reaction import react
from governance.core.waiver import Waiver
from governance.engine.commit import Change
from governance.engine.facts import facts
from governance.engine.grouping import group_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOLD = frozenset({"opened", "new_findings", "worsened", "reopened"})


@dataclass(frozen=True, slots=True)
class History:
    """What was recorded of questions: their samples in the order of their times, and since when they were asked."""

    samples: Mapping[Query, Sequence[Sample]]
    begun: Mapping[Query, datetime]
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    waivers: Sequence[Waiver] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """People are told of an incident; info tells nobody."""

    at: datetime
    severity: str
    title: str


@dataclass(slots=True)
class Rehearsal:
    """The policies of one model, judged at one instant after another; what follows is kept here."""

    policy: CompiledPolicy
    organisation: Organisation
    rules: Collection[str]
    active: dict[AlertKey, Alert] = field(default_factory=dict)
    incidents: dict[str, Incident] = field(default_factory=dict)
    closed: list[Incident] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    _times: dict[Query, list[datetime]] = field(default_factory=dict)
    _rounds: dict[Query, timedelta] = field(default_factory=dict)
    _last: datetime | None = None
    _count: int = 0

    def play(self, history: History, instants: Sequence[datetime]) -> None:
        """Judge at every instant; of each question only what was recorded by then is known."""
        self._rounds = {each.query: each.every for each in self.policy.policy.metrics.values()}
        self._times = {query: [each.time for each in found] for query, found in history.samples.items()}
        for at in instants:
            self._judge(history, at)
            self._last = at

    def episodes(self) -> list[Incident]:
        """Return every incident that there would have been, oldest first."""
        return sorted([*self.closed, *self.incidents.values()], key=lambda each: each.opened_at)

    def _judge(self, history: History, at: datetime) -> None:
        due = [rule for rule in self.policy.rules if rule.rule.id in self.rules and self._is_due(rule, at)]
        if not due:
            return
        queries = {query for rule in due for query in rule.queries}
        answers = {query: self._answer(history, query, at) for query in queries}
        looked_back = {query: back for rule in due for query, back in _past(rule).items()}
        past = {query: self._past(history, query, back, at) for query, back in looked_back.items()}
        registry = self.policy.registry
        said = {registry: self._answer(history, registry, at)} if registry is not None else {}
        known = facts([self.policy], said, history.evidence)[self.policy.model]
        beat = self.organisation.cycle.every
        evaluation = Evaluation(self.policy, answers, at, past, known.variables, beat)
        holding = [each for each in history.waivers if each.known(at) and at < each.until]
        told = [one for rule in due for one in self._told(evaluation, rule, holding)]
        self._gather(told, at)

    def _is_due(self, rule: CompiledRule, at: datetime) -> bool:
        every = rule.needs.every
        return self._last is None or (at - _EPOCH) // every > (self._last - _EPOCH) // every

    def _told(self, evaluation: Evaluation, rule: CompiledRule, holding: Sequence[Waiver]) -> Iterator[Told]:
        known = [key.labels for key in self.active if key.rule == rule.rule.id]
        for verdict in evaluation.judge(rule, holding, list(dict.fromkeys(known))):
            for step in react(rule, verdict, self.active):
                if step.after.state == "inactive":
                    self.active.pop(step.after.key, None)
                else:
                    self.active[step.after.key] = step.after
                summary = evaluation.summary(rule, verdict.labels) if step.transition is not None else ""
                told = Change(step, rule.rule, summary).told()
                if told is not None:
                    yield told

    def _gather(self, told: Sequence[Told], at: datetime) -> None:
        groups: dict[str, list[Told]] = defaultdict(list)
        for each in told:
            groups[group_of(each.key, self.organisation.incidents)].append(each)
        for group, found in groups.items():
            before = self.incidents.get(group)
            window = self.organisation.incidents.reopen_within
            change = gather(before, found, at, group=group, next_id=self._count + 1, reopen_within=window)
            if change is None:
                continue
            if before is not None and change.incident.id != before.id:
                self.closed.append(before)
            self._count = max(self._count, change.incident.id)
            self.incidents[group] = change.incident
            self._page(change, at)

    def _page(self, change: IncidentChange, at: datetime) -> None:
        incident = change.incident
        if change.kind in _TOLD and incident.severity != "info":
            self.pages.append(Page(at, incident.severity, incident.title))

    def _answer(self, history: History, query: Query, at: datetime) -> Answer:
        """Return what was answered last by an instant: the samples of one round."""
        times = self._times.get(query, [])
        end = bisect_right(times, at - query.offset)
        if end == 0:
            return Answer()
        newest = times[end - 1]
        start = bisect_right(times, newest - self._round(query))
        by_labels = {each.labels: each for each in history.samples[query][start:end]}
        return Answer(tuple(by_labels.values()))

    def _round(self, query: Query) -> timedelta:
        """Return how far back samples belong to the newest: pushed label sets do not all have one time."""
        return self._rounds.get(query, timedelta(minutes=1)) / 2

    def _past(self, history: History, query: Query, back: timedelta, at: datetime) -> Past:
        times = self._times.get(query, [])
        end = at - query.offset
        first, last = bisect_right(times, end - back), bisect_right(times, end)
        found = tuple(history.samples[query][first:last]) if last else ()
        return Past(found, history.begun.get(query, times[0] if times else None))


def replayable(policy: CompiledPolicy, known: Collection[Query]) -> tuple[set[str], dict[str, str]]:
    """Return the rules that can be judged by what was recorded, and of each other one why not."""
    names = {metric.query: name for name, metric in policy.policy.metrics.items()}
    able: set[str] = set()
    unable: dict[str, str] = {}
    for rule in policy.rules:
        missing = [query for query in rule.needs.queries if query not in known]
        if rule.needs.minutes:
            unable[rule.rule.id] = "it counts minutes of an SLO's condition, which are not tried anew"
        elif missing:
            listed = ", ".join(sorted({names.get(query, query.measure or query.text) for query in missing}))
            unable[rule.rule.id] = f"nothing was recorded of {listed}"
        else:
            able.add(rule.rule.id)
    return able, unable


def _past(rule: CompiledRule) -> dict[Query, timedelta]:
    found = dict(rule.needs.past)
    for query, back in rule.told.past.items():
        found[query] = max(back, found.get(query, back))
    return found
