"""Alerts of others that were told to us: how far each has come, so that a repeated telling changes nothing."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select
from sqlmodel import Field, SQLModel

from governance.store.dialects import insert


class OutsideAlertRow(SQLModel, table=True):
    """One alert by its fingerprint; `began` is when it last began, in seconds since 1970, UTC."""

    __tablename__ = "outside_alert"

    fingerprint: str = Field(primary_key=True)
    began: float
    over: bool


_TABLE = OutsideAlertRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_NEW = insert(_TABLE)
_UPSERT = _NEW.on_conflict_do_update(
    index_elements=["fingerprint"], set_={"began": _NEW.excluded.began, "over": _NEW.excluded.over}
)


def known(connection: Connection, fingerprints: Collection[str]) -> dict[str, tuple[float, bool]]:
    """Return, of those that were told before, when each last began and whether it is over."""
    rows = connection.execute(select(_C.fingerprint, _C.began, _C.over).where(_C.fingerprint.in_(fingerprints)))
    return {row.fingerprint: (row.began, row.over) for row in rows}


def save(connection: Connection, told: Collection[tuple[str, float, bool]]) -> None:
    """Write when each began, and whether it is over."""
    if told:
        connection.execute(_UPSERT, [{"fingerprint": name, "began": began, "over": over} for name, began, over in told])
