"""Write what changed: alerts, incident, effects and entries of each group in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.core.alert import Alert
from governance.core.decision import Decision
from governance.core.effect import Effect, respond
from governance.core.incident import Incident, IncidentChange, Told, gather
from governance.core.organisation import Grouping
from governance.core.policy import EffectiveRule
from governance.core.reaction import Step
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import alerts, decision_log, effects, incidents


@dataclass(frozen=True, slots=True)
class Change:
    """One alert that moved; `rule` is None for the engine's own alerts and for rules that are gone."""

    step: Step
    rule: EffectiveRule | None
    summary: str
    decisions: tuple[Decision, ...] = ()

    def group(self, grouping: Grouping) -> str:
        """Return which incident this belongs to."""
        key = self.step.after.key
        if key.model == entries.ENGINE:
            return f"{key.model}/{key.rule}/{entries.labels_text(key.labels)}"
        parts = {"model": key.model, "pack": key.rule.rpartition("/")[0], "rule": key.rule}
        return "/".join(parts[name] for name in grouping.group_by) or key.model

    def told(self) -> Told | None:
        """Return what this tells its incident, None when nothing."""
        change, verdict = self.step.transition, self.step.verdict
        observed = self.rule is not None and self.rule.enforcement == "observe"
        if change is None or (observed and change.change in {"firing", "worsened", "eased"}):
            return None  # an end is always told: the rule may have been observed only since then
        values = {each.name: each.value for each in verdict.inputs}
        severity = change.after or change.before
        return Told(change.key, change.change, change.at, severity, self.summary, values, verdict.basis, change.reason)


def commit(engine: Engine, groups: Mapping[str, Sequence[Change]], at: datetime) -> list[IncidentChange]:
    """Write a few groups in one transaction and return what became of their incidents."""
    found: list[IncidentChange] = []
    decisions: list[Decision] = []
    sent: list[Effect] = []
    with engine.database.transaction() as connection:
        number = incidents.next_id(connection)
        for group, changes in groups.items():
            alerts.save(connection, _last_states(changes))
            decisions.extend(decision for change in changes for decision in change.decisions)
            told = [each for each in (change.told() for change in changes) if each is not None]
            before = incidents.latest(connection, group) if told else None
            change = _gathered(engine, before, told, at, group, number)
            if change is not None:
                number += 1 if change.kind == "opened" else 0
                incidents.save(connection, change.incident)
                sent.extend(respond(change, tuple(engine.notifiers), _proposals(changes, change.incident), at))
                decisions.append(entries.of_incident(change, at, engine.plan.version))
                found.append(change)
        effects.add(connection, sent)
        decisions.extend(entries.of_delivery(each, at) for each in sent if each.state == "withheld")
        decision_log.append(connection, decisions)
    return found


def _gathered(
    engine: Engine, before: Incident | None, told: Sequence[Told], at: datetime, group: str, number: int
) -> IncidentChange | None:
    if not told:
        return None
    window = engine.organisation.incidents.reopen_within
    return gather(before, told, at, group=group, next_id=number, reopen_within=window)


def _last_states(changes: Sequence[Change]) -> list[Alert]:
    """An alert may move twice in a cycle (revised, then judged anew): the last state counts."""
    return list({change.step.after.key: change.step.after for change in changes}.values())


def _proposals(changes: Sequence[Change], incident: Incident) -> tuple[str, ...]:
    """Return what the firing rules propose, in words, for the people who are told."""
    firing = {each.key for each in incident.firing}
    words = [
        text
        for change in changes
        if change.rule is not None and change.step.after.key in firing
        for text in (change.rule.then.describe() if change.rule.then else "", change.rule.remedy)
        if text
    ]
    return tuple(dict.fromkeys(words))
