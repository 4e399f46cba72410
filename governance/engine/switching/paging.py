"""What the engine finds about a kill switch: incidents that page as those of rules do, each in a group of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import AlertKey
from governance.core.document import Severity
from governance.core.effect import respond
from governance.core.incident import Incident, IncidentChange, Told, gather
from governance.core.metric import labels
from governance.core.switch import Scope
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, effects, incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection

GLASS, EXTENDED, WITHHELD = "break-glass", "switch-extended", "switch-withheld"
"""The names under which incidents show that somebody broke the glass, that a switch was not given back at its end, and
that rules would have pulled more than they may."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What to page about: the alert it shows as, its group, the sentence, and what a person can do.

    What is only a warning is posted, and wakes nobody.
    """

    key: AlertKey
    summary: str
    proposal: str
    severity: Severity = "critical"

    @property
    def group(self) -> str:
        """Return the incident's group: one for each such alert."""
        return f"{self.key.model}/{self.key.rule}/{entries.labels_text(self.key.labels)}"


def glass(model: str, scope: Scope, seq: int, actor: str, because: str) -> Finding:
    """Return the finding that somebody restored a model alone; who that was is in its labels."""
    key = AlertKey(model, GLASS, labels(by=actor, seq=str(seq)))
    summary = f"{actor} broke the glass and restored {model} ({scope}) alone: {because}"
    return Finding(
        key, summary, f"Review what {actor} did; somebody else resolves this incident, saying what was found."
    )


def extended(model: str, scope: Scope, summary: str = "") -> Finding:
    """Return the finding that a switch was not given back at its end."""
    key = AlertKey(model, EXTENDED, labels(scope=str(scope)))
    return Finding(key, summary, f"Restore {model} when it is well, or stop it until further notice.")


def withheld(key: AlertKey, reason: str) -> Finding:
    """Return the finding that a rule would have pulled, of which its own incident could not tell in time."""
    about = AlertKey(key.model, WITHHELD, labels(rule=key.rule))
    return Finding(about, f"{key.rule} would pull {key.model}: {reason}", f"Pull {key.model} by hand, or leave it.")


def page(connection: Connection, engine: Engine, finding: Finding, at: datetime) -> Incident:
    """Open the incident of a finding, or tell it anew, with its notifications and entry in this transaction."""
    told = Told(finding.key, "firing", at, finding.severity, finding.summary, {})
    change = _gathered(connection, engine, finding, told, at)
    assert change is not None  # a finding that fires always changes its incident  # noqa: S101
    return change.incident


def close(connection: Connection, engine: Engine, finding: Finding, at: datetime) -> None:
    """End the finding, if it is open."""
    _gathered(connection, engine, finding, Told(finding.key, "resolved", at, None, finding.summary, {}), at)


def broken_by(incident: Incident) -> frozenset[str]:
    """Return who broke the glass in an incident that reviews it: they cannot resolve it."""
    keys = (each.key for each in incident.findings if each.key.rule == GLASS)
    return frozenset(value for key in keys for name, value in key.labels if name == "by")


def _gathered(
    connection: Connection, engine: Engine, finding: Finding, told: Told, at: datetime
) -> IncidentChange | None:
    before = incidents.latest(connection, [finding.group]).get(finding.group)
    number, window = incidents.next_id(connection), engine.organisation.incidents.reopen_within
    change = gather(before, [told], at, group=finding.group, next_id=number, reopen_within=window)
    if change is None:
        return None
    incidents.save(connection, change.incident)
    proposals = (finding.proposal,) if change.incident.status != "resolved" else ()
    effects.add(connection, respond(change, engine.places, proposals, at))
    decision_log.append(connection, [entries.of_incident(change, at, engine.plan.version)])
    return change
