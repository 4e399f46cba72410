"""Evidence that people recorded; a record is never changed, a later one of its kind takes its place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select
from sqlmodel import Field, SQLModel

from governance.core.evidence import Evidence, Record, last_done
from governance.store.instant import Instant
from governance.store.log_tables import ENTRIES


class EvidenceRow(SQLModel, table=True):
    """One record; `decision` is the id of its entry in the decision log."""

    __tablename__ = "evidence"
    __table_args__ = {"info": {"append_only": "NEW.id = (SELECT coalesce(max(id) + 1, 1) FROM evidence)"}}

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    model: str = Field(index=True)
    kind: str
    team: str
    regime: str
    at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    actor: str
    version: str
    note: str
    decision: str = Field(unique=True)


_COLUMNS = EvidenceRow.__table__.c  # type: ignore[attr-defined]
_TABLE = EvidenceRow.__table__  # type: ignore[attr-defined]
_FIELDS = tuple(each.name for each in fields(Record))


def add(connection: Connection, record: Record) -> None:
    """Write a new record."""
    last = connection.execute(select(func.max(_COLUMNS.id))).scalar() or 0
    connection.execute(insert(_TABLE), [{"id": last + 1, **{name: getattr(record, name) for name in _FIELDS}}])


def latest(connection: Connection, known_by: datetime | None = None) -> dict[str, Evidence]:
    """Return what was last done for each model, as known at an instant, or now."""
    newest = select(func.max(_COLUMNS.id)).group_by(_COLUMNS.model, _COLUMNS.kind, _COLUMNS.team, _COLUMNS.regime)
    if known_by is not None:
        newest = newest.where(_COLUMNS.recorded_at <= known_by)
    found: dict[str, list[Record]] = defaultdict(list)
    for record in _records(connection.execute(select(_TABLE).where(_COLUMNS.id.in_(newest)).order_by(_COLUMNS.id))):
        found[record.model].append(record)
    return {model: last_done(records) for model, records in found.items()}


def recorded(connection: Connection, since: datetime, until: datetime) -> frozenset[str]:
    """Return the models of which something was recorded after `since` and by `until`."""
    at = _TABLE.c.recorded_at
    return frozenset(connection.execute(select(_TABLE.c.model).where(at > since, at <= until)).scalars())


def of_model(connection: Connection, model: str) -> list[tuple[Record, int | None]]:
    """Return a model's records, newest first, each with the number of its entry, None while that is not sealed."""
    joined = _TABLE.outerjoin(ENTRIES, ENTRIES.c.decision_id == _COLUMNS.decision)
    statement = select(_TABLE, ENTRIES.c.seq.label("entry")).select_from(joined).where(_COLUMNS.model == model)
    rows = connection.execute(statement.order_by(_COLUMNS.id.desc())).all()
    return [(record, row.entry) for record, row in zip(_records(rows), rows, strict=True)]


def _records(rows: Iterable[Row[Any]]) -> Iterable[Record]:
    return (Record(**{name: getattr(row, name) for name in _FIELDS}) for row in rows)
