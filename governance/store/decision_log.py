"""The decision log: decisions written with the change they record, sealed in order, read back and verified.

`append` runs in the caller's transaction; `seal` numbers what was committed; `verify` recomputes everything.
Only a head held outside the database stops a rewritten past or a cut tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import rfc8785
from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from governance.core.decision import Decision, Entry, packed, parse
from governance.core.merkle import inclusion_proof
from governance.errors import Conflict, NotFound, Unavailable
from governance.store import idempotency
from governance.store.database import Database
from governance.store.dialects import holds as contains
from governance.store.heads_file import Head
from governance.store.log_tables import ENTRIES, OUTBOX
from governance.store.sequencer import Sequencer, head_of, last_head, published_heads, seal, stored_hashes
from governance.store.verification import Verification, verify

__all__ = [
    "Ready",
    "Receipt",
    "Sequencer",
    "Verification",
    "about",
    "append",
    "count",
    "entries_of",
    "entry",
    "entry_of",
    "head",
    "holds",
    "oldest_unsealed",
    "published_heads",
    "ready",
    "receipt",
    "recorded",
    "seal",
    "tail",
    "verify",
]


@dataclass(frozen=True, slots=True)
class Ready:
    """A decision as the outbox will hold it."""

    row: dict[str, object]


_CHUNK = 10_000  # ids in one question; SQLite takes at most 32,766 parameters


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that an entry is in the log under a head (RFC 6962 section 2.1.1); `path` is lowest first."""

    seq: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    head: Head


def ready(decision: Decision) -> Ready:
    """Return a decision ready to be appended: its text takes longer to make than to write, so many are made before.

    :raises TypeError: for a value that JSON cannot hold, naming its path.
    """
    parts = packed(decision)
    return Ready(
        {
            "decision_id": parts.id,
            "at": decision.at,
            "kind": parts.kind,
            "actor": parts.actor,
            "subject": parts.subject,
            "body": parts.body,
        }
    )


def append(connection: Connection, decisions: Sequence[Decision | Ready]) -> None:
    """Write decisions to the outbox in the caller's transaction, in this order.

    :raises TypeError: for a value that JSON cannot hold, naming its path.
    :raises Conflict: when the log already has a decision of that id.
    """
    rows = [(each if isinstance(each, Ready) else ready(each)).row for each in decisions]
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        _refuse_sealed(connection, [row["decision_id"] for row in chunk])
        try:
            connection.execute(insert(OUTBOX), chunk)
        except IntegrityError as error:
            raise Conflict(f"the decision log already has one of these decisions: {error.orig}") from error
        idempotency.mark(connection, [str(row["decision_id"]) for row in chunk])


def tail(
    database: Database, limit: int, kind: str | None = None, model: str | None = None, since_seq: int | None = None
) -> list[Entry]:
    """Return the newest `limit` entries in order; with `since_seq`, the first `limit` after that one.

    `kind` selects that kind and those below it: "incident" selects incident.opened.

    :raises Unavailable: when an entry cannot be read.
    """
    statement = select(ENTRIES.c.seq, ENTRIES.c.content).where(*_selected(kind, model)).limit(limit)
    if since_seq is None:
        statement = statement.order_by(ENTRIES.c.seq.desc())
    else:
        statement = statement.where(ENTRIES.c.seq > since_seq).order_by(ENTRIES.c.seq)
    with database.read() as connection:
        entries = [_entry(row) for row in connection.execute(statement)]
    return entries if since_seq is not None else entries[::-1]


def about(database: Database, name: str, value: str, *, since: str, after: int = -1) -> list[Entry]:
    """Return the entries whose subject has this name with this value, in order.

    `since` is the decision with which it began: nothing before it is read. `after` leaves out what is known already.

    :raises Unavailable: when an entry cannot be read.
    """
    first = select(ENTRIES.c.seq).where(ENTRIES.c.decision_id == since).scalar_subquery()
    said = f"{rfc8785.dumps(name).decode()}:{rfc8785.dumps(value).decode()}".encode()
    statement = (
        select(ENTRIES.c.seq, ENTRIES.c.content)
        .where(ENTRIES.c.seq >= first, ENTRIES.c.seq > after, contains(ENTRIES.c.content, said))
        .order_by(ENTRIES.c.seq)
    )
    with database.read() as connection:
        found = [_entry(row) for row in connection.execute(statement)]
    return [each for each in found if each.decision.subject.get(name) == value]


