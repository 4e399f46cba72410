"""The decisions that a cycle records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.alert import AlertKey
from governance.core.alive import CANARY
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.document import Severity
from governance.core.duration import format_duration
from governance.core.effect import Effect
from governance.core.expression import Term
from governance.core.incident import Incident, IncidentChange
from governance.core.metric import Labels
from governance.core.reaction import Step
from governance.core.run import Run
from governance.core.run_change import RunEvent
from governance.core.verdict import Verdict
from governance.core.waiver import Waiver

ENGINE = "engine"
OWN = (ENGINE, CANARY)
"""What is governed like a model and is none: no process serves it, and nothing pulls it."""
BROKEN, NOT_PULLED = "policies-broken", "policies-not-pulled"
CANARY_SILENT, NO_PING = "canary-silent", "ping-refused"
HEALTH = ("source-failing", "rule-in-error", BROKEN, NOT_PULLED, CANARY_SILENT, NO_PING)
_MOST_RULES = 5
"""How many of the rules that fire the entry of an incident names, the worst first."""
OUTSIDE = "alertmanager/"
"""How the names of rules begin whose alerts are told to us; no card and no pack declares them."""


@dataclass(frozen=True, slots=True)
class Under:
    """What a decision was made under: the policies, and the era of the machine's clock."""

    policy_version: str
    era: int = 0

    def instant(self, at: datetime) -> tuple[str, ...]:
        """Return what tells this instant from all others, also where the clock was set back and shows it twice."""
        return (at.isoformat(), *([str(self.era)] if self.era else []))


def of_transition(step: Step, summary: str, terms: Mapping[Severity, Sequence[Term]], under: Under) -> Decision:
    """Return the entry of an alert's change, with the values it rests on and the policy it was made under."""
    change, verdict = step.transition, step.verdict
    assert change is not None  # noqa: S101 (only steps with a transition are recorded)
    key = change.key
    body = {
        "before": step.before.state,
        "after": step.after.state,
        "severity": change.after or change.before,
        "summary": summary,
        "reason": change.reason,
        "basis": verdict.basis,
        "window_end": verdict.until,
        "inputs": [
            {"name": each.name, "value": each.value, "time": each.time, "reason": each.reason}
            for each in verdict.inputs
        ],
        "terms": {severity: [_term(each) for each in terms.get(severity, ())] for severity in verdict.failing},
        "missing": list(verdict.missing),
        "policy_version": under.policy_version,
        **({"late": True} if verdict.late else {}),
    }
    subject = {"model": key.model, "rule": key.rule, "labels": labels_text(key.labels), "kind": key.kind}
    name = f"alert.{change.change}"
    return Decision(change.at, name, ENGINE, subject, body, identity(name, repr(key), *under.instant(change.at)))


def of_incident(change: IncidentChange, at: datetime, version: str) -> Decision:
    """Return the entry of an incident's change made by the engine."""
    incident = change.incident
    rules = list(dict.fromkeys(each.key.rule for each in incident.firing))[:_MOST_RULES]
    body = {
        "status": incident.status,
        "severity": incident.severity,
        "title": incident.title,
        "firing": len(incident.firing),
        "version": incident.version,
        "policy_version": version,
        **({"rules": rules} if rules else {}),
        **({"because": change.because} if change.because else {}),
    }
    return Decision(
        at,
        f"incident.{change.kind}",
        ENGINE,
        subject_of(incident),
        body,
        identity("incident", str(incident.id), str(incident.version)),
    )


def of_delivery(effect: Effect, at: datetime) -> Decision:
    """Return the entry of a delivery that was made, given up or withheld."""
    body = {"reason": effect.message.reason, "receipt": effect.receipt, "attempts": effect.attempts, "key": effect.key}
    again = [str(effect.attempts)] if effect.state == "failed" else []  # it may be given up anew after a retry
    known = identity("notification", effect.key, effect.state, *again)
    return Decision(at, f"notification.{effect.state}", ENGINE, of_effect(effect), body, known)


def of_effect(effect: Effect) -> dict[str, str]:
    """Return what an entry about a delivery is about."""
    return {"model": effect.message.model, "incident": str(effect.incident), "notifier": effect.notifier}


