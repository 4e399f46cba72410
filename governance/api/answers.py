"""What people answer incidents with."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from governance.api.bodies import Because, Closed
from governance.api.gate import Who
from governance.api.samples import Moment
from governance.core.document import Severity
from governance.engine import operations
from governance.engine.operations import Done
from governance.engine.parts import Engine
from governance.views import IncidentDoneView, incident_view

Number = Annotated[int, Path(ge=1, lt=2**53, description="The number of the incident.")]
Maybe = Annotated[str, Field(max_length=2000, description="Why, for the log.")]


class Acknowledge(Closed):
    """Which version of the incident was seen; another means that somebody was first."""

    version: Annotated[int, Field(ge=1, lt=2**53)]


class Resolve(Acknowledge):
    """Which version was seen, and what was done about it."""

    because: Because


class Snooze(Resolve):
    """Which version was seen, until when nobody hears of it (at most a week), and why."""

    until: Moment


class Judge(Resolve):
    """Which version was seen, how bad it is, and why."""

    severity: Severity


class HandOver(Acknowledge):
    """Which version was seen, and who leads from now on."""

    to: Annotated[str, Field(min_length=1, max_length=200)]
    because: Maybe = ""


class Escalate(Acknowledge):
    """Which version was seen, and why the next level is told now."""

    because: Maybe = ""


class Merge(Resolve):
    """Which version was seen, the number of the incident that it is part of, and why."""

    into: Annotated[int, Field(ge=1, lt=2**53)]


class Note(Closed):
    """What others should know."""

    text: Annotated[str, Field(min_length=1, max_length=10_000, pattern=r"\S")]


class Link(Closed):
    """A ticket, a call, a dashboard."""

    address: Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s/?#@]+([/?#]\S*)?$")]
    title: Annotated[str, Field(max_length=200)] = ""


def answers(router: APIRouter, engine: Engine) -> None:
    """Add the routes."""
    _taking(router, engine)
    _judging(router, engine)
    _telling(router, engine)


def _taking(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/incidents/{number}/acknowledge")
    def acknowledge(who: Who, number: Number, body: Acknowledge) -> IncidentDoneView:
        """Take the incident: you work on it."""
        at = engine.clock.now()
        return _done(operations.acknowledge(engine, number, actor=who, at=at, version=body.version))

    @router.post("/v1/incidents/{number}/resolve")
    def resolve(who: Who, number: Number, body: Resolve) -> IncidentDoneView:
        """Close the incident by hand; a finding that fires again opens a new one."""
        at = engine.clock.now()
        done = operations.resolve(engine, number, actor=who, because=body.because, at=at, version=body.version)
        return _done(done)

    @router.post("/v1/incidents/{number}/hand-over")
    def hand_over(who: Who, number: Number, body: HandOver) -> IncidentDoneView:
        """Make somebody else the lead; they are told."""
        done = operations.hand_over(
            engine, number, to=body.to, because=body.because, actor=who, at=engine.clock.now(), version=body.version
        )
        return _done(done)

    @router.post("/v1/incidents/{number}/escalate")
    def escalate(who: Who, number: Number, body: Escalate) -> IncidentDoneView:
        """Tell the next level of the escalation now."""
        at = engine.clock.now()
        return _done(operations.escalate(engine, number, because=body.because, actor=who, at=at, version=body.version))


def _judging(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/incidents/{number}/snooze")
    def snooze(who: Who, number: Number, body: Snooze) -> IncidentDoneView:
        """Let nobody hear of it for a while, unless it becomes worse or is resolved."""
        done = operations.snooze(
            engine, number, until=body.until, because=body.because, actor=who, at=engine.clock.now(),
            version=body.version,
        )  # fmt: skip
        return _done(done)

    @router.post("/v1/incidents/{number}/severity")
    def severity(who: Who, number: Number, body: Judge) -> IncidentDoneView:
        """Say how bad it is; that holds until something new is worse."""
        done = operations.set_severity(
            engine, number, severity=body.severity, because=body.because, actor=who, at=engine.clock.now(),
            version=body.version,
        )  # fmt: skip
        return _done(done)

    @router.post("/v1/incidents/{number}/merge")
    def merge(who: Who, number: Number, body: Merge) -> IncidentDoneView:
        """Move its findings into another incident and close it; what its alerts tell later goes there too."""
        done = operations.merge(
            engine, number, into=body.into, because=body.because, actor=who, at=engine.clock.now(),
            version=body.version,
        )  # fmt: skip
        return _done(done)


def _telling(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/incidents/{number}/note")
    def note(who: Who, number: Number, body: Note) -> IncidentDoneView:
        """Write a note; nobody loses a race by it."""
        return _done(operations.note(engine, number, text=body.text, actor=who, at=engine.clock.now()))

    @router.post("/v1/incidents/{number}/link")
    def link(who: Who, number: Number, body: Link) -> IncidentDoneView:
        """Put a link on it; the same address again has a new title."""
        at = engine.clock.now()
        return _done(operations.link(engine, number, address=body.address, title=body.title, actor=who, at=at))


def _done(done: Done) -> IncidentDoneView:
    view = incident_view(done.incident)
    going = list(done.under_way)
    return IncidentDoneView(incident=view, entry=done.entry, still_firing=done.still_firing, under_way=going)
