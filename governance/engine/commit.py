"""Write what changed: alerts, incident, effects and entries of each group in one transaction, which others share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from governance.core.alert import Alert, AlertKey
from governance.core.decision import Decision
from governance.core.digest import BURST, waiting
from governance.core.effect import Effect, respond
from governance.core.incident import Finding, Incident, IncidentChange, Told, known_already
from governance.core.organisation import Grouping
from governance.core.policy import EffectiveRule
from governance.core.reaction import Step
from governance.engine import entries
from governance.engine.gathering import gathered, save
from governance.engine.grouping import Router, Standing, group_of
from governance.engine.parts import Engine
from governance.engine.running.by_rules import RuleRun, begin_by_rule
from governance.engine.switching.automatic import Automation, RulePull, due, owing
from governance.store import alerts, decision_log, effects, joined, silences
from governance.store.pace import Pace


@dataclass(frozen=True, slots=True)
class Change:
    """One alert that moved; `rule` is None for the engine's own alerts and for rules that are gone.

    `judged_at` is set for an alert on complete labels: when the same window was judged on a part of them.
    """

    step: Step
    rule: EffectiveRule | None
    summary: str
    decisions: tuple[Decision, ...] = ()
    judged_at: datetime | None = None

    def group(self, grouping: Grouping) -> str:
        """Return which incident this belongs to."""
        return group_of(self.step.after.key, grouping)

    def left(self) -> Alert:
        """Return the alert as it is left: where its rule acts and the cycle is late, the present has to."""
        return owing(self.step.after, self.rule, self.step)

    def told(self) -> Told | None:
        """Return what this tells its incident, None when nothing."""
        change, verdict = self.step.transition, self.step.verdict
        observed = self.rule is not None and self.rule.enforcement == "observe"
        if change is None or (observed and change.change in {"firing", "worsened", "eased"}):
            return None  # an end is always told: the rule may have been observed only since then
        values = {each.name: each.value for each in verdict.inputs}
        severity = change.after or change.before
        return Told(
            change.key,
            change.change,
            change.at,
            severity,
            self.summary,
            values,
            verdict.basis,
            change.reason,
            self.judged_at,
        )


def commit(
    engine: Engine, groups: Mapping[str, Sequence[Change]], at: datetime, serving: Mapping[str, str] | None = None
) -> list[IncidentChange]:
    """Write any number of groups, each in one transaction with others, and return what became of their incidents.

    Each transaction is short, and people's acts go first at every one. `serving` names the version that serves of each
    model where it is known, for rules that pull it.
    """
    pace, found, left = Pace(), list[IncidentChange](), deque(_families(engine, groups, at))
    many = sum(any(map(_news, each.values())) for each in left) > BURST
    with engine.database.giving_way():
        while left:
            found.extend(_written(engine, _next(left, pace.size), at, pace, serving or {}, many=many))
            if left:  # a person's act waits until all entries before its own are sealed: leave it few
                decision_log.Sequencer(engine.database, None).seal(at)
    return found


Groups = Mapping[str, Sequence[Change]]


def _families(engine: Engine, groups: Groups, at: datetime) -> list[Groups]:
    """Put together the groups that share an incident: what they have to tell is told at once."""
    news = {group: told for group, changes in groups.items() if (told := _news(changes))}
    lineage = engine.lineage
    with engine.database.read() as connection:
        if not news or not (lineage.upstream or joined.any_open(connection)):
            return [{group: changes} for group, changes in groups.items()]
        router = Router(connection, lineage, engine.organisation.incidents, at)
        families = router.routed(news, Standing(connection, news))
    shared = [{group: groups[group] for group in each.news} for each in families]
    return [*shared, *({group: changes} for group, changes in groups.items() if group not in news)]


def _news(changes: Iterable[Change]) -> list[Told]:
    return [each for each in (change.told() for change in changes) if each is not None]


def _next(left: deque[Groups], size: int) -> dict[str, Sequence[Change]]:
    """Take families of groups until they hold `size` changes; one at least."""
    chunk, count = dict[str, Sequence[Change]](), 0
    while left and (not chunk or count + _size(left[0]) <= size):
        family = left.popleft()
        chunk.update(family)
        count += _size(family)
    return chunk


def _size(groups: Groups) -> int:
    return sum(map(len, groups.values()))


def _written(
    engine: Engine, chunk: Groups, at: datetime, pace: Pace, serving: Mapping[str, str], *, many: bool
) -> list[IncidentChange]:
    """Prepare what does not depend on the database, then write the chunk in one transaction.

    Where `many` incidents may change in this cycle, what they tell waits to be put together.
    """
    told = {group: _news(changes) for group, changes in chunk.items()}
    decided = {
        id(change): [decision_log.ready(decision) for decision in change.decisions]
        for changes in chunk.values()
        for change in changes
    }
    log: list[decision_log.Ready | Decision] = []
    sent: list[Effect] = []
    with engine.database.transaction() as connection:
        started = perf_counter()
        standing = Standing(connection, [group for group, each in told.items() if each])
        muted = silences.holding(connection, at)
        automation = Automation(connection, engine, at)
        kept = {
            group: [each for each in moved if not _known(each, standing.heard(group), told[group])]
            for group, moved in chunk.items()
        }
        router = Router(connection, engine.lineage, engine.organisation.incidents, at)
        families = router.routed({group: _news(changes) for group, changes in kept.items()}, standing)
        found = gathered(connection, engine, families, at, serving)
        log.extend(each for changes in kept.values() for one in changes for each in decided[id(one)])
        for each in found:
            changes = [change for group in each.family.news for change in kept[group]]
            pulls = _acts(changes, each.change.incident, automation, serving)
            proposals = _proposals(changes, each.change.incident, pulls)
            late = any(one.step.verdict.late for one in changes)
            for change in each.changes:
                said = proposals if change is each.change else ()
                sent.extend(
                    respond(change, engine.places_for(change.incident.model), said, at, late=late, silences=muted)
                )
                log.append(entries.of_incident(change, at, engine.plan.version))
        log.extend(entries.of_delivery(each, at) for each in sent if each.state == "withheld")
        alerts.save(connection, _last_states(one for changes in kept.values() for one in changes))
        save(connection, found)
        effects.add(connection, waiting(sent) if many else sent)
        decision_log.append(connection, log)
        automation.carry_out()
    pace.fit(sum(map(len, chunk.values())), perf_counter() - started)
    return [change for each in found for change in each.changes]


def _known(change: Change, heard: tuple[Finding, ...], others: Sequence[Told]) -> bool:
    """Tell whether complete labels say nothing new yet: then their alert waits, to be told once they do."""
    told = change.told()
    return told is not None and known_already(heard, others, told)


def _last_states(changes: Iterable[Change]) -> list[Alert]:
    """An alert may move twice in a cycle (revised, then judged anew): the last state counts."""
    return list({change.step.after.key: change.left() for change in changes}.values())


def _acts(
    changes: Sequence[Change], incident: Incident, automation: Automation, serving: Mapping[str, str]
) -> dict[AlertKey, str]:
    """Let the rules that act ask for their pulls and begin their runs; return what people are told of each."""
    found = {}
    for change in changes:
        key, rule = change.step.after.key, change.rule
        if rule is None or rule.then is None or not due(rule, change.step) or change.step.verdict.late:
            continue
        if rule.then.runbook is not None:
            asked = RuleRun(key, rule.then.runbook, change.summary, incident)
            found[key] = begin_by_rule(automation.connection, automation.engine, asked, automation.at)
        else:
            wanted = RulePull(key, rule.then, change.summary, serving.get(key.model, ""), incident.id)
            found[key] = automation.ask(wanted)
    return found


def _proposals(changes: Sequence[Change], incident: Incident, pulls: Mapping[AlertKey, str]) -> tuple[str, ...]:
    """Return what the firing rules did or propose, in words, for the people who are told."""
    firing = {each.key for each in incident.firing}
    words = [
        text
        for change in changes
        if change.rule is not None and change.step.after.key in firing
        for text in _words(change.rule, change.step.after.key, pulls)
        if text
    ]
    return tuple(dict.fromkeys(words))


def _words(rule: EffectiveRule, key: AlertKey, pulls: Mapping[AlertKey, str]) -> tuple[str, ...]:
    if key.kind == "no_data":  # what the rule would do about its finding is wrong where nothing was found
        return ("Find out why the data stopped; until they come, this rule protects nothing.",)
    return (pulls.get(key, rule.then.describe() if rule.then else ""), rule.remedy)