def of_cycle(
    verdicts: Iterable[Verdict], at: datetime, last: datetime | None, under: Under, *, late: bool = False
) -> Decision:
    """Return the entry that sums up a cycle: how many verdicts of each outcome, and a digest over all of them.

    `last` is the instant of the cycle before.
    """
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    for verdict in verdicts:
        counts[verdict.outcome] += 1
        digest.update(repr((verdict.model, verdict.rule, verdict.labels, verdict.outcome, verdict.inputs)).encode())
    body: dict[str, object] = {
        "verdicts": dict(sorted(counts.items())),
        "digest": digest.hexdigest(),
        "policy_version": under.policy_version,
        **({"late": True} if late else {}),
    }
    return Decision(at, "cycle.evaluated", ENGINE, {}, body, identity("cycle", *under.instant(at), str(last)))


def of_waiver_end(waiver: Waiver, at: datetime, under: Under) -> Decision:
    """Return the entry of a waiver that has ended, and by what: from now on the rule counts again."""
    subject = {"model": waiver.model, "rule": waiver.rule, "labels": labels_text(waiver.labels)}
    body = {
        "waiver": waiver.id,
        "ended": waiver.ended or "until",
        "until": waiver.until,
        "because": waiver.because,
        "approved_by": waiver.approved_by,
    }
    actor = waiver.ended_by or ENGINE
    return Decision(at, "waiver.ended", actor, subject, body, identity("waiver-ended", waiver.id, *under.instant(at)))


def of_gap(since: datetime, until: datetime, at: datetime, reason: str, under: Under) -> Decision:
    """Return the entry of a stretch of time for which nothing was judged, and cannot be any more."""
    body = {"since": since, "until": until, "reason": reason}
    return Decision(
        at, "cycle.skipped", ENGINE, {}, body, identity("skipped", since.isoformat(), *under.instant(until))
    )


def of_step(by: timedelta, at: datetime, era: int, switches: Mapping[str, int]) -> Decision:
    """Return the entry of a step of the machine's clock, with the new `seq` of each switch whose end it moved."""
    body = {"seconds": by.total_seconds(), "before": at - by, "after": at, "switches": dict(switches)}
    return Decision(at, "clock.stepped", ENGINE, {}, body, identity("step", at.isoformat(), str(by), str(era)))


def of_run(run: Run, event: RunEvent, at: datetime, channel: str = "") -> Decision:
    """Return the entry of something that was decided about a run; a repeat of it has the same id."""
    body = {
        **({"step": event.step, "visit": event.visit} if event.step else {}),
        "detail": event.detail,
        **event.body,
        "mode": run.mode,
        **({"channel": channel} if channel and event.actor != ENGINE else {}),
    }
    subject = {"run": run.id, "runbook": run.runbook.runbook, "model": run.model}
    if run.incident:
        subject["incident"] = str(run.incident)
    name = f"runbook.{event.kind}"
    known = identity(name, run.id, event.step, str(event.visit), event.mark)
    return Decision(at, name, event.actor, subject, body, known)


def of_damaged_run(run: str, at: datetime) -> Decision:
    """Return the entry of a run that cannot be read any more, and is left alone."""
    name = "runbook.unreadable"
    body = {"detail": "it cannot be read, and the engine leaves it alone"}
    return Decision(at, name, ENGINE, {"run": run}, body, identity(name, run, at.isoformat()))


def is_health(key: AlertKey) -> bool:
    """Tell whether an alert is one of the engine about itself, which no card and no pack declares."""
    return key.model == ENGINE and key.rule in HEALTH


def is_outside(key: AlertKey) -> bool:
    """Tell whether an alert was told to us by others."""
    return key.rule.startswith(OUTSIDE)


def subject_of(incident: Incident) -> dict[str, str]:
    """Return what an entry about an incident is about."""
    return {"model": incident.model, "incident": str(incident.id)}


def labels_text(labels: Labels) -> str:
    """Return labels as name=value pairs."""
    return ",".join(f"{name}={value}" for name, value in labels)


def channel(actor: Actor | str) -> dict[str, str]:
    """Return where somebody acts, for the body of an entry; nothing where it is not known."""
    return {"channel": actor.channel} if isinstance(actor, Actor) and actor.channel else {}


def in_file(person: str) -> Actor:
    """Return a person who acts by what they wrote beside the policies, or committed."""
    return Actor(person, channel="file")


def identity(*parts: str) -> str:
    """Return the id of a decision, derived from what it decides, so that a repeated cycle cannot record it twice."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _term(term: Term) -> dict[str, object]:
    return {"text": term.text, "true": term.outcome, "values": {name: _plain(value) for name, value in term.values}}


def _plain(value: object) -> object:
    if isinstance(value, timedelta):
        return format_duration(value)
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
