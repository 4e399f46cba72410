"""Notice at once that somebody wrote to the database, also another process."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from governance.errors import Unavailable

Stamp = tuple[object, ...]
"""What tells one state of a database from another; the first two tell which database it is."""


class Watching(Protocol):
    """What tells whether others have committed; used by one thread."""

    def stamp(self) -> Stamp | None:
        """Return what tells this state from another; None where nothing can be noticed.

        :raises Unavailable: when the database cannot be read.
        """

    def close(self) -> None:
        """Let go of it."""


class Watch:
    """A connection of its own that asks whether others have committed; used by one thread.

    SQLite counts, for each connection, the commits of the others. Source: https://sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, path: Path | None) -> None:
        """Watch a file; of a database in memory (None) nothing can be noticed, so that it always counts as changed."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._last: Stamp | None = None

    def stamp(self) -> Stamp | None:
        """Return what tells this state of the file from another: its device, its number, and SQLite's count.

        :raises Unavailable: when the file is gone or cannot be read.
        """
        if self._path is None:
            return None
        try:
            found = self._path.stat()
            if self._last is None or self._last[:2] != (found.st_dev, found.st_ino):
                self.close()  # another file has taken its place
            self._last = (found.st_dev, found.st_ino, self._count(self._path))
        except (OSError, sqlite3.Error) as error:
            self.close()
            raise Unavailable(f"the database {self._path} cannot be watched: {error}") from error
        return self._last

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = self._last = None

    def _count(self, path: Path) -> int:
        if self._connection is None:
            location = f"file:{quote(os.fspath(path.absolute()))}?mode=ro"
            self._connection = sqlite3.connect(location, uri=True, timeout=0, check_same_thread=False)
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])
