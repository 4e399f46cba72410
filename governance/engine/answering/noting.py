"""Write on an incident what others should know: notes and links."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core import answer
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.incident import Incident, IncidentChange
from governance.engine.answering.act import Asked, Done, act, permitted, seen
from governance.engine.parts import Engine
from governance.engine.sealing import sealed
from governance.errors import InvalidDocument
from governance.store import decision_log

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST_NOTE = 10_000
_ADDRESS = re.compile(r"https?://[^\s/?#@]+([/?#]\S*)?")


def note(
    engine: Engine, number: int, *, text: str, actor: Actor | str, at: datetime, version: int | None = None
) -> Done:
    """Write a note; the incident keeps its version, so that a note makes nobody lose a race.

    :raises InvalidDocument: when it says nothing, or more than a note should.
    :raises Conflict: when it changed since `version`, or the same person said the same at the same instant.
    :raises Denied: when the actor may not.
    """
    if not text.strip() or len(text) > LONGEST_NOTE:
        raise InvalidDocument(f"text: a note says something, in at most {LONGEST_NOTE} characters")
    asked = Asked(number, "incident.note", actor, at, version, {"text": text})
    permitted(engine, asked)
    with engine.database.transaction() as connection:
        incident, decision = noted(connection, asked)
    return Done(incident, sealed(engine, decision.id, at))


def noted(connection: Connection, asked: Asked) -> tuple[Incident, Decision]:
    """Write a note in the caller's transaction, for who may."""
    incident = seen(connection, asked)
    decision = asked.decision(incident, told=False)
    decision_log.append(connection, [decision])
    return incident, decision


def link(
    engine: Engine, number: int, *, address: str, title: str = "", actor: Actor | str, at: datetime,
    version: int | None = None,
) -> Done:  # fmt: skip
    """Put a link on an incident: a ticket, a call, a dashboard; the same address again has a new title.

    :raises InvalidDocument: when the address does not begin with http:// or https://.
    :raises Conflict: when it changed since `version`.
    :raises Denied: when the actor may not.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > 2000 or len(title) > 200:
        raise InvalidDocument("address: begins with https:// (or http://) and holds no space; the title is short")
    asked = Asked(number, "incident.link", actor, at, version, {"address": address, "title": title})
    return act(engine, asked, linking(asked))


def linking(asked: Asked) -> Callable[[Incident], IncidentChange]:
    """Return the change of who puts a link on an incident."""
    address, title = str(asked.body["address"]), str(asked.body["title"])

    def change(before: Incident) -> IncidentChange:
        linked = answer.linked(before, asked.who, asked.at, address=address, title=title or address)
        return IncidentChange(linked, "updated")

    return change
