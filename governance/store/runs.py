"""Runs of runbooks, each changed only by who has seen its latest version.

What a run froze is written once, and shared by all runs that froze the same: what a step writes is the run alone.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, insert, select, update
from sqlmodel import Field, SQLModel

from governance.core.run import OPEN, Run
from governance.core.runbook import Runbook
from governance.errors import Conflict, NotFound, Unavailable
from governance.store.dialects import insert as upsert

Which = Literal["open", "ended", "all"]
_KEPT = 1024
"""How many frozen texts are kept as they were read: a fleet runs few runbooks, on the cards of a thousand models."""


class FrozenRow(SQLModel, table=True):
    """A runbook, or a card, as runs froze it: JSON, compressed by zlib, found by its digest."""

    __tablename__ = "run_frozen"

    digest: str = Field(primary_key=True)
    document: bytes


class RunRow(SQLModel, table=True):
    """One run; `next_at` is in seconds since 1970, UTC, and empty when the engine has nothing to do with it."""

    __tablename__ = "run"

    number: int = Field(primary_key=True)
    model: str = Field(index=True)
    incident: int = Field(index=True)
    runbook: str
    state: str = Field(index=True)
    next_at: float | None = Field(default=None, index=True)
    version: int
    runbook_digest: str
    card_digest: str
    document: str


_TABLE = RunRow.__table__  # type: ignore[attr-defined]
_FROZEN = FrozenRow.__table__  # type: ignore[attr-defined]
_C = _TABLE.c
_UPDATE = update(_TABLE).where(_C.number == bindparam("old_number"), _C.version == bindparam("old_version"))
_ADAPTER: TypeAdapter[Run] = TypeAdapter(Run)
_APART = {"runbook", "card"}
_read: dict[str, object] = {}
"""Frozen documents by their digest, which says all about them: the same in every database."""


def next_id(connection: Connection) -> str:
    """Return the id of the next run; only good within the transaction that takes it."""
    return f"RUN-{(connection.execute(select(func.max(_C.number))).scalar() or 0) + 1}"


def get(connection: Connection, run: str) -> Run:
    """Return one run by its id, such as RUN-12.

    :raises NotFound: when there is none of that id.
    :raises Unavailable: when it is damaged.
    """
    digits = run.upper().removeprefix("RUN-")
    found = _all(connection, select(_TABLE).where(_C.number == int(digits)), whole=True) if digits.isdecimal() else []
    if not found:
        newest = next_id(connection)
        known = "there are none yet" if newest == "RUN-1" else f"the newest is RUN-{_number(newest) - 1}"
        raise NotFound(f"no run '{run}'; {known}")
    return found[0]


def due(
    connection: Connection,
    at: datetime,
    limit: int,
    *,
    without: Collection[str] = (),
    damaged: list[str] | None = None,
) -> list[Run]:
    """Return runs with which there is something to do by now, who waits longest first, but for some.

    Those that cannot be read are left out, and added to the ids of the `damaged`.
    """
    statement = select(_TABLE).where(_C.next_at <= at.timestamp(), *_but(without))
    return _all(connection, statement.order_by(_C.next_at, _C.number).limit(limit), damaged)


def set_aside(connection: Connection, damaged: Collection[str]) -> None:
    """Leave runs alone that cannot be read, so that the others go on."""
    numbers = [_number(each) for each in damaged]
    connection.execute(update(_TABLE).where(_C.number.in_(numbers)).values(next_at=None))


def next_due(connection: Connection, *, without: Collection[str] = ()) -> datetime | None:
    """Return when the next run has to be looked at, but for some; None for never."""
    found = connection.execute(select(func.min(_C.next_at)).where(*_but(without))).scalar()
    return datetime.fromtimestamp(found, UTC) if found is not None else None


def listed(
    connection: Connection, *, model: str = "", incident: int = 0, state: Which = "open", before: int = 0,
    limit: int | None = None,
) -> list[Run]:  # fmt: skip
    """Return runs, newest first; those before a number only, and at most so many, where these are given."""
    statement = select(_TABLE).order_by(_C.number.desc()).limit(limit)
    if before:
        statement = statement.where(_C.number < before)
    if state != "all":
        statement = statement.where(_C.state.in_(OPEN) if state == "open" else _C.state.not_in(OPEN))
    if model:
        statement = statement.where(_C.model == model)
    if incident:
        statement = statement.where(_C.incident == incident)
    return _all(connection, statement)


def of_incident(connection: Connection, incident: int) -> list[Run]:
    """Return every run about an incident, oldest first."""
    return _all(connection, select(_TABLE).where(_C.incident == incident).order_by(_C.number))


def about(connection: Connection, incidents: Collection[int]) -> list[Run]:
    """Return the open runs about incidents, newest first."""
    if not incidents:
        return []
    statement = select(_TABLE).where(_C.incident.in_(incidents), _C.state.in_(OPEN)).order_by(_C.number.desc())
    return _all(connection, statement)


def of_runbooks(connection: Connection, model: str, runbooks: Collection[str], limit: int) -> list[Run]:
    """Return the runs of some runbooks for a model, newest first, at most so many."""
    if not runbooks:
        return []
    statement = select(_TABLE).where(_C.model == model, _C.runbook.in_(runbooks))
    return _all(connection, statement.order_by(_C.number.desc()).limit(limit))


def open_of(connection: Connection, model: str, runbook: str) -> Run | None:
    """Return the open run of a runbook for a model, None when there is none."""
    same = (_C.model == model, _C.runbook == runbook, _C.state.in_(OPEN))
    return next(iter(_all(connection, select(_TABLE).where(*same).order_by(_C.number))), None)


def any_open(connection: Connection, incident: int) -> bool:
    """Tell whether a run about an incident is open."""
    statement = select(_C.number).where(_C.incident == incident, _C.state.in_(OPEN)).limit(1)
    return connection.execute(statement).scalar() is not None


def counts(connection: Connection) -> dict[str, int]:
    """Return how many runs there are in each state."""
    rows = connection.execute(select(_C.state, func.count()).group_by(_C.state).order_by(_C.state))
    return {row[0]: row[1] for row in rows}


def save(connection: Connection, *changed: Run) -> None:
    """Write new runs, and the next version of others.

    :raises Conflict: when somebody wrote that version first.
    """
    new = [each for each in changed if each.version == 1]
    if new:
        connection.execute(insert(_TABLE), [{**_row(each), **_freeze(connection, each)} for each in new])
    moved = [
        {**_row(each), "old_number": _number(each.id), "old_version": each.version - 1}
        for each in changed
        if each.version > 1
    ]
    if moved and connection.execute(_UPDATE, moved).rowcount != len(moved):
        names = ", ".join(f"RUN-{row['old_number']}" for row in moved)
        raise Conflict(f"{names} was changed by somebody else just now; look at it again")


def move(connection: Connection, incident: int, into: int) -> None:
    """Let the runs about an incident be about another, which it was merged into."""
    save(
        connection,
        *(replace(each, incident=into, version=each.version + 1) for each in of_incident(connection, incident)),
    )


def _row(run: Run) -> dict[str, object]:
    return {
        "number": _number(run.id),
        "model": run.model,
        "incident": run.incident,
        "runbook": run.runbook.runbook,
        "state": run.state,
        "next_at": run.next_at.timestamp() if run.next_at else None,
        "version": run.version,
        "document": _ADAPTER.dump_json(run, exclude=_APART).decode(),
    }


def _all(
    connection: Connection, statement: Select[Any], damaged: list[str] | None = None, *, whole: bool = False
) -> list[Run]:
    """Return the runs of a statement; one that is damaged hides no other, unless `whole` asks for all of them."""
    rows, found = connection.execute(statement).all(), []
    frozen = _thawed(connection, {each for row in rows for each in (row.runbook_digest, row.card_digest)})
    for row in rows:
        try:
            found.append(_run(row, frozen))
        except (Unavailable, ValueError) as error:
            if whole:
                raise Unavailable(f"RUN-{row.number} cannot be read: {str(error).splitlines()[0]}") from error
            if damaged is not None:
                damaged.append(f"RUN-{row.number}")
    return found


def _run(row: Any, frozen: Mapping[str, object]) -> Run:
    parts = [frozen.get(each) for each in (row.runbook_digest, row.card_digest)]
    for each in parts:
        if each is None:
            raise Unavailable("what it froze is not stored")
        if isinstance(each, Unavailable):
            raise each
    return _ADAPTER.validate_python({**json.loads(row.document), "runbook": parts[0], "card": parts[1]})


def _freeze(connection: Connection, run: Run) -> dict[str, str]:
    """Write what a run froze, unless another froze the same, and return under which digests it is found."""
    found = {}
    for name, text in (("runbook_digest", _text(run.runbook)), ("card_digest", _text(run.card))):
        found[name] = digest = hashlib.sha256(text.encode()).hexdigest()
        row = {"digest": digest, "document": zlib.compress(text.encode(), 9)}
        connection.execute(upsert(_FROZEN).on_conflict_do_nothing(index_elements=["digest"]), [row])
    return found


def _thawed(connection: Connection, digests: Collection[str]) -> dict[str, object]:
    """Return frozen documents, or what is wrong with one; each is read once as long as it was used lately."""
    found = {digest: _read[digest] for digest in digests if digest in _read}
    for chunk in _chunks([digest for digest in digests if digest not in found]):
        for row in connection.execute(select(_FROZEN).where(_FROZEN.c.digest.in_(chunk))):
            found[row.digest] = _document(row.digest, row.document)
    if len(_read) > _KEPT:
        _read.clear()
    _read.update({digest: each for digest, each in found.items() if not isinstance(each, Unavailable)})
    return found


def _document(digest: str, packed: bytes) -> object:
    try:
        text = zlib.decompress(packed)
    except zlib.error:
        text = b""
    if hashlib.sha256(text).hexdigest() != digest:
        return Unavailable(f"what it froze was changed since it was written: {digest[:12]}")
    said = json.loads(text)
    return Runbook.model_validate(said["runbook"]) if "runbook" in said else said["card"]


def _text(frozen: Runbook | Mapping[str, object]) -> str:
    if isinstance(frozen, Runbook):
        said: dict[str, object] = {"runbook": frozen.model_dump(mode="json", by_alias=True, exclude_defaults=True)}
    else:
        said = {"card": frozen}
    return json.dumps(said, sort_keys=True, ensure_ascii=False)


def _but(without: Collection[str]) -> list[ColumnElement[bool]]:
    return [_C.number.not_in([_number(each) for each in without])] if without else []


def _number(run: str) -> int:
    return int(run.removeprefix("RUN-"))


def _chunks(values: list[str]) -> Iterator[list[str]]:
    yield from (values[first : first + 500] for first in range(0, len(values), 500))
