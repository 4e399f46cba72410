"""Plays the run of run_scene, and is killed: `python -m crash.run_worker FOLDER URL ADDRESS KILLS`.

A process that has imported everything forks one life after the other: those of people, who act, and those of the
engine, which goes on where the database says. A life that was killed is followed by another of its kind. KILLS is
`never`, or `SHARE/SHARES`: each life kills itself at the first boundary of that share at which none before it died.
Boundaries are the two sides of every commit, of every act on the world, and of every message.
"""

from __future__ import annotations

import os
import sys
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import httpcore
import httpx
from crash import run_scene
from crash.dying import MortalHook, die, set_clock
from crash.run_scene import BEATS, RUN, START
from sqlalchemy import Connection, event, select

from governance.core.performance import Outcome, Request
from governance.engine.dispatch import dispatch
from governance.engine.parts import Engine
from governance.engine.running import acting
from governance.engine.running.driving import drive
from governance.engine.running.judging import asks_nothing
from governance.errors import Conflict
from governance.ports import System
from governance.store import decision_log, runs, schema
from governance.store.database import Database
from governance.store.log_tables import OUTBOX

IMPORTED = (schema, httpx, httpcore)
"""What the engine imports when it first needs it: here, so that not every life does so anew."""


class Fate:
    """Kills the process at every boundary of its share that no life before it died at; notes them, killing or not."""

    def __init__(self, folder: Path, kills: str) -> None:
        self._met = folder / "met"  # else the next life would die there too, and none would get on
        self._known = set(self._met.read_text(encoding="utf-8").splitlines()) if self._met.exists() else set()
        self._kills = kills
        self.second = 0

    def boundary(self, what: str) -> None:
        """Pass a boundary, or not."""
        name = f"{self.second} {what}"
        if self._kills == "never" or (name not in self._known and falls_to(name, self._kills)):
            with self._met.open("a", encoding="utf-8") as file:
                file.write(f"{name}\n")
            if self._kills != "never":
                die()


def falls_to(boundary: str, kills: str) -> bool:
    """Tell whether a boundary is of a share."""
    share, _, shares = kills.partition("/")
    return zlib.crc32(boundary.encode()) % int(shares) == int(share)


class MortalDatabase(Database):
    """Each transaction has a boundary before its commit and one after."""

    def __init__(self, url: str, home: Path, fate: Fate) -> None:
        super().__init__(url, home=home)
        self._fate = fate
        if self.path is not None:  # who is killed loses nothing that was handed to the system; the disk takes time
            event.listen(self._engine, "connect", lambda made, _: made.execute("PRAGMA synchronous = OFF"))

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection as the database does."""
        with super().transaction() as connection:
            yield connection
            seen = _seen(connection)
            self._fate.boundary(f"before a commit {seen}")
        self._fate.boundary(f"after a commit {seen}")


def _seen(connection: Connection) -> str:
    """Tell commits of one second apart, by what is the same however often somebody was killed before."""
    found = runs.listed(connection, state="all")
    places = [(each.state, here.step, here.undoes, here.state) for each in found if (here := each.here)]
    last = connection.execute(select(OUTBOX.c.kind).order_by(OUTBOX.c.id.desc()).limit(1)).scalar()
    messages = connection.exec_driver_sql("SELECT state FROM effect").scalars().all()
    return f"{places} {last} {messages}"


class MortalSystem:
    """Each act has a boundary before it is asked for and one before its answer is recorded."""

    def __init__(self, system: System, fate: Fate) -> None:
        self._system, self._fate = system, fate
        self.OPERATIONS, self.OUTPUTS, self.REPEATS = system.OPERATIONS, system.OUTPUTS, system.REPEATS

    def perform(self, request: Request) -> Outcome:
        """Act as the system does."""
        self._fate.boundary(f"before {request.key}")
        outcome = self._system.perform(request)
        self._fate.boundary(f"after {request.key}")
        return outcome

    def dry_run(self, request: Request) -> Outcome:
        """Look as the system does."""
        return self._system.dry_run(request)

    def read_back(self, request: Request) -> Outcome | None:
        """Ask as the system does."""
        return self._system.read_back(request)  # type: ignore[attr-defined,no-any-return]


class Scene:
    """The lives of a run, one after the other."""

    def __init__(self, folder: Path, url: str, address: str, kills: str) -> None:
        self._folder, self._url, self._address, self._kills = folder, url, address, kills
        self._mind = run_scene.engine(Database("sqlite://"), address)
        self.killed = 0
        self._second = 0

    def play(self) -> None:
        """Play it all."""
        for beat in BEATS:
            self._second = beat.second
            set_clock(self._folder, beat.second)
            if beat.act is not None:
                self._lived(beat.act)
            self._lived(_look)
            while key := self._of_unknown():
                took_effect = httpx.get(f"{self._address}/bare/{key.replace('/', '%2F')}").status_code == 200
                self._lived(
                    lambda engine, at, it=took_effect: acting.settle(
                        engine, RUN, took_effect=it, actor="bo", at=at, because="I asked the server"
                    )
                )
                self._lived(_look)

    def _of_unknown(self) -> str:
        """Return the key of the act of which nobody knows what became."""
        database = Database(self._url, home=self._folder)
        with database.read() as connection:
            run = runs.get(connection, RUN)
        database.close()  # no life inherits a connection
        asks_nothing(self._mind, run)  # which compiles its expressions, for all lives to come
        return run.here.key if run.state == "unknown" and run.here is not None else ""

    def _lived(self, act: Callable[[Engine, datetime], object]) -> None:
        """Let lives do something until one has."""
        again = False
        while self._born(act, again=again):
            self.killed += 1
            again = True

    def _born(self, act: Callable[[Engine, datetime], object], *, again: bool) -> bool:
        """Let one life do something, and tell whether it was killed."""
        child = os.fork()
        if not child:
            self._live(act, again=again)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
            sys.exit(1)
        return os.WIFSIGNALED(status)

    def _live(self, act: Callable[[Engine, datetime], object], *, again: bool) -> None:
        code = 1
        try:
            at = START + timedelta(seconds=self._second)
            # Who got no answer asks again, and is told that it is done.
            with suppress(*[Conflict] if again else []):
                act(self._engine(at), at)
            code = 0
        except BaseException:  # noqa: BLE001 (a fork must end here, whatever happens)
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)

    def _engine(self, at: datetime) -> Engine:
        fate = Fate(self._folder, self._kills)
        fate.second = self._second
        mind = self._mind
        mind.clock.at = at  # type: ignore[attr-defined]
        return replace(
            mind,
            database=MortalDatabase(self._url, self._folder, fate),
            acts={name: MortalSystem(each, fate) for name, each in mind.acts.items()},
            notifiers={"pager": MortalHook(f"{self._address}/pager", fate)},
        )


def _look(engine: Engine, at: datetime) -> None:
    drive(engine, at)  # in one thread: every boundary is met, and none by chance
    dispatch(engine, at)
    decision_log.seal(engine.database, at)


def main(folder: Path, url: str, address: str, kills: str) -> int:
    """Play the scene, and print how many lives were killed, and what it took of the processor."""
    scene = Scene(folder, url, address, kills)
    scene.play()
    spent = os.times()
    print(scene.killed, round(spent.user + spent.system + spent.children_user + spent.children_system, 1))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:5]))
