"""Waivers that people asked for, and what became of the requests."""

from __future__ import annotations

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.waiver import WaiverRequest
from governance.errors import NotFound
from governance.store.document_row import read, written


class WaiverRequestRow(SQLModel, table=True):
    """One request."""

    __tablename__ = "waiver_request"

    id: str = Field(primary_key=True)
    model: str = Field(index=True)
    state: str = Field(index=True)
    document: str


_TABLE = WaiverRequestRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def next_id(connection: Connection) -> str:
    """Return the id of the next request; only good within the transaction that takes it."""
    return f"WVR-{(connection.execute(select(func.count()).select_from(_TABLE)).scalar() or 0) + 1}"


def get(connection: Connection, request: str) -> WaiverRequest:
    """Return one request.

    :raises NotFound: when there is none of that id.
    """
    text = connection.execute(select(_C.document).where(_C.id == request)).scalar()
    if text is None:
        raise NotFound(f"nobody asked for a waiver '{request}'")
    return read(WaiverRequest, text)


def pending(connection: Connection) -> list[WaiverRequest]:
    """Return the requests that nobody has answered."""
    rows = connection.execute(select(_C.document).where(_C.state == "pending")).scalars()
    return [read(WaiverRequest, text) for text in rows]


def of_model(connection: Connection, model: str) -> list[WaiverRequest]:
    """Return everything that was asked for about a model."""
    rows = connection.execute(select(_C.document).where(_C.model == model)).scalars()
    return [read(WaiverRequest, text) for text in rows]


def of_files(connection: Connection) -> list[WaiverRequest]:
    """Return the requests that files make or made, the oldest first."""
    document = _C.document
    rows = connection.execute(select(document).where(document.contains('"written":"')))
    found = [read(WaiverRequest, text) for text in rows.scalars()]
    return sorted((each for each in found if each.written), key=lambda each: each.requested_at)


def add(connection: Connection, request: WaiverRequest) -> None:
    """Write a new request."""
    row = {"id": request.id, "model": request.model, "state": request.state, "document": written(request)}
    connection.execute(insert(_TABLE), [row])


def save(connection: Connection, request: WaiverRequest) -> None:
    """Write what became of a request."""
    values = {"state": request.state, "document": written(request)}
    connection.execute(update(_TABLE).where(_C.id == request.id).values(**values))
