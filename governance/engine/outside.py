"""Alerts that Prometheus's Alertmanager tells us: each is a finding of an incident, as one of our own rules is.

Source: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from governance.core.alert import Alert, AlertKey, Signal, Timing, advance, transition
from governance.core.document import Severity
from governance.core.metric import labels as label_set
from governance.core.reaction import Step
from governance.core.verdict import Verdict
from governance.engine import entries
from governance.engine.commit import Change, commit
from governance.engine.parts import Engine
from governance.store import alerts, decision_log, outside_alerts, progress

RULE = entries.OUTSIDE
_SEVERITIES: Mapping[str, Severity] = {
    "critical": "critical", "page": "critical", "error": "critical", "emergency": "critical", "fatal": "critical",
    "info": "info", "information": "info", "none": "info", "debug": "info",
}  # fmt: skip
"""What other people call their severities; anything else is a warning."""
_TURN = Lock()
"""Two tellings at once would each advance the same alert."""


@dataclass(frozen=True, slots=True)
class Outside:
    """One alert as it was told: it fires since `began`, or is over."""

    fingerprint: str
    labels: Mapping[str, str]
    firing: bool
    began: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Taken:
    """How many alerts began, ended, and were known already."""

    firing: int
    resolved: int
    known: int


def take(engine: Engine, told: Sequence[Outside], *, at: datetime) -> Taken:
    """Let alerts of others open and resolve incidents; the same told twice changes nothing.

    Each is about the model that its label `model` names, or else about the engine.
    """
    with _TURN:
        with engine.database.read() as connection:
            active = alerts.active(connection)
            before = outside_alerts.known(connection, [each.fingerprint for each in told])
            under = entries.Under(engine.plan.version, progress.era(connection))
        news = [each for each in told if _is_new(each, before.get(each.fingerprint))]
        groups: dict[str, list[Change]] = defaultdict(list)
        for each in news:
            for change in _changes(engine, each, active, under, at):
                groups[change.group(engine.organisation.incidents)].append(change)
        commit(engine, groups, at)
        with engine.database.transaction() as connection:
            marks = {each.fingerprint: (each.fingerprint, each.began.timestamp(), not each.firing) for each in news}
            outside_alerts.save(connection, list(marks.values()))
    decision_log.seal(engine.database, at)
    firing = sum(each.firing for each in news)
    return Taken(firing, len(news) - firing, len(told) - len(news))


def _is_new(each: Outside, before: tuple[float, bool] | None) -> bool:
    """Tell whether it says more than what was told before; what is repeated late begins nothing anew."""
    if before is None:
        return each.firing
    began, over = before
    if each.firing:
        return each.began.timestamp() > began
    return not over and each.began.timestamp() >= began


def _changes(
    engine: Engine, each: Outside, active: dict[AlertKey, Alert], under: entries.Under, at: datetime
) -> Iterator[Change]:
    named = each.labels.get("model", "")
    model = named if named in engine.plan.by_model else entries.ENGINE
    rest = {name: value for name, value in each.labels.items() if name not in ("alertname", "severity")}
    if model == named:
        rest.pop("model")
    key = AlertKey(model, f"{RULE}{each.labels.get('alertname', 'alert')}", label_set(**rest))
    severity = _SEVERITIES.get(each.labels.get("severity", "").lower(), "warning")
    old = active.get(key, Alert(key, {}))
    signals: dict[Severity, Signal] = {severity: "fail" if each.firing else "pass"}
    new = advance(old, signals, Timing(), at)
    active[key] = new
    if new == old:
        return
    failing: tuple[Severity, ...] = (severity,) if each.firing else ()
    verdict = Verdict(model, key.rule, key.labels, at, "fail" if each.firing else "pass", failing, each.summary)
    step = Step(old, new, verdict, transition(old, new, at, each.summary))
    decisions = (entries.of_transition(step, each.summary, {}, under),) if step.transition else ()
    yield Change(step, None, each.summary, decisions)
