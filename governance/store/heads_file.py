"""The heads of the decision log in an append-only file outside the database: one JSON line each.

What is written here can be kept where the database's owner cannot reach it; then a rewritten past shows.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from governance.core.decision import timestamp
from governance.errors import Unavailable

if TYPE_CHECKING:
    from governance.store.database import Database

_WINDOW = 64 * 1024  # bytes at the end of the file in which the last head is looked for first


@dataclass(frozen=True, slots=True)
class Head:
    """The root of the log when it held `size` entries, and when that was sealed."""

    size: int
    root: bytes
    at: datetime

    def line(self) -> bytes:
        """Return the line of the file that publishes this head."""
        said = {"size": self.size, "root": self.root.hex(), "at": timestamp(self.at)}
        return json.dumps(said, separators=(",", ":")).encode() + b"\n"


def head_of(line: bytes) -> Head | None:
    """Return the head that a line publishes; None when it publishes none."""
    try:
        said = json.loads(line)
        at = datetime.fromisoformat(said["at"]).astimezone(UTC)
        return Head(int(said["size"]), bytes.fromhex(said["root"]), at)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None


@dataclass(frozen=True, slots=True)
class HeadsFile:
    """The file of heads at `path`; it is only ever appended to."""

    path: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other sealers, in this process or another, from writing the file meanwhile (flock).

        :raises Unavailable: when the file cannot be opened for writing.
        """
        with self._explained("opened"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)  # and with it the lock

    def last(self) -> tuple[Head | None, bytes]:
        """Return the last head, and what a crash left of an unfinished line after it.

        :raises Unavailable: when the file cannot be read.
        """
        with self._explained("read"), self.path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            for window in (min(_WINDOW, length), length):
                file.seek(length - window)
                *lines, torn = file.read(window).split(b"\n")
                head = next(filter(None, map(head_of, reversed(lines))), None)
                if head:
                    return head, torn
        return None, torn

    def extend(self, heads: Sequence[Head], torn: bytes = b"") -> None:
        """Append heads and wait until the disk has them; finish the line that a crash had cut to `torn`.

        :raises Unavailable: when the file cannot be written.
        """
        lines = b"".join(head.line() for head in heads)
        # A cut line is nearly always the start of the line due now; anything else is left as it is and closed off.
        missing = lines[len(torn) :] if lines.startswith(torn) else b"\n" + lines
        with self._explained("written"):
            created = self.path.stat().st_size == 0
            with self.path.open("ab") as file:
                file.write(missing)
                file.flush()
                os.fsync(file.fileno())
            if created:
                self._sync_folder()

    def lines(self) -> Iterator[tuple[int, Head | None]]:
        """Yield the number, from 1, and the head of every line that the file has now; None for a line without one.

        The length is fixed by the first `next`: what is appended later is not read.

        :raises Unavailable: when the file cannot be read.
        """
        with self._explained("read"), self.path.open("rb") as file:
            left = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield 0, None
            for number, line in enumerate(file, start=1):
                left -= len(line)
                if left < 0:
                    return
                if line.endswith(b"\n"):  # the rest of a line is still to come
                    yield number, head_of(line)

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise Unavailable(f"the published heads {self.path} cannot be {verb}: {error.strerror}") from error

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # without it a new file's name may not survive a power cut
        finally:
            os.close(folder)


def refuse_lost(database: Database) -> None:
    """Refuse to begin a new log where heads of an older one are published: its database was lost, not never there.

    :raises Unavailable: when the database is missing or empty and its heads are not.
    """
    heads = database.heads
    if heads is None or not heads.exists() or not database.is_empty():
        return
    last = HeadsFile(heads).last()[0]
    if last is not None:
        how = "gone" if database.path is not None and not database.exists() else "empty"
        raise Unavailable(
            f"{database.name} is {how}, but {heads} speaks of a log of {last.size} entries; put the database back from "
            f"its backup, or move that file away to begin anew"
        )
