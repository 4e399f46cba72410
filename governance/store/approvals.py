"""Acts that wait for a second person, and those that were answered."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.approval import Approval, ApprovalKind, ApprovalState
from governance.errors import NotFound
from governance.store.document_row import read, written


class ApprovalRow(SQLModel, table=True):
    """One request."""

    __tablename__ = "approval"

    id: str = Field(primary_key=True)
    kind: str
    model: str = Field(index=True)
    state: str = Field(index=True)
    document: str


_TABLE = ApprovalRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c


def next_id(connection: Connection) -> str:
    """Return the id of the next request; only good within the transaction that takes it."""
    return f"APR-{(connection.execute(select(func.count()).select_from(_TABLE)).scalar() or 0) + 1}"


def get(connection: Connection, approval: str) -> Approval:
    """Return one request.

    :raises NotFound: when there is none of that id.
    """
    text = connection.execute(select(_C.document).where(_C.id == approval)).scalar()
    if text is None:
        raise NotFound(
            f"no approval '{approval}'; those that wait: gov switch list, gov policies list, gov runbook runs"
        )
    return read(Approval, text)


def listed(
    connection: Connection,
    *,
    state: ApprovalState | None = "pending",
    model: str = "",
    kind: ApprovalKind | None = None,
) -> list[Approval]:
    """Return requests, oldest first; by default those that wait, with None all."""
    statement = select(_C.document)
    if state is not None:
        statement = statement.where(_C.state == state)
    if model:
        statement = statement.where(_C.model == model)
    if kind is not None:
        statement = statement.where(_C.kind == kind)
    found = [read(Approval, text) for text in connection.execute(statement).scalars()]
    return sorted(found, key=lambda each: int(each.id.removeprefix("APR-")))


def add(connection: Connection, approval: Approval) -> None:
    """Write a new request."""
    connection.execute(insert(_TABLE), [_row(approval)])


def save(connection: Connection, approvals: Sequence[Approval]) -> None:
    """Write what became of requests."""
    if approvals:
        statement = update(_TABLE).where(_C.id == bindparam("old_id"))
        connection.execute(statement, [{**_row(each), "old_id": each.id} for each in approvals])


def _row(approval: Approval) -> dict[str, object]:
    return {
        "id": approval.id,
        "kind": approval.kind,
        "model": approval.model,
        "state": approval.state,
        "document": written(approval),
    }
