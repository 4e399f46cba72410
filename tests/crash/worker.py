"""Plays the scene, and is killed: `python worker.py FOLDER HOOK KILLS`.

A process that has imported everything forks one life after the other, each with a database connection of its own;
a life that was killed is followed by the next, which goes on where the database says. KILLS says who kills:

- `never`: nobody.
- `share:N`: each life kills itself at the first boundary of that share at which none before it died. Boundaries are the
  two sides of every commit, of every message, and of every write to the published heads, and a write cut in half.
- `after:SEED,N`: the first N lives are killed from outside, spread over the scene, each after a random while.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
import traceback
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import httpcore
import httpx
from crash.dying import MortalHook, die, now, set_clock
from crash.scene import BEATS, EDITED, EVERY, START, act, edit, engine, leap, settings
from sqlalchemy import Connection, event

from governance.core.expression import generation, macros
from governance.engine import commit, loop, pushing, recall, retention, roll
from governance.engine.adoption import adopt
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.sources.prediction_log import answers
from governance.store import progress, schema, sequencer
from governance.store.database import Database
from governance.store.heads_file import Head, HeadsFile

IMPORTED = (answers, generation, macros, schema, httpx, httpcore)
"""What the engine imports when it first needs it: here, so that not every life does so anew."""
SHARES = 16
"""Into how many shares the boundaries are divided, so that several cores can play them."""
_SEEN = """
select (select count(*) from log_outbox), (select max(size) from log_heads),
       (select sum(next_at) from effect), (select count(*) from effect), (select sum(at) from progress),
       (select count(*) from sample), (select sum(since) + sum(until) from sample_span),
       (select count(*) + total(missing_since) from instance), (select count(*) from pushed_sample)
"""
LIFE = 0.15  # seconds of which some are given to a life, once it has come as far as it shall


class Fate:
    """Kills the process at every boundary of its share that no life before it died at."""

    def __init__(self, folder: Path, share: int | None) -> None:
        self._met = folder / "met"  # else the next life would die there too, and none would get on
        self._known = set(self._met.read_text(encoding="utf-8").splitlines()) if self._met.exists() else set()
        self._database, self._share, self._index = settings(folder).database_file, share, -1

    def begin(self, index: int) -> None:
        """Begin a cycle, whose boundaries are others than those of the one before."""
        self._index = index

    def comes(self, what: str) -> bool:
        """Tell whether this boundary is the end."""
        if self._share is None:
            return False
        name = f"{self._index} {what} {self._committed()}"
        if name in self._known or zlib.crc32(name.encode()) % SHARES != self._share:
            return False
        with self._met.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        return True

    def boundary(self, what: str) -> None:
        """Pass a boundary, or not."""
        if self.comes(what):
            die()

    def _committed(self) -> str:
        """Tell boundaries of one kind apart by what others can see at them."""
        with closing(sqlite3.connect(self._database)) as connection:
            if connection.execute("select 1 from sqlite_schema where name = 'log_outbox'").fetchone() is None:
                return "no tables"
            return str(connection.execute(_SEEN).fetchone())


class MortalDatabase(Database):
    """Each transaction has a boundary before its commit and one after."""

    def __init__(self, url: str, fate: Fate) -> None:
        super().__init__(url)
        self._fate = fate
        # Who is killed loses nothing that was handed to the system: waiting for the disk would only take time.
        event.listen(self._engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection as the database does."""
        with super().transaction() as connection:
            yield connection
            self._fate.boundary("before a commit")
        self._fate.boundary("after a commit")


def cut_heads(fate: Fate) -> None:
    """Give the published heads a boundary before each write, one within it, and one after."""
    whole = HeadsFile.extend

    def extend(self: HeadsFile, heads: Sequence[Head], torn: bytes = b"") -> None:
        fate.boundary("before the heads")
        if fate.comes("within the heads"):
            lines = b"".join(head.line() for head in heads)
            with self.path.open("ab") as file:
                file.write(lines[len(torn) : len(lines) // 2])
            die()
        whole(self, heads, torn)
        fate.boundary("after the heads")

    HeadsFile.extend = extend  # type: ignore[method-assign]


def hurry() -> None:
    """Let every transaction hold little: else the scene would have few boundaries."""
    whole = commit._next
    commit._next = lambda left, _: whole(left, 1)
    sequencer.BATCH, recall._ROWS, roll._ROWS, retention.ROWS, loop.MOST_LATE = 8, 3, 1, 10, 2
    retention.KEPT = retention.SLACK  # the scene is over before a month is


def reached(folder: Path, child: int, index: int) -> None:
    """Wait until a life has come to a cycle, or has ended."""
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    while now(folder) < index and os.waitid(os.P_PID, child, how) is None:
        time.sleep(0.002)


def live(minds: Sequence[Engine], folder: Path, hook: str, fate: Fate) -> None:
    """Go on from when the life before ended to the end of the scene."""
    database = MortalDatabase(settings(folder).database, fate)
    database.create_tables()
    with database.read() as connection:
        last = progress.last(connection, progress.CYCLE)
    for index in (each for each in BEATS if each >= now(folder)):  # time does not go back when a life ends
        at = START + index * EVERY
        set_clock(folder, index)
        fate.begin(index)
        # The address names the cycle, so that what is refused depends on nothing but the message and the time.
        notifiers = {"hook": MortalHook(f"{hook}/{index}", fate)}
        here = replace(minds[index >= EDITED], database=database, notifiers=notifiers)
        here.sources["given"].read_from("given", pushing.StoredSamples(database))  # type: ignore[attr-defined]
        leap(here, at)
        adopt(here, at)
        if last is None or at > last:
            act(here, index, at)
        step(here, at)
    database.close()


def born(minds: Sequence[Engine], folder: Path, hook: str, share: int | None) -> int:
    """Begin a life in a process of its own and return its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        fate = Fate(folder, share)
        cut_heads(fate)
        live(minds, folder, hook, fate)
        code = 0
    except BaseException:  # noqa: BLE001 (a fork must end here, whatever happens)
        traceback.print_exc()
    sys.stderr.flush()
    os._exit(code)


def main(folder: Path, hook: str, kills: str) -> int:
    """Let one life follow the other until one reaches the end; print how many were killed."""
    how, _, what = kills.partition(":")
    share = int(what) if how == "share" else None
    seed, _, lives = what.partition(",")
    chance, many = random.Random(int(seed or 0)), int(lives or 0)  # noqa: S311 (no secret: the same kills each time)
    before = engine(folder)
    edit(folder)
    minds = (before, engine(folder))
    hurry()
    killed = 0
    while True:
        child = born(minds, folder, hook, share)
        if killed < many:
            reached(folder, child, BEATS[killed * len(BEATS) // many])
            time.sleep(chance.uniform(0, LIFE))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(killed)
            return os.waitstatus_to_exitcode(status)
        killed += 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
