"""Sealing: each waiting decision gets its sequence number and enters the Merkle tree (RFC 6962 section 2.1)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import Connection, Row, delete, insert, select

from governance.core.decision import Packed, sealed, timestamp
from governance.core.merkle import Frontier, NodeHash, leaf_hash
from governance.errors import Unavailable
from governance.store.database import Database
from governance.store.heads_file import Head, HeadsFile
from governance.store.log_tables import ENTRIES, HEADS, NODES, OUTBOX

Values: TypeAlias = dict[str, object]

BATCH = 500  # rows in one transaction, which others wait for: about 25 ms


@dataclass(frozen=True, slots=True)
class Sequencer:
    """Seals the outbox of a database and publishes each new head in a file outside it.

    It keeps nothing in memory between calls, so several may run, in several processes: the write lock orders them.
    """

    database: Database
    heads: HeadsFile | None

    def seal(self, at: datetime) -> int:
        """Seal every waiting decision in the order of its commit; return how many.

        Batches commit one by one, then their heads are published. After a crash in between the next call
        publishes what is missing; the file never names a head that the database does not hold.

        :raises Unavailable: when the log does not continue what was sealed or published before, or a disk fails.
        """
        self.publish()
        count = batch = self._seal_batch(at)
        while batch == BATCH:
            batch = self._seal_batch(at)
            count += batch
        if count:
            self.publish()
        return count

    def publish(self) -> None:
        """Append the heads that the file lacks.

        :raises Unavailable: when the file's last head is not the database's, or it cannot be written.
        """
        if self.heads is None:
            return
        with self.heads.held():
            last, torn = self.heads.last()
            with self.database.read() as connection:
                heads = _heads_from(connection, last.size if last else 0)
            if last and (not heads or heads.pop(0) != last):
                raise Unavailable(
                    f"{self.heads.path} names {last.size} entries in the decision log with another content than "
                    f"{self.database.name} holds: the log was cut, rewritten or restored from a backup. Verify it, "
                    f"then bring back the right database, or keep that file elsewhere as evidence and start a new one"
                )
            if heads:
                self.heads.extend(heads, torn)

    def _seal_batch(self, at: datetime) -> int:
        with self.database.transaction() as connection:
            rows = connection.execute(select(OUTBOX).order_by(OUTBOX.c.id).limit(BATCH)).all()
            if rows:
                frontier = _resumed(connection)
                entries, nodes = _grown(frontier, rows)
                connection.execute(insert(ENTRIES), entries)
                if nodes:
                    connection.execute(insert(NODES), nodes)
                connection.execute(insert(HEADS), [{"size": frontier.size, "root": frontier.root(), "at": at}])
                connection.execute(delete(OUTBOX).where(OUTBOX.c.id.in_([row.id for row in rows])))
        return len(rows)


def seal(database: Database, at: datetime, heads_file: Path | None = None) -> int:
    """Seal every waiting decision and publish the heads, by default in `<database file>.heads`; return how many.

    :raises Unavailable: when the log does not continue what was sealed or published before, or a disk fails.
    """
    return Sequencer(database, published_heads(database, heads_file)).seal(at)


def published_heads(database: Database, heads_file: Path | None = None) -> HeadsFile | None:
    """Return the file of heads: the one given, else the one beside the database; None for one in memory."""
    file = heads_file if heads_file is not None else database.heads
    return None if file is None else HeadsFile(file)


def stored_hashes(connection: Connection) -> NodeHash:
    """Return a function that reads the hash of one complete subtree; level 0 is an entry.

    The function raises Unavailable when the database lacks it.
    """

    def stored(level: int, position: int) -> bytes:
        found = connection.execute(
            select(NODES.c.hash).where(NODES.c.level == level, NODES.c.position == position)
            if level
            else select(ENTRIES.c.leaf_hash).where(ENTRIES.c.seq == position)
        ).scalar()
        if not isinstance(found, bytes):
            raise Unavailable(f"the decision log lacks the tree node {position} of level {level}; verify the log")
        return found

    return stored


def last_head(connection: Connection) -> Head | None:
    """Return the head of the whole log; None before the first seal."""
    row = connection.execute(select(HEADS).order_by(HEADS.c.size.desc()).limit(1)).first()
    return None if row is None else Head(row.size, row.root, row.at)


def head_of(connection: Connection, size: int) -> Head | None:
    """Return the head of the log when it held so many entries; None when none was sealed then."""
    row = connection.execute(select(HEADS).where(HEADS.c.size == size)).first()
    return None if row is None else Head(row.size, row.root, row.at)


def _heads_from(connection: Connection, size: int) -> list[Head]:
    rows = connection.execute(select(HEADS).where(HEADS.c.size >= size).order_by(HEADS.c.size))
    return [Head(row.size, row.root, row.at) for row in rows]


def _resumed(connection: Connection) -> Frontier:
    head = last_head(connection)
    size = head.size if head else 0
    end = connection.execute(select(ENTRIES.c.seq).order_by(ENTRIES.c.seq.desc()).limit(1)).scalar()
    frontier = Frontier(size, stored_hashes(connection))
    if size != (0 if end is None else end + 1) or (head and frontier.root() != head.root):
        raise Unavailable("the decision log does not end where its last head says; nothing is sealed: verify the log")
    return frontier


def _grown(frontier: Frontier, rows: Sequence[Row[tuple[object, ...]]]) -> tuple[list[Values], list[Values]]:
    entries: list[Values] = []
    nodes: list[Values] = []
    for row in rows:
        content = sealed(_parts(row), frontier.size)
        leaf = leaf_hash(content)
        entries.append(_entry(row, frontier.size) | {"content": content, "leaf_hash": leaf})
        grown = frontier.append(leaf)
        nodes += [{"level": node.level, "position": node.position, "hash": node.hash} for node in grown]
    return entries, nodes


def _parts(row: Row[tuple[object, ...]]) -> Packed:
    return Packed(timestamp(row.at), row.kind, row.actor, row.subject, row.body, row.decision_id)


def _entry(row: Row[tuple[object, ...]], seq: int) -> Values:
    model = json.loads(row.subject).get("model")
    return {"seq": seq, "decision_id": row.decision_id, "at": row.at, "kind": row.kind, "model": model}
