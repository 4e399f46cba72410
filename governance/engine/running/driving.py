"""Drive every run that is due as far as it goes: each move is one transaction, and no act is done within one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from governance.core import run_steps
from governance.core.performance import Outcome
from governance.core.run import Run
from governance.core.run_change import RunChange, here_of, step_of
from governance.core.run_steps import Judgement
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.running import own_acts
from governance.engine.running.judging import Seen, asks_nothing, judge, seen
from governance.engine.running.notices import notified
from governance.engine.running.performing import on_itself, perform, recover, repeats, request_of
from governance.engine.running.writing import write
from governance.errors import Conflict, GovernanceError, Unavailable
from governance.store import decision_log, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection

CLAIMED = 50
"""How many runs are read at once."""
MOST_LEFT = 500
"""How many runs a look passes over, as all hands are full, before it leaves the others to the next one."""
SILENT = "it has not answered within a minute"


def drive(engine: Engine, now: datetime) -> int:
    """Do all that is due at `now`, and return how many moves that were; what runs beside is told of at a later call.

    A run that breaks stops, and the others go on.

    :raises Unavailable: when the database cannot be read or written now; nothing is lost. Also, once, for runs that
        cannot be read; these are left alone.
    """
    with engine.runner.alone() as first:
        if not first:  # whoever drives just now does it
            return 0
        driver = Driver(engine, now)
        with engine.database.giving_way():
            driver.drive()
            damaged = driver.set_aside()
    if driver.moves:
        decision_log.seal(engine.database, now)
    if damaged:
        raise Unavailable(f"{', '.join(damaged)} cannot be read, and the engine leaves it alone; restore a backup")
    return driver.moves


class Driver:
    """One look at all runs that are due."""

    def __init__(self, engine: Engine, now: datetime) -> None:
        self._engine, self._now = engine, now
        self._left: set[str] = set()
        self._damaged: list[str] = []
        self.moves = 0

    def drive(self) -> None:
        """Move every run that is due until none is, but for those that wait for something under way."""
        runner = self._engine.runner
        self.moves += runner.tell()
        while len(self._left) < MOST_LEFT and (found := self._claimed()):
            for each in found:
                self._safely(each, partial(self._move, each))
            self.moves += runner.tell()

    def set_aside(self) -> list[str]:
        """Leave alone what could not be read, record it, and return which runs that are."""
        if self._damaged:
            with self._engine.database.transaction() as connection:
                runs.set_aside(connection, self._damaged)
                decision_log.append(connection, [entries.of_damaged_run(each, self._at) for each in self._damaged])
            self.moves += 1
        return self._damaged

    def _claimed(self) -> list[Run]:
        without = [*self._left, *self._damaged, *self._engine.runner.busy()]
        with self._engine.database.read() as connection:
            return runs.due(connection, self._now, CLAIMED, without=without, damaged=self._damaged)

    def _safely(self, run: Run, act: Callable[[], None]) -> None:
        """Do something for a run; what nobody foresaw stops it alone."""
        try:
            act()
        except Unavailable:
            raise
        except Conflict:
            self._left.add(run.id)  # somebody was first; it is read again at the next look
        except Exception as error:  # noqa: BLE001 (one run must not stop the others, now and at every look)
            said = str(error) if isinstance(error, GovernanceError) else f"{type(error).__name__}: {error}"
            self._left.add(run.id)
            with suppress(Conflict):
                self._write(run.id, lambda found: run_steps.broken(found, said.splitlines()[0], self._at))

    def _move(self, run: Run) -> None:
        """Make the next move of a run."""
        match run_steps.wanted(run, self._now):
            case "enter":
                self._see(run, partial(seen, self._engine, run, self._now), partial(self._enter, run))
            case "judge":
                self._see(run, partial(judge, self._engine, run, self._now), partial(self._judge, run))
            case "time_out":
                self._commit(run_steps.timed_out(run, self._now))
            case "try":
                self._tried(run)
            case "perform":
                self._perform(run, ours=False)  # it was under way when its process died
            case None:
                self._left.add(run.id)

    def _see(self, run: Run, work: Callable[[], object], act: Callable[[object], None]) -> None:
        """Find out what a move needs to know: here, or beside where sources have to be asked."""
        runner = self._engine.runner
        if not runner.beside or asks_nothing(self._engine, run):
            act(work())
        elif runner.has_room():
            told = partial(self._told, run, act)
            runner.start(run.id, partial(_caught, work), told, lambda: None)  # who is silent is asked anew
        else:
            self._left.add(run.id)

    def _told(self, run: Run, act: Callable[[object], None], found: object) -> None:
        if isinstance(found, Unavailable):
            return  # the database was away while it looked; it looks again
        self._safely(run, partial(_raised, found) if isinstance(found, Exception) else partial(act, found))

    def _enter(self, run: Run, found: object) -> None:
        assert isinstance(found, Seen)  # noqa: S101
        if (here_of(run).undoes or step_of(run).kind == "act") and not self._engine.runner.has_room():
            self._left.add(run.id)  # what is committed as under way must be
            return
        change = run_steps.entered(run, found.facts, self._at)
        with self._engine.database.transaction() as connection:
            if found.notice is not None and run.mode == "live" and not found.facts.trouble:
                change = self._notified(connection, run, found, change)
            after = self._saved(connection, change)
        self._under_way(after)

    def _notified(self, connection: Connection, run: Run, found: Seen, change: RunChange) -> RunChange:
        """Tell what a step tells, in its own transaction; where nobody can be told the step has failed."""
        assert found.notice is not None  # noqa: S101
        here = here_of(run)
        key = f"{run.id}/{here.step}/{here.number}"
        notice = found.notice
        outcome = notified(
            connection, self._engine, run, key, notice.message, self._at,
            channel=notice.channel or "", notifier=notice.notifier or "",
        )  # fmt: skip
        if outcome.state == "done":
            return change
        return run_steps.entered(run, replace(found.facts, trouble=outcome.detail), self._at)

    def _judge(self, run: Run, found: object) -> None:
        assert isinstance(found, Judgement)  # noqa: S101
        self._commit(run_steps.judged(run, found, self._at))

    def _tried(self, run: Run) -> None:
        if self._engine.runner.has_room():
            self._under_way(self._commit(run_steps.tried(run, self._at)))
        else:
            self._left.add(run.id)

    def _under_way(self, run: Run) -> None:
        """Do at once what was committed as under way."""
        if run.is_open and here_of(run).state == "acting":
            self._perform(run, ours=True)

    def _perform(self, run: Run, *, ours: bool) -> None:
        runner = self._engine.runner
        if on_itself(run):
            self._on_itself(run)
        elif runner.has_room():
            work = partial(_caught, partial(perform if ours else recover, self._engine, run, self._at))
            told = partial(self._told, run, partial(self._performed, run))
            runner.start(run.id, work, told, partial(told, Outcome("unknown", SILENT)))
        else:
            self._left.add(run.id)

    def _performed(self, run: Run, found: object) -> None:
        """Record the outcome of an act, whatever people did to its run meanwhile."""
        assert isinstance(found, Outcome)  # noqa: S101
        again = repeats(self._engine, run)

        def change(now: Run) -> RunChange:
            if here_of(now).key != here_of(run).key:
                raise Conflict(f"the act {here_of(run).key} is not under way any more")
            return run_steps.performed(now, found, self._at, repeats=again)

        self._write(run.id, change)

    def _on_itself(self, run: Run) -> None:
        """Change the engine itself in the very transaction that records it, and so exactly once."""
        act = own_acts.dry_run if run.mode == "dry_run" else own_acts.perform
        try:
            with self._engine.database.transaction() as connection:
                outcome = act(connection, self._engine, run, request_of(run, self._at))
                self._saved(connection, run_steps.performed(run, outcome, self._at))
        except (Conflict, Unavailable):
            raise
        except Exception as error:  # noqa: BLE001 (whatever nobody foresaw: nothing of it was done)
            said = f"{type(error).__name__}: {error}".splitlines()[0]
            self._performed(run, Outcome("failed", said, again=False))

    def _commit(self, change: RunChange) -> Run:
        with self._engine.database.transaction() as connection:
            return self._saved(connection, change)

    def _write(self, run: str, change: Callable[[Run], RunChange]) -> None:
        with self._engine.database.transaction() as connection:
            self._saved(connection, change(runs.get(connection, run)))

    def _saved(self, connection: Connection, change: RunChange) -> Run:
        write(connection, self._engine, change, self._at)
        self.moves += 1
        return replace(change.run, version=change.run.version + 1)

    @property
    def _at(self) -> datetime:
        """Return the time of what is told: later than the look where it was done beside."""
        return self._engine.clock.now() if self._engine.runner.beside else self._now


def _caught(work: Callable[[], object]) -> object:
    """Work, and return what went wrong as what came of it."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (it is raised again where the run is)
        return error


def _raised(error: Exception) -> None:
    raise error
