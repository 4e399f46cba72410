"""Verification of the decision log: every hash is computed again, in one pass over entries, nodes and heads.

Inside one database everything can be rewritten so that it fits together again. Only a head held outside stops a
rewritten past or a cut tail: keep copies of the published heads where the database's owner cannot change them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Integer, Row, bindparam, cast, inspect, select, text

from governance.core.decision import Decision, parse
from governance.core.merkle import EMPTY_ROOT, Frontier, Node, leaf_hash
from governance.store.database import Database
from governance.store.dialects import as_stored
from governance.store.heads_file import HeadsFile
from governance.store.instant import instant_text
from governance.store.log_tables import ENTRIES, HEADS, NODES
from governance.store.sequencer import published_heads
from governance.store.verified_heads import HeadChecks

_SHOWN = 100  # findings; whoever wrecked more has been found out

_COLUMNS = ("decision_id", "at", "kind", "model", "content", "leaf_hash")
_ENTRIES = select(ENTRIES.c.seq, *(as_stored(ENTRIES.c[name]).label(name) for name in _COLUMNS)).order_by(ENTRIES.c.seq)
_LEVELS = text("SELECT DISTINCT CAST(level AS INTEGER) FROM log_nodes ORDER BY 1")
_NODES = (
    select(cast(NODES.c.position, Integer).label("position"), as_stored(NODES.c.hash).label("hash"))
    .where(NODES.c.level == bindparam("level"))
    .order_by(NODES.c.position)
)


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying found: the log's size and root (hex), how many entries were checked, and what is wrong."""

    size: int
    root: str
    checked: int
    findings: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings


def verify(database: Database, heads_file: Path | None = None) -> Verification:
    """Compute the log's hashes again and compare them with every stored hash and every published head.

    It only reads. The heads are read from `heads_file`, by default `<database file>.heads`. Without heads held
    outside, a rewritten past or a cut tail cannot be found.

    :raises Unavailable: when the database or the file of heads cannot be read at all.
    """
    published = published_heads(database, heads_file)
    exists = published is not None and published.path.exists()
    lines = published.lines() if published and exists else iter([(0, None)])
    next(lines)  # fixes what was published before the snapshot is taken: the log is never behind its heads
    with database.read() as connection:
        absent = [table.name for table in (ENTRIES, NODES, HEADS) if not inspect(connection).has_table(table.name)]
        if absent:
            return Verification(0, EMPTY_ROOT.hex(), 0, tuple(f"the table {name} is missing" for name in absent))
        audit = _Audit(connection, HeadChecks(connection, lines))
        audit.run()
    if published and not exists and audit.end and not published.path.exists():  # nor is it the first one just now
        audit.findings.append(_unpublished(published))
    return audit.verification()


@dataclass(slots=True)
class _Audit:
    """One pass over the entries, with the nodes and heads that each of them completes."""

    connection: Connection
    heads: HeadChecks
    findings: list[str] = field(default_factory=list)
    frontier: Frontier = field(default_factory=Frontier)
    nodes: dict[int, Iterator[Row[tuple[int, bytes]]]] = field(default_factory=dict)
    doubted: set[tuple[int, int]] = field(default_factory=set)
    checked: int = 0
    end: int = 0

    def run(self) -> None:
        for (level,) in self.connection.execute(_LEVELS).all():
            self.nodes[level] = iter(self.connection.execute(_NODES, {"level": level}).yield_per(1000))
        for row in self.connection.execute(_ENTRIES).yield_per(1000):
            self._entry(row)
        if self.frontier.size == self.end:  # without a gap, every node has had its turn
            for level, rows in self.nodes.items():
                self.findings += [
                    f"the tree has a node {row.position} of level {level} over no entries" for row in rows
                ]
        self.findings += self.heads.rest(self.end, whole=self.frontier.size == self.end)

    def verification(self) -> Verification:
        found = self.findings[:_SHOWN]
        if len(self.findings) > _SHOWN:
            found.append(f"and {len(self.findings) - _SHOWN} more")
        return Verification(self.end, self.frontier.root().hex(), self.checked, tuple(found))

    def _entry(self, row: Row[tuple[object, ...]]) -> None:
        if row.seq > self.end:
            self.findings.append(f"{_span(self.end, row.seq - 1)} missing")
        leaf = self._leaf(row)
        self.checked += 1
        if row.seq < 0:
            self.findings.append(f"entry {row.seq} is before the first entry, 0")
        elif row.seq == self.frontier.size:  # after a gap no later hash of the tree can be computed
            for node in self.frontier.append(leaf):
                self._node(node)
            self.findings += self.heads.at(self.frontier)
        self.end = max(self.end, row.seq + 1)

    def _leaf(self, row: Row[tuple[object, ...]]) -> bytes:
        """Return the leaf hash to go on with: the stored one, so that one edited entry is one finding."""
        content, computed = row.content or b"", leaf_hash(row.content or b"")
        if row.leaf_hash == computed:
            self.findings += _mirrored(row, content)
            return computed
        self.findings.append(f"entry {row.seq}: its content does not match its hash")
        self.doubted.add((0, row.seq))
        return row.leaf_hash or b""

    def _node(self, node: Node) -> None:
        first, last = node.position << node.level, ((node.position + 1) << node.level) - 1
        row = next(self.nodes.get(node.level, iter(())), None)
        while row and row.position < node.position:
            self.findings.append(f"the tree has a node {row.position} of level {node.level} twice")
            row = next(self.nodes[node.level], None)
        if row and row.position > node.position:
            self.nodes[node.level] = _again(row, self.nodes[node.level])
            row = None
        if row is None:
            self.findings.append(f"the tree node over entries {_range(first, last)} is missing")
        elif row.hash != node.hash:
            self._doubt(node, f"the tree node over entries {_range(first, last)} does not match them")

    def _doubt(self, node: Node, finding: str) -> None:
        below = {(node.level - 1, node.position * 2), (node.level - 1, node.position * 2 + 1)}
        if not below & self.doubted:  # else it follows from what was found below
            self.findings.append(finding)
        self.doubted.add((node.level, node.position))


def _again(row: Row[tuple[int, bytes]], rows: Iterator[Row[tuple[int, bytes]]]) -> Iterator[Row[tuple[int, bytes]]]:
    yield row
    yield from rows


def _mirrored(row: Row[tuple[object, ...]], content: bytes) -> list[str]:
    """Compare the columns that repeat the content."""
    try:
        entry = parse(content)
    except ValueError:
        return [f"entry {row.seq}: its content is not a decision"]
    findings = [] if entry.seq == row.seq else [f"entry {row.seq}: its content says that it is entry {entry.seq}"]
    for name, said in _columns(entry.decision).items():
        held = None if getattr(row, name) is None else getattr(row, name).decode("utf-8", "replace")
        if held != said:
            findings.append(f"entry {row.seq}: its column {name} says {held!r}, but its content says {said!r}")
    return findings


def _columns(decision: Decision) -> dict[str, str | None]:
    return {
        "decision_id": decision.id,
        "at": instant_text(decision.at),
        "kind": decision.kind,
        "model": decision.subject.get("model"),
    }


def _unpublished(published: HeadsFile) -> str:
    return f"no head is published: {published.path} does not exist, so a rewritten past or a cut tail would not show"


def _range(first: int, last: int) -> str:
    return f"{first}\N{EN DASH}{last}"


def _span(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {_range(first, last)} are"
