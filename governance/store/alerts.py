"""The state of every alert that is not inactive; an inactive one needs no row."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlmodel import Field, SQLModel

from governance.core.alert import Alert, AlertKey
from governance.store.document_row import read, written


class AlertRow(SQLModel, table=True):
    """One pending or firing alert."""

    __tablename__ = "alert"

    model: str = Field(primary_key=True)
    rule: str = Field(primary_key=True)
    labels: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    document: str


_COLUMNS = AlertRow.__table__.c  # type: ignore[attr-defined]
_TABLE = AlertRow.__table__  # type: ignore[attr-defined]
_DELETE = delete(_TABLE).where(
    *(_COLUMNS[name] == bindparam(f"old_{name}") for name in ("model", "rule", "labels", "kind"))
)


def active(connection: Connection, model: str | None = None) -> dict[AlertKey, Alert]:
    """Return every pending or firing alert, or those of one model."""
    wanted = [] if model is None else [_COLUMNS.model == model]
    rows = connection.execute(select(_COLUMNS.document).where(*wanted)).scalars()
    alerts = (read(Alert, row) for row in rows)
    return {alert.key: alert for alert in alerts}


def save(connection: Connection, alerts: Iterable[Alert]) -> None:
    """Write the alerts in two bulk statements; inactive ones are removed."""
    changed = list(alerts)
    if not changed:
        return
    connection.execute(_DELETE, [{f"old_{name}": value for name, value in _key(each.key).items()} for each in changed])
    rows = [{**_key(each.key), "document": written(each)} for each in changed if each.state != "inactive"]
    if rows:
        connection.execute(insert(_TABLE), rows)


def _key(key: AlertKey) -> dict[str, str]:
    return {"model": key.model, "rule": key.rule, "labels": json.dumps(key.labels), "kind": key.kind}
