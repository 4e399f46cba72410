"""The rows of an all-change cycle, written by SQLite alone: what the machine's disk and library allow."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

TABLES = ("alert", "incident", "effect", "log_entries", "log_nodes")


def seconds(written: Path, folder: Path) -> tuple[int, float]:
    """Copy the rows of the tables in bulk, each table in one statement and all in one transaction.

    Returns the number of rows and the seconds from BEGIN to the end of COMMIT, with the same synchronous=FULL.
    """
    with closing(sqlite3.connect(written)) as source, closing(sqlite3.connect(folder / "peer.db")) as target:
        target.isolation_level = None
        target.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
        rows = {}
        for name in TABLES:
            for (sql,) in source.execute(
                "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type != 'trigger'", [name]
            ):
                if sql:
                    target.execute(sql)
            rows[name] = source.execute(f"SELECT * FROM {name}").fetchall()
        return sum(map(len, rows.values())), _timed(lambda: _fill(target, rows))


def _fill(target: sqlite3.Connection, rows: dict[str, list[tuple[object, ...]]]) -> None:
    target.execute("BEGIN IMMEDIATE")
    for name, each in rows.items():
        target.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(each[0]))})", each)
    target.execute("COMMIT")


def _timed(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