def entry(database: Database, seq: int) -> Entry:
    """Return one entry by its sequence number, from 0.

    :raises NotFound: when the log has no such entry.
    """
    with database.read() as connection:
        row = connection.execute(select(ENTRIES.c.seq, ENTRIES.c.content).where(ENTRIES.c.seq == seq)).first()
    if row is None:
        raise NotFound(f"the decision log has no entry {seq}; it has {count(database)} entries, numbered from 0")
    return _entry(row)


def entry_of(database: Database, decision_id: str) -> Entry | None:
    """Return the entry of a decision; None while it is not sealed."""
    with database.read() as connection:
        statement = select(ENTRIES.c.seq, ENTRIES.c.content).where(ENTRIES.c.decision_id == decision_id)
        row = connection.execute(statement).first()
    return None if row is None else _entry(row)


def entries_of(database: Database, decision_ids: Sequence[str]) -> dict[str, Entry]:
    """Return the entries of several decisions by their ids, without those that are not sealed.

    :raises Unavailable: when an entry cannot be read.
    """
    found: dict[str, Entry] = {}
    with database.read() as connection:
        for start in range(0, len(decision_ids), _CHUNK):
            named = ENTRIES.c.decision_id.in_(decision_ids[start : start + _CHUNK])
            for row in connection.execute(select(ENTRIES.c.seq, ENTRIES.c.content).where(named)):
                entry = _entry(row)
                found[entry.decision.id] = entry
    return found


def recorded(connection: Connection, decision_ids: Sequence[str]) -> frozenset[str]:
    """Return which of these decisions were recorded, sealed or not yet."""
    found: set[str] = set()
    for start in range(0, len(decision_ids), _CHUNK):
        chunk = decision_ids[start : start + _CHUNK]
        for table in (ENTRIES, OUTBOX):
            found |= set(
                connection.execute(select(table.c.decision_id).where(table.c.decision_id.in_(chunk))).scalars()
            )
    return frozenset(found)


def holds(connection: Connection, decision_id: str) -> bool:
    """Tell whether a decision was recorded, sealed or not yet."""
    sealed = select(ENTRIES.c.decision_id).where(ENTRIES.c.decision_id == decision_id)
    waiting = select(OUTBOX.c.decision_id).where(OUTBOX.c.decision_id == decision_id)
    return connection.execute(sealed.union_all(waiting)).first() is not None


def count(database: Database) -> int:
    """Return the number of sealed entries."""
    with database.read() as connection:
        last = connection.execute(select(func.max(ENTRIES.c.seq))).scalar()
    return 0 if last is None else int(last) + 1


def head(database: Database) -> Head | None:
    """Return the head of the whole log; None before the first seal."""
    with database.read() as connection:
        return last_head(connection)


def receipt(database: Database, seq: int, size: int | None = None) -> Receipt:
    """Return the proof that entry `seq` is in the log under its newest head, or under that of `size` entries.

    :raises NotFound: when the log has no such entry or head.
    """
    with database.read() as connection:
        under, stored = last_head(connection) if size is None else head_of(connection, size), stored_hashes(connection)
        if under is None and size is not None:
            raise NotFound(f"the decision log has no head of {size} entries")
        if under is None or not 0 <= seq < under.size:
            raise NotFound(f"the decision log has no entry {seq}; it has {under.size if under else 0} entries")
        return Receipt(seq, stored(0, seq), tuple(inclusion_proof(stored, seq, under.size)), under)


def oldest_unsealed(database: Database) -> datetime | None:
    """Return the time of the decision that waits longest for its seal; None when none waits."""
    with database.read() as connection:
        return connection.execute(select(OUTBOX.c.at).order_by(OUTBOX.c.id).limit(1)).scalar()


def _refuse_sealed(connection: Connection, ids: Sequence[object]) -> None:
    # The sealer could never seal a second decision of the same id, and would stop at it for good.
    known = connection.execute(select(ENTRIES.c.decision_id).where(ENTRIES.c.decision_id.in_(ids)).limit(1)).scalar()
    if known is not None:
        raise Conflict(f"the decision log already has the decision {known}")


def _selected(kind: str | None, model: str | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if kind is not None:
        column = ENTRIES.c.kind
        # A range, which the index serves and LIKE would not: "/" is the character after ".".
        conditions.append(or_(column == kind, (column > f"{kind}.") & (column < f"{kind}/")))
    if model is not None:
        conditions.append(ENTRIES.c.model == model)
    return conditions


def _entry(row: Row[*tuple[int, bytes]]) -> Entry:
    try:
        return parse(row.content)
    except ValueError as error:
        raise Unavailable(f"entry {row.seq} of the decision log cannot be read ({error}); verify the log") from error
