"""The escalation clock of an incident: who is told next while nobody answers, decided without looking at a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from governance.core.document import Severity
from governance.core.effect import Reason
from governance.core.escalation_policy import EscalationPolicy, Target
from governance.core.incident import Incident
from governance.core.verdict import worst

State = Literal["running", "stopped", "handed_over", "exhausted"]
Halt = Literal["", "answered", "snoozed", "resolved"]
_ANEW: Mapping[Halt, Reason] = {
    "": "worsened",
    "answered": "worsened",
    "snoozed": "reminder",
    "resolved": "reopened",
}
"""Why the first level is told when the clock begins anew, by what had stopped it."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """How far the escalation of one incident has come, by the policy as it was when the incident opened.

    `version` and `severity` are those of the incident when it was last looked at; `halt` is what had stopped the clock.
    `level` counts from 1, 0 before the first is told; one more than there are is the fallback. `since` is when it came
    to be told, `next_at` when the next one is – or when an acknowledged incident comes back. `reason` is why the first
    level is told; `hushed` says what withholds the level that is due; `told` are the people and notifiers told so far.
    """

    incident: int
    name: str
    policy: EscalationPolicy
    version: int
    severity: Severity
    since: datetime
    state: State = "running"
    level: int = 0
    loop: int = 0
    next_at: datetime | None = None
    halt: Halt = ""
    reason: Reason = "first"
    hushed: str = ""
    told: tuple[str, ...] = ()

    @property
    def following(self) -> tuple[int, int] | None:
        """The level and loop that are told next; None after the last."""
        return _following(self)

    def targets(self, level: int) -> tuple[Target, ...]:
        """Return whom a level tells; one more than there are is the fallback."""
        levels = self.policy.levels
        return levels[level - 1].to if level <= len(levels) else self.policy.fallback


@dataclass(frozen=True, slots=True)
class Rung:
    """One level that is told now; `rule` says in words what made it so."""

    level: int
    loop: int
    targets: tuple[Target, ...]
    reason: Reason
    rule: str


def begun(
    incident: Incident, name: str, policy: EscalationPolicy, at: datetime, reason: Reason = "first"
) -> Escalation:
    """Return the escalation of an incident that nobody has answered yet, as it begins."""
    return _armed(Escalation(incident.id, name, policy, incident.version, incident.severity, at, reason=reason))


def followed(before: Escalation, incident: Incident, at: datetime) -> Escalation:
    """Return the escalation after a look at its incident: stopped by an answer, begun anew by what is worse, or on."""
    if incident.version == before.version:
        return before
    seen = replace(before, version=incident.version, severity=incident.severity)
    worse = incident.severity != before.severity and worst([incident.severity, before.severity]) == incident.severity
    halt = _halt(incident, worse=worse)
    if halt == "answered":
        return _answered(seen, incident, at)
    if halt:
        return replace(seen, state="stopped", halt=halt, next_at=None)
    if before.halt or worse:
        return begun(incident, before.name, before.policy, at, _ANEW[before.halt])
    return _armed(seen) if seen.state == "running" and seen.severity != before.severity else seen


def due(escalation: Escalation, at: datetime) -> bool:
    """Tell whether something is to be done now."""
    return escalation.next_at is not None and escalation.next_at <= at


def climbed(before: Escalation, at: datetime, *, by: str = "") -> tuple[Escalation, Rung] | None:
    """Return the escalation after its next level was told, and that level; None when nobody is left.

    With `by` a person asks for it before its time, and at any severity. After a silence the clock goes on from now;
    after a standstill no level overtakes another: the next one has its time from then on.
    """
    step = _following(before, narrowed=not by)
    if step is None:
        return None
    level, loop = step
    on_time = replace(
        before, level=level, loop=loop, hushed="", since=at if by or before.hushed else before.next_at or at
    )
    after = on_time if before.halt else _moved(on_time)
    if after.next_at is not None and after.next_at <= at and not before.halt:  # nobody is overtaken after a standstill
        after = _moved(replace(on_time, since=at))
    return after, Rung(level, loop, before.targets(level), _reason(before, step, by), _rule(before, step, by))


def put_off(before: Escalation, until: datetime) -> Escalation:
    """Return the escalation of an acknowledged incident on which somebody has worked since: it comes back later."""
    return replace(before, next_at=until)


def shifted(escalation: Escalation, by: timedelta) -> Escalation:
    """Return the escalation after the machine's clock stepped: what waits ten minutes waits ten minutes still."""
    comes = escalation.next_at + by if escalation.next_at is not None else None
    return replace(escalation, since=escalation.since + by, next_at=comes)


