"""What steps of runbooks may do to the engine itself: kill switches, the incident of the run, evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from governance.core.acting_checks import SHORTEST
from governance.core.document import Document, Duration, Severity, Share
from governance.core.evidence import EvidenceKind
from governance.core.operation import Operation
from governance.core.switch import Mode

Said = Annotated[str, Field(min_length=1, max_length=2_000)]


class SwitchScope(Document):
    """What of a model: the whole unless a version or labels narrow it."""

    version: str = ""
    labels: dict[str, str] = Field(default_factory=dict)


class SwitchPull(SwitchScope):
    """Take the run's model, or one scope of it, out of service."""

    mode: Literal["throttle", "shadow", "fallback", "stopped"]
    reason: Said
    share: Share = 1.0
    expires: Annotated[Duration, Field(ge=SHORTEST)] | None = None

    @model_validator(mode="after")
    def _throttle(self) -> SwitchPull:
        if self.mode == "throttle" and not 0 < self.share < 1:
            raise ValueError(
                "a throttle needs the `share` of requests that get the fallback, more than 0% and less than 100%"
            )
        if self.mode != "throttle" and "share" in self.model_fields_set:
            raise ValueError("only a throttle has a `share`")
        return self


class SwitchRestore(SwitchScope):
    """Give the run's model, or one scope of it, back, wholly or in part."""

    reason: Said
    to: Mode = "live"
    share: Share = 1.0


class IncidentAct(Document):
    """About the incident of the run, unless `incident` says another."""

    incident: Annotated[int, Field(ge=1)] | None = None


class IncidentAcknowledge(IncidentAct):
    """Take the incident."""


class IncidentNote(IncidentAct):
    """Write a note on the incident."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]


class IncidentSeverity(IncidentAct):
    """Say how bad the incident is."""

    severity: Severity
    reason: Said


class IncidentResolve(IncidentAct):
    """Close the incident."""

    reason: Said


class IncidentEscalate(IncidentAct):
    """Tell the next level of the escalation now."""

    reason: str = ""


class IncidentLink(IncidentAct):
    """Put a link on the incident."""

    address: Annotated[str, Field(pattern=r"^https?://[^\s/?#@]+([/?#]\S*)?$", max_length=2_000)]
    title: Annotated[str, Field(max_length=200)] = ""


class EvidenceRecord(Document):
    """Record that something was done for the run's model; a review names the team that made it."""

    kind: EvidenceKind
    version: str = ""
    note: str = ""
    team: str = ""
    regime: str = ""


_SWITCH = {"seq": "int", "mode": "string", "changed": "bool"}
_INCIDENT = {"incident": "int", "status": "string", "severity": "string", "changed": "bool"}
OWN_ACTS: Mapping[str, Operation] = {
    name: Operation(name, document, outputs, repeats=True, reads_back=True)
    for name, document, outputs in (
        ("switch.pull", SwitchPull, _SWITCH),
        ("switch.restore", SwitchRestore, _SWITCH),
        ("incident.acknowledge", IncidentAcknowledge, _INCIDENT),
        ("incident.note", IncidentNote, _INCIDENT),
        ("incident.severity", IncidentSeverity, _INCIDENT),
        ("incident.resolve", IncidentResolve, _INCIDENT),
        ("incident.escalate", IncidentEscalate, _INCIDENT),
        ("incident.link", IncidentLink, _INCIDENT),
        ("evidence.record", EvidenceRecord, {"kind": "string"}),
    )
}
"""Each takes effect in the very transaction that writes its outcome, and so exactly once."""
OWN_SYSTEMS = frozenset(name.partition(".")[0] for name in OWN_ACTS)


def is_own(act: str) -> bool:
    """Tell whether an act is one on the engine itself."""
    return act in OWN_ACTS
