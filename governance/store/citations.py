"""The entries that a report cites: found by what was decided, each with its digest and whether its content has it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from governance.core.control import Cited, Logged
from governance.core.decision import parse
from governance.core.merkle import leaf_hash
from governance.store.dialects import as_stored
from governance.store.heads_file import Head
from governance.store.log_tables import ENTRIES, HEADS

_CHUNK = 10_000  # values in one list; SQLite takes at most 32,766
_CONTENT, _LEAF = as_stored(ENTRIES.c.content).label("content"), as_stored(ENTRIES.c.leaf_hash).label("leaf_hash")
_COLUMNS = (ENTRIES.c.seq, ENTRIES.c.decision_id, ENTRIES.c.model, ENTRIES.c.kind, ENTRIES.c.at, _CONTENT, _LEAF)


def head_at(connection: Connection, at: datetime) -> Head | None:
    """Return the head of the log as it was at an instant; None before the first seal."""
    statement = select(HEADS).where(HEADS.c.at <= at).order_by(HEADS.c.size.desc()).limit(1)
    row = connection.execute(statement).first()
    return None if row is None else Head(row.size, row.root, row.at)


def of_decisions(connection: Connection, decisions: Collection[str], size: int) -> dict[str, Cited]:
    """Return the entries of decisions among the first `size` of the log, by the decision; those not sealed are out."""
    found = {}
    for chunk in _chunks(decisions):
        statement = select(*_COLUMNS).where(ENTRIES.c.decision_id.in_(chunk), ENTRIES.c.seq < size)
        found.update({row.decision_id: _cited(row) for row in connection.execute(statement)})
    return found


def by_kind(connection: Connection, models: Collection[str], size: int) -> dict[str, dict[str, Logged]]:
    """Return how many entries of each kind are about each model among the first `size`, and the newest of each."""
    counts: dict[int, tuple[str, str, int]] = {}
    for chunk in _chunks(models):
        groups = (
            select(ENTRIES.c.model, ENTRIES.c.kind, func.count(), func.max(ENTRIES.c.seq))
            .where(ENTRIES.c.model.in_(chunk), ENTRIES.c.seq < size)
            .group_by(ENTRIES.c.model, ENTRIES.c.kind)
        )
        counts.update({seq: (model, kind, count) for model, kind, count, seq in connection.execute(groups)})
    found: dict[str, dict[str, Logged]] = defaultdict(dict)
    for chunk in _chunks(counts):
        for row in connection.execute(select(*_COLUMNS).where(ENTRIES.c.seq.in_(chunk))):
            model, kind, count = counts[row.seq]
            found[model][kind] = Logged(count, _cited(row))
    return found


def newest(connection: Connection, kind: str, size: int) -> Cited | None:
    """Return the newest entry of a kind among the first `size`, None when there is none."""
    statement = select(*_COLUMNS).where(ENTRIES.c.kind == kind, ENTRIES.c.seq < size)
    row = connection.execute(statement.order_by(ENTRIES.c.seq.desc()).limit(1)).first()
    return None if row is None else _cited(row)


def adoption(connection: Connection, version: str, size: int) -> Cited | None:
    """Return the entry that adopted a version of the policies last, among the first `size`; None of no such entry."""
    statement = select(*_COLUMNS).where(ENTRIES.c.kind == "policy.adopted", ENTRIES.c.seq < size)
    for row in connection.execute(statement.order_by(ENTRIES.c.seq.desc())):
        if f'"policy_version":"{version}"'.encode() in row.content:
            return _cited(row)
    return None


def _cited(row: Any) -> Cited:
    sound = leaf_hash(row.content) == row.leaf_hash
    try:
        actor = parse(row.content).decision.actor
    except ValueError:  # what is no entry any more is cited all the same, and said to be broken
        actor, sound = "", False
    return Cited(row.seq, row.kind, row.at, actor, row.leaf_hash.hex(), sound)


def _chunks(values: Collection[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        yield listed[start : start + _CHUNK]
