"""The incidents of which nothing is told for a while because they flap."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, or_, select
from sqlmodel import Field, SQLModel

from governance.core.incident import Incident


class DampedRow(SQLModel, table=True):
    """One incident; its quiet begins and ends in seconds since 1970, UTC."""

    __tablename__ = "damped"

    incident: int = Field(primary_key=True)
    begins: float
    ends: float = Field(index=True)


_TABLE = DampedRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def note(connection: Connection, *changed: Incident) -> None:
    """Remember until when incidents are quiet; those that never were are passed over."""
    rows = [
        {"incident": each.id, "begins": each.damped_from.timestamp(), "ends": each.damped_until.timestamp()}
        for each in changed
        if each.damped_from is not None and each.damped_until is not None and each.damped_until > each.changed_at
    ]
    if rows:
        connection.execute(delete(_TABLE).where(_C.incident.in_([row["incident"] for row in rows])))
        connection.execute(insert(_TABLE), rows)


def over(connection: Connection, at: datetime) -> list[int]:
    """Return the incidents whose quiet has ended, or that a clock which was set back shows as not begun."""
    now = at.timestamp()
    return list(connection.execute(select(_C.incident).where(or_(_C.ends <= now, _C.begins > now))).scalars())


def count(connection: Connection) -> int:
    """Return how many incidents are quiet."""
    return connection.execute(select(func.count()).select_from(_TABLE)).scalar() or 0


def remove(connection: Connection, incident: int) -> None:
    """Forget that an incident was quiet."""
    connection.execute(delete(_TABLE).where(_C.incident == incident))
