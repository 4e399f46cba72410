"""The label sets that rules have been judged for, so that one that vanishes is missed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, bindparam, case, delete, select, update
from sqlmodel import Field, SQLModel

from governance.core.metric import Labels
from governance.store.dialects import insert

Place = tuple[str, str]
"""A model and one of its rules."""
Instance = tuple[str, str, Labels]


class InstanceRow(SQLModel, table=True):
    """One label set of a rule; `missing_since`, in seconds since 1970, UTC, is empty while it is there."""

    __tablename__ = "instance"

    model: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    labels: str = Field(primary_key=True)
    missing_since: float | None = Field(default=None)


_TABLE = InstanceRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_ONE = (_C.model == bindparam("its_model"), _C.rule == bindparam("its_rule"), _C.labels == bindparam("its_labels"))


def known(connection: Connection) -> dict[Place, dict[Labels, datetime | None]]:
    """Return the label sets of every rule, each with the instant since when it has been missing."""
    found: dict[Place, dict[Labels, datetime | None]] = defaultdict(dict)
    for model, rule, labels, since in connection.execute(select(_C.model, _C.rule, _C.labels, _C.missing_since)):
        read = tuple((name, value) for name, value in json.loads(labels))
        found[model, rule][read] = datetime.fromtimestamp(since, UTC) if since is not None else None
    return found


def add(connection: Connection, instances: Collection[Instance]) -> None:
    """Write label sets that are seen for the first time."""
    if instances:
        rows = [{"model": model, "rule": rule, "labels": json.dumps(labels)} for model, rule, labels in instances]
        connection.execute(insert(_TABLE).on_conflict_do_nothing(), rows)


def mark(connection: Connection, instances: Collection[Instance], missing_since: datetime | None) -> None:
    """Note since when label sets have been missing; None: they are back."""
    if instances:
        since = missing_since.timestamp() if missing_since is not None else None
        connection.execute(update(_TABLE).where(*_ONE).values(missing_since=since), [_key(each) for each in instances])


def move(connection: Connection, by: timedelta, at: datetime) -> None:
    """Let label sets be missing as long as before on a clock that stepped by `by` and shows `at`."""
    moved, latest = _C.missing_since + by.total_seconds(), at.timestamp()
    moved = case((moved < latest, moved), else_=latest)
    connection.execute(update(_TABLE).where(_C.missing_since.is_not(None)).values(missing_since=moved))


def remove(connection: Connection, instances: Collection[Instance]) -> None:
    """Forget label sets."""
    if instances:
        connection.execute(delete(_TABLE).where(*_ONE), [_key(each) for each in instances])


def _key(instance: Instance) -> dict[str, str]:
    model, rule, labels = instance
    return {"its_model": model, "its_rule": rule, "its_labels": json.dumps(labels)}
