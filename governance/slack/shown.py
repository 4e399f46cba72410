"""What an incident's message shows, as plain values: the message is drawn from these alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance.views import IncidentView


@dataclass(frozen=True, slots=True)
class Change:
    """The last change of an incident, and the entry of the decision log that proves it."""

    at: datetime
    actor: str
    text: str
    entry: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One incident with what stands beside it.

    `rule` says which rule found it and where it is written; `mode` is that of the model's kill switch, and `switch`
    says it in words; `runbook` and `escalation` are words, "" where there is none; `escalates_at` is when the next
    level is told; `also` are lines about other incidents that this message stands for.
    """

    incident: IncidentView
    environment: str = ""
    rule: str = ""
    lead: str = ""
    mode: str = "live"
    switch: str = "live"
    has_switch: bool = True
    runbook: str = ""
    escalation: str = ""
    escalates_at: datetime | None = None
    can_escalate: bool = False
    snoozed: bool = False
    last: Change | None = None
    also: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """True until it is resolved, or merged into another."""
        return self.incident.status not in ("resolved", "merged")