def come_back(incident: Incident, at: datetime) -> Incident:
    """Return an acknowledged incident with which nothing happened as triggered anew: it belongs to nobody."""
    return replace(
        incident,
        status="triggered",
        acknowledged_by="",
        acknowledged_severity=None,
        lead="",
        last="nobody did anything about it",
        changed_at=at,
        version=incident.version + 1,
    )


def _halt(incident: Incident, *, worse: bool) -> Halt:
    """Return what keeps the clock of an incident from running; a switch that a rule pulled is nobody's answer."""
    if incident.status == "resolved":
        return "resolved"
    if incident.snooze is not None:
        return "snoozed"
    if incident.status == "acknowledged":
        return "answered"
    return "answered" if incident.status == "mitigated" and incident.acknowledged_by and not worse else ""


def _answered(seen: Escalation, incident: Incident, at: datetime) -> Escalation:
    timeout = seen.policy.acknowledge_timeout if incident.status == "acknowledged" else None
    if timeout is not None and seen.halt == "answered" and seen.next_at is not None:
        return seen  # it is under way
    comes_back = at + timeout if timeout is not None else None
    return replace(seen, state="stopped", halt="answered", next_at=comes_back, hushed="")


def _armed(escalation: Escalation) -> Escalation:
    """Return the escalation with the time of its next level; stopped where no level is for its severity."""
    step = _following(escalation)
    if step is None:
        return replace(escalation, state="exhausted" if escalation.level else "stopped", next_at=None)
    return replace(escalation, state="running", next_at=escalation.since + _wait(escalation, step))


def _moved(told: Escalation) -> Escalation:
    """Return the escalation after the level that it stands on was told."""
    levels = told.policy.levels
    if told.level <= len(levels) and levels[told.level - 1].hands_over:
        return replace(told, state="handed_over", next_at=None)
    return _armed(told)


def _following(escalation: Escalation, *, narrowed: bool = True) -> tuple[int, int] | None:
    """Return the next level that is for this severity, the first of the next loop, or the fallback of critical ones."""
    levels, severity = escalation.policy.levels, escalation.severity
    mine = [number for number, each in enumerate(levels, start=1) if severity in each.severities or not narrowed]
    left = [number for number in mine if number > escalation.level]
    if left:
        return left[0], escalation.loop
    if escalation.level > len(levels):
        return None
    if mine and escalation.loop < escalation.policy.repeat:
        return mine[0], escalation.loop + 1
    if (severity == "critical" or not narrowed) and escalation.policy.fallback:
        return len(levels) + 1, escalation.loop
    return None


def _wait(escalation: Escalation, step: tuple[int, int]) -> timedelta:
    """Return how long the level that was told is given before the next one."""
    levels, (level, loop) = escalation.policy.levels, step
    if loop > escalation.loop or level > len(levels):
        return escalation.policy.pause if escalation.level else timedelta(0)
    return levels[level - 1].after - (levels[escalation.level - 1].after if escalation.level else timedelta(0))


def _reason(before: Escalation, step: tuple[int, int], by: str) -> Reason:
    if by:
        return "escalated"
    if before.level == 0:
        return before.reason
    level, loop = step
    return "reminder" if loop > 0 and level <= len(before.policy.levels) else "escalated"


def _rule(before: Escalation, step: tuple[int, int], by: str) -> str:
    level, loop = step
    last = level > len(before.policy.levels)
    which = f"fallback of {before.name}" if last else f"level {level} of {before.name}"
    again = f" (again, {loop} of {before.policy.repeat})" if loop and not last else ""
    asked = f", as {by} asked" if by else ""
    return f"{which}{again}{asked}: {', '.join(map(str, before.targets(level)))}"
