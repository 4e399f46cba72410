"""Kill switches: one row per model, numbered over all of them by their last change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select
from sqlmodel import Field, SQLModel

from governance.core.switch import Switch
from governance.store.document_row import read, written


class SwitchRow(SQLModel, table=True):
    """The switch of one model that was ever pulled; no two have the same `seq`."""

    __tablename__ = "switch"

    model: str = Field(primary_key=True)
    seq: int = Field(unique=True, index=True)
    document: str


class RulePullRow(SQLModel, table=True):
    """A pull by a rule, so that automation knows how much it did lately; `at` is in seconds since 1970, UTC."""

    __tablename__ = "rule_pull"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    model: str
    at: float = Field(index=True)


_TABLE = SwitchRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_CHUNK = 10_000  # names in one question; SQLite takes at most 32,766 parameters
_PULLS = RulePullRow.__table__  # type: ignore[attr-defined]


def all_of(connection: Connection) -> dict[str, Switch]:
    """Return every switch that was ever pulled, by model."""
    rows = connection.execute(select(_C.document).order_by(_C.model)).scalars()
    return {switch.model: switch for switch in (read(Switch, text) for text in rows)}


def since(connection: Connection, seq: int) -> list[Switch]:
    """Return the switches that changed after `seq`, the oldest change first."""
    statement = select(_C.document).where(_C.seq > seq).order_by(_C.seq)
    return [read(Switch, text) for text in connection.execute(statement).scalars()]


def get(connection: Connection, model: str) -> Switch:
    """Return the switch of a model; one that was never pulled is live, with `seq` 0."""
    text = connection.execute(select(_C.document).where(_C.model == model)).scalar()
    return read(Switch, text) if text is not None else Switch(model)


def of(connection: Connection, models: Sequence[str]) -> dict[str, Switch]:
    """Return the switches of several models; one that was never pulled is live, with `seq` 0."""
    found = {model: Switch(model) for model in models}
    for start in range(0, len(models), _CHUNK):
        statement = select(_C.document).where(_C.model.in_(models[start : start + _CHUNK]))
        found |= {each.model: each for each in (read(Switch, text) for text in connection.execute(statement).scalars())}
    return found


def last_seq(connection: Connection) -> int:
    """Return the number of the last change of any switch, 0 before the first."""
    return connection.execute(select(func.max(_C.seq))).scalar() or 0


def next_seq(connection: Connection) -> int:
    """Return the number of the next change; only good within the transaction that takes it."""
    return last_seq(connection) + 1


def save(connection: Connection, *switches: Switch) -> None:
    """Write the switches as they are now, in two bulk statements."""
    if switches:
        connection.execute(delete(_TABLE).where(_C.model.in_([each.model for each in switches])))
        rows = [{"model": each.model, "seq": each.seq, "document": written(each)} for each in switches]
        connection.execute(insert(_TABLE), rows)


def note_rule_pulls(connection: Connection, pulled: Iterable[Switch], at: datetime) -> None:
    """Remember which models rules have pulled."""
    rows = [{"seq": each.seq, "model": each.model, "at": at.timestamp()} for each in pulled]
    if rows:
        connection.execute(insert(_PULLS), rows)


def pulled_by_rules(connection: Connection, after: datetime) -> frozenset[str]:
    """Return the models that rules have pulled since an instant."""
    statement = select(_PULLS.c.model).where(_PULLS.c.at > after.timestamp()).distinct()
    return frozenset(connection.execute(statement).scalars())
