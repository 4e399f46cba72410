"""The heads of the decision log, those in the database and those published outside, against the computed roots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from governance.core.merkle import Frontier
from governance.store.dialects import as_stored
from governance.store.heads_file import Head
from governance.store.instant import instant_text
from governance.store.log_tables import HEADS

_HEADS = select(HEADS.c.size, as_stored(HEADS.c.root).label("root"), as_stored(HEADS.c.at).label("at")).order_by(
    HEADS.c.size
)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A head as somebody states it: its time is text of fixed width, which may say anything."""

    size: int
    root: bytes
    at: str


class HeadChecks:
    """Two streams of heads, both in the order of size, that are asked once per size."""

    def __init__(self, connection: Connection, lines: Iterator[tuple[int, Head | None]]) -> None:
        """Start both streams: the table of heads, and the lines of the file outside."""
        self._findings: list[str] = []
        self._stored = _Stream(_stored(connection))
        self._published = _Stream(self._of_lines(lines))
        self._wrong_stored: list[_Claim] = []
        self._wrong_published: list[_Claim] = []
        self._last_stored = 0

    def at(self, frontier: Frontier) -> list[str]:
        """Compare the heads that name this size with the root; return what is wrong with them."""
        stored, published = self._stored.take(frontier.size), self._published.take(frontier.size)
        if not stored and not published:
            return []
        root, findings = frontier.root(), []
        self._wrong_stored += [claim for claim in stored if claim.root != root]
        self._wrong_published += [claim for claim in published if claim.root != root]
        if stored:
            self._last_stored = frontier.size
        for claim in published:
            if not stored:
                findings.append(f"the head of {claim.size} entries was published but is missing in the database")
            elif claim.root == root == stored[0].root and claim.at != stored[0].at:
                findings.append(
                    f"the head of {claim.size} entries says it was sealed at {stored[0].at}, "
                    f"but was published as of {claim.at}"
                )
        return findings

    def rest(self, end: int, *, whole: bool) -> list[str]:
        """Return what remains to be said when the log ended at `end`; it is not `whole` when entries are missing."""
        findings = [
            *_collapsed(self._wrong_stored, "the head of {} entries in the database does not match them"),
            *_collapsed(
                self._wrong_published,
                "the published head of {} entries does not match the log: its past was rewritten",
            ),
        ]
        stored, published = self._stored.largest(), self._published.largest()
        if stored > end:
            findings.append(f"the log ends at {end} but a head in the database names {stored} entries")
        if published > end:
            findings.append(f"the log ends at {end} but a published head names {published} entries")
        if whole and max(self._last_stored, stored) < end:
            findings.append(f"the log has {end} entries but its last head in the database names {self._last_stored}")
        return findings + self._findings

    def _of_lines(self, lines: Iterator[tuple[int, Head | None]]) -> Iterator[_Claim]:
        before = 0
        for number, head in lines:
            if head is None:
                self._findings.append(f"line {number} of the published heads is not a head")
            elif head.size < max(before, 1):
                self._findings.append(f"line {number} of the published heads is out of order")
            else:
                before = head.size
                yield _Claim(head.size, head.root, instant_text(head.at))


class _Stream:
    """Claims in the order of size, taken by size."""

    def __init__(self, claims: Iterator[_Claim]) -> None:
        self._claims = claims
        self._next = next(claims, None)

    def take(self, size: int) -> list[_Claim]:
        taken = []
        while self._next and self._next.size <= size:
            taken.append(self._next)
            self._next = next(self._claims, None)
        return taken

    def largest(self) -> int:
        size = 0
        while self._next:
            size = self._next.size
            self._next = next(self._claims, None)
        return size


def _stored(connection: Connection) -> Iterator[_Claim]:
    for row in connection.execute(_HEADS).yield_per(1000):
        yield _Claim(row.size, row.root or b"", (row.at or b"").decode("utf-8", "replace"))


def _collapsed(wrong: list[_Claim], sentence: str) -> Iterator[str]:
    # Each head after the first wrong one is wrong as well, and says nothing new.
    if wrong:
        later = f" (nor do {len(wrong) - 1} other heads)" if len(wrong) > 1 else ""
        yield sentence.format(wrong[0].size) + later
