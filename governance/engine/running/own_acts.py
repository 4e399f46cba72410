"""What a step does to the engine itself, in the transaction that writes its outcome: exactly once, and never half."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from governance.core.authority import Act, Actor
from governance.core.evidence import EvidenceKind, Record
from governance.core.incident import Incident
from governance.core.operation import parsed
from governance.core.own_act import (
    OWN_ACTS,
    EvidenceRecord,
    IncidentAcknowledge,
    IncidentAct,
    IncidentEscalate,
    IncidentLink,
    IncidentNote,
    IncidentResolve,
    IncidentSeverity,
)
from governance.core.performance import Outcome, Request
from governance.core.run import Run
from governance.engine import evidence
from governance.engine.answering.act import Asked, acted, open_
from governance.engine.answering.noting import linking, noted
from governance.engine.answering.taking import acknowledging, judging, resolving
from governance.engine.entries import ENGINE, channel
from governance.engine.escalating import escalated
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.errors import Conflict, Denied, InvalidDocument, NotFound
from governance.store import incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OF_PEOPLE: frozenset[Act] = frozenset({"incident.acknowledge", "incident.resolve"})
"""What only a person does to an incident: to take it stops its escalation, and to close it says that all is well."""
_WITNESSED: frozenset[EvidenceKind] = frozenset({"trained", "drilled", "switch_drilled"})
"""What a run shows by itself; that something was reviewed or approved is said by people."""


@dataclass(frozen=True, slots=True)
class Own:
    """One act on the engine: the transaction it is done in, for which run, and in whose name."""

    connection: Connection
    engine: Engine
    run: Run
    request: Request

    @property
    def at(self) -> datetime:
        """When it is done."""
        return self.request.at

    @property
    def who(self) -> str:
        """In whose name it is done: of who started the run, with the rights they have now."""
        return self.run.started_by

    @property
    def actor(self) -> Actor:
        """Who that is in its entries, with where they act: by the run."""
        return self.said_by(self.who)

    def said_by(self, person: str) -> Actor:
        """Return somebody in whose name something of it is done."""
        return Actor(person, channel="" if person == ENGINE else "run")

    @property
    def by_engine(self) -> bool:
        """Tell whether no person started the run, but a rule or a schedule."""
        return self.run.started_by == ENGINE

    @property
    def details(self) -> dict[str, object]:
        """What its entry says of where it comes from."""
        return {"run": self.run.id, "key": self.request.key}


def perform(connection: Connection, engine: Engine, run: Run, request: Request) -> Outcome:
    """Do it within the caller's transaction; what is refused has changed nothing, and says so."""
    return _done(Own(connection, engine, run, request), keep=True)


def dry_run(connection: Connection, engine: Engine, run: Run, request: Request) -> Outcome:
    """Do it, and undo it before anybody sees it: whatever would refuse it does."""
    return _done(Own(connection, engine, run, request), keep=False)


def _done(own: Own, *, keep: bool) -> Outcome:
    wanted = parsed(OWN_ACTS[own.request.operation].document, own.request)
    if isinstance(wanted, Outcome):
        return wanted
    point = own.connection.begin_nested()
    try:
        found = _acts()[own.request.operation](own, wanted)
    except (Conflict, Denied, InvalidDocument, NotFound) as error:
        point.rollback()
        return Outcome("failed", str(error), again=False)
    except BaseException:
        point.rollback()
        raise
    if keep:
        point.commit()
    else:
        point.rollback()
    return found


def _acts() -> Mapping[str, Callable[[Own, Any], Outcome]]:
    from governance.engine.running.own_switches import pull, restore

    return {
        "switch.pull": pull,
        "switch.restore": restore,
        "incident.acknowledge": _acknowledge,
        "incident.note": _note,
        "incident.severity": _severity,
        "incident.resolve": _resolve,
        "incident.escalate": _escalate,
        "incident.link": _link,
        "evidence.record": _record,
    }


