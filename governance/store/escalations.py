"""How far the escalation of each incident has come; one row for each incident, also where it has none."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, and_, delete, func, insert, not_, or_, select
from sqlmodel import Field, SQLModel

from governance.core.escalation import Escalation
from governance.core.incident import Incident
from governance.store.dialects import holds
from governance.store.document_row import read, written
from governance.store.incidents import IncidentRow
from governance.store.log_tables import ENTRIES, OUTBOX

NONE = "none"
_CHUNK = 10_000  # numbers in one question; SQLite takes at most 32,766 parameters


class EscalationRow(SQLModel, table=True):
    """One escalation; `next_at` is in seconds since 1970, UTC; `version` that of the incident as it was seen last."""

    __tablename__ = "escalation"

    incident: int = Field(primary_key=True)
    state: str
    version: int
    next_at: float | None = None
    document: str


_TABLE = EscalationRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_INCIDENT = IncidentRow.__table__.c  # type: ignore[attr-defined]
_UNSEEN = and_(_C.incident.is_(None), _INCIDENT.status != "resolved")
_MOVED = and_(_C.state != NONE, _C.version != _INCIDENT.version)


def waiting(connection: Connection, at: datetime) -> list[int]:
    """Return the incidents to look at: new ones, those that changed since the last look, and what is due."""
    joined = _INCIDENT.id.table.outerjoin(_TABLE, _C.incident == _INCIDENT.id)
    when = or_(_UNSEEN, _MOVED, _C.next_at <= at.timestamp())
    statement = select(_INCIDENT.id).select_from(joined).where(when).order_by(_INCIDENT.id)
    return list(connection.execute(statement).scalars())


def of_incidents(connection: Connection, numbers: Collection[int]) -> dict[int, Escalation | None]:
    """Return the escalations of incidents by number, None for one that was found to have none."""
    asked, found = list(numbers), dict[int, Escalation | None]()
    for first in range(0, len(asked), _CHUNK):
        chunk = asked[first : first + _CHUNK]
        rows = connection.execute(select(_C.incident, _C.document).where(_C.incident.in_(chunk)))
        found.update((number, read(Escalation, text) if text else None) for number, text in rows)
    return found


def running(connection: Connection) -> list[Escalation]:
    """Return every escalation that waits for its time."""
    rows = connection.execute(select(_C.document).where(_C.next_at.is_not(None))).scalars()
    return [read(Escalation, text) for text in rows]


def save(connection: Connection, *changed: Escalation | Incident) -> None:
    """Write escalations, and of incidents that they have none."""
    rows = [_row(each) for each in changed]
    if rows:
        connection.execute(delete(_TABLE).where(_C.incident.in_([row["incident"] for row in rows])))
        connection.execute(insert(_TABLE), rows)


def last_act(connection: Connection, number: int, since: datetime, engine: str) -> datetime | None:
    """Return when somebody else than the engine did something about an incident last, at `since` or later."""
    about, ours = f'"incident":"{number}"', f'{{"actor":"{engine}",'.encode()
    sealed = select(func.max(ENTRIES.c.at)).where(
        ENTRIES.c.at >= since,
        holds(ENTRIES.c.content, about.encode()),
        not_(holds(ENTRIES.c.content, ours)),
    )
    unsealed = select(func.max(OUTBOX.c.at)).where(
        OUTBOX.c.at >= since, holds(OUTBOX.c.subject, about), OUTBOX.c.actor != engine
    )
    found = [connection.execute(each).scalar() for each in (sealed, unsealed)]
    return max((each for each in found if each is not None), default=None)


def _row(each: Escalation | Incident) -> dict[str, object]:
    if isinstance(each, Incident):
        return {"incident": each.id, "state": NONE, "version": each.version, "next_at": None, "document": ""}
    return {
        "incident": each.incident,
        "state": each.state,
        "version": each.version,
        "next_at": each.next_at.timestamp() if each.next_at is not None else None,
        "document": written(each),
    }
