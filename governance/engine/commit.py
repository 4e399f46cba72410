"""Write what changed: alerts, incident, effects and entries of each group in one transaction, which others share."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

from governance.core.alert import Alert, AlertKey
from governance.core.decision import Decision
from governance.core.effect import Effect, respond
from governance.core.flapping import damp
from governance.core.incident import Incident, IncidentChange, Told, gather, known_already
from governance.core.organisation import Grouping
from governance.core.policy import EffectiveRule
from governance.core.reaction import Step
from governance.engine import entries
from governance.engine.grouping import group_of
from governance.engine.parts import Engine
from governance.engine.switching.automatic import Automation, RulePull, due, owing
from governance.store import alerts, damped, decision_log, effects, incidents, silences
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
    pace, found, left = Pace(), list[IncidentChange](), deque(groups.items())
    with engine.database.giving_way():
        while left:
            found.extend(_written(engine, _next(left, pace.size), at, pace, serving or {}))
            if left:  # a person's act waits until all entries before its own are sealed: leave it few
                decision_log.Sequencer(engine.database, None).seal(at)
    return found


def _next(left: deque[tuple[str, Sequence[Change]]], size: int) -> dict[str, Sequence[Change]]:
    """Take groups until they hold `size` changes; one at least."""
    chunk, count = dict[str, Sequence[Change]](), 0
    while left and (not chunk or count + len(left[0][1]) <= size):
        group, changes = left.popleft()
        chunk[group] = changes
        count += len(changes)
    return chunk


def _written(
    engine: Engine, chunk: Mapping[str, Sequence[Change]], at: datetime, pace: Pace, serving: Mapping[str, str]
) -> list[IncidentChange]:
    """Prepare what does not depend on the database, then write the chunk in one transaction."""
    told = {group: [each for each in (change.told() for change in changes) if each] for group, changes in chunk.items()}
    decided = {
        id(change): [decision_log.ready(decision) for decision in change.decisions]
        for changes in chunk.values()
        for change in changes
    }
    kept: list[Change] = []
    found: list[IncidentChange] = []
    log: list[decision_log.Ready | Decision] = []
    sent: list[Effect] = []
    with engine.database.transaction() as connection:
        started = perf_counter()
        number = incidents.next_id(connection)
        muted = silences.holding(connection, at)
        automation = Automation(connection, engine, at)
        before = incidents.latest(connection, [group for group in chunk if told[group]])
        for group, moved in chunk.items():
            changes = [each for each in moved if not _known(each, before.get(group), told[group])]
            kept.extend(changes)
            log.extend(each for one in changes for each in decided[id(one)])
            news = [each for each in (one.told() for one in changes) if each]
            change = _gathered(engine, before.get(group), news, at, group, number)
            if change is not None:
                before |= {each: change.incident for each, one in before.items() if one.id == change.incident.id}
                number += 1 if change.kind == "opened" else 0
                pulls = _pulls(changes, change.incident, automation, serving)
                proposals = _proposals(changes, change.incident, pulls)
                late = any(each.step.verdict.late for each in changes)
                sent.extend(respond(change, engine.places, proposals, at, late=late, silences=muted))
                log.append(entries.of_incident(change, at, engine.plan.version))
                found.append(change)
        log.extend(entries.of_delivery(each, at) for each in sent if each.state == "withheld")
        alerts.save(connection, _last_states(kept))
        incidents.save(connection, *(change.incident for change in found))
        damped.note(connection, *(change.incident for change in found))
        effects.add(connection, sent)
        decision_log.append(connection, log)
        automation.carry_out()
    pace.fit(sum(map(len, chunk.values())), perf_counter() - started)
    return found


def _known(change: Change, incident: Incident | None, others: Sequence[Told]) -> bool:
    """Tell whether complete labels say nothing new yet: then their alert waits, to be told once they do."""
    told = change.told()
    return told is not None and known_already(incident, others, told)


def _gathered(
    engine: Engine, before: Incident | None, told: Sequence[Told], at: datetime, group: str, number: int
) -> IncidentChange | None:
    if not told:
        return None
    window = engine.organisation.incidents.reopen_within
    change = gather(before, told, at, group=group, next_id=number, reopen_within=window)
    return damp(before, change, at) if change is not None else None


def _last_states(changes: Iterable[Change]) -> list[Alert]:
    """An alert may move twice in a cycle (revised, then judged anew): the last state counts."""
    return list({change.step.after.key: change.left() for change in changes}.values())


def _pulls(
    changes: Sequence[Change], incident: Incident, automation: Automation, serving: Mapping[str, str]
) -> dict[AlertKey, str]:
    """Let the rules that act ask for their pulls, and return what people are told of each."""
    found = {}
    for change in changes:
        key, rule = change.step.after.key, change.rule
        if rule is not None and rule.then is not None and due(rule, change.step) and not change.step.verdict.late:
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