def _about(own: Own, wanted: IncidentAct, act: Act) -> Incident:
    """Return the incident that an act is about, for who may."""
    number = wanted.incident or own.run.incident
    if not number:
        raise NotFound("this run is about no incident; say which one: `incident`")
    found = incidents.get(own.connection, number)
    if not own.by_engine:
        permit(own.engine, own.who, act, found.model)
    elif act in _OF_PEOPLE:
        raise Denied(f"incident {number} is for a person: a run that nobody started neither takes nor closes one")
    elif found.model != own.run.model:
        raise Denied(
            f"incident {number} is about {found.model}; a run that nobody started acts on {own.run.model} only"
        )
    return found


def _asked(own: Own, incident: Incident, act: Act, **body: object) -> Asked:
    return Asked(incident.id, act, own.actor, own.at, None, {**body, **own.details})


def _now(incident: Incident, said: str, *, changed: bool = True) -> Outcome:
    outputs = {"incident": incident.id, "status": incident.status, "severity": incident.severity, "changed": changed}
    return Outcome("done", f"INC-{incident.id} {said}", outputs)


def _acknowledge(own: Own, wanted: IncidentAcknowledge) -> Outcome:
    before = _about(own, wanted, "incident.acknowledge")
    if open_(before, own.at).acknowledged_by and before.status in ("acknowledged", "mitigated"):
        return _now(before, f"is acknowledged by {before.acknowledged_by} already", changed=False)
    asked = _asked(own, before, "incident.acknowledge")
    after, _ = acted(own.connection, own.engine, asked, acknowledging(asked))
    return _now(after, f"is acknowledged by {own.who}")


def _note(own: Own, wanted: IncidentNote) -> Outcome:
    incident, _ = noted(
        own.connection, _asked(own, _about(own, wanted, "incident.note"), "incident.note", text=wanted.text)
    )
    return _now(incident, "has the note", changed=False)


def _severity(own: Own, wanted: IncidentSeverity) -> Outcome:
    before = _about(own, wanted, "incident.severity")
    if open_(before, own.at).severity == wanted.severity:
        return _now(before, f"is {wanted.severity} already", changed=False)
    asked = _asked(own, before, "incident.severity", because=wanted.reason, before=before.severity)
    after, _ = acted(own.connection, own.engine, asked, judging(asked, wanted.severity))
    return _now(after, f"is {after.severity} now, it was {before.severity}")


def _resolve(own: Own, wanted: IncidentResolve) -> Outcome:
    before = _about(own, wanted, "incident.resolve")
    if before.status == "resolved":
        return _now(before, f"was resolved by {before.resolved_by} already", changed=False)
    asked = _asked(own, before, "incident.resolve", because=wanted.reason)
    after, _ = acted(own.connection, own.engine, asked, resolving(own.engine, asked))
    return _now(after, f"is resolved by {own.who}")


def _escalate(own: Own, wanted: IncidentEscalate) -> Outcome:
    before = _about(own, wanted, "incident.escalate")
    said = {"because": wanted.reason or own.run.because, "run": own.run.id, **channel(own.actor)}
    after, _ = escalated(own.connection, own.engine, before.id, actor=own.who, at=own.at, said=said)
    return _now(after, "was told to the next level")


def _link(own: Own, wanted: IncidentLink) -> Outcome:
    before = open_(_about(own, wanted, "incident.link"), own.at)
    asked = _asked(own, before, "incident.link", address=wanted.address, title=wanted.title)
    after, _ = acted(own.connection, own.engine, asked, linking(asked))
    return _now(after, f"has the link {wanted.title or wanted.address}")


def _record(own: Own, wanted: EvidenceRecord) -> Outcome:
    made = Record(
        own.run.model, wanted.kind, own.at, own.who, own.at, "",
        wanted.version, wanted.note, wanted.team, wanted.regime,
    )  # fmt: skip
    if not own.by_engine:
        evidence.check(own.engine, made)
    elif wanted.kind not in _WITNESSED:
        raise Denied(f"that {own.run.model} was {wanted.kind} is said by people; nobody started this run")
    evidence.write(own.connection, made, own.request.key, actor=own.actor)
    return Outcome("done", f"recorded that {own.run.model} was {wanted.kind}", {"kind": wanted.kind})
