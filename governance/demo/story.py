"""Replay a year of real departures through the engine and tell what happens."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from governance import bootstrap
from governance.core.incident import Incident
from governance.demo.flights import END, START, World
from governance.engine.adoption import adopt
from governance.engine.cycle import run_cycle
from governance.engine.dispatch import dispatch
from governance.engine.evidence import record
from governance.engine.parts import Engine
from governance.errors import Conflict
from governance.policies import shipped
from governance.scheduler import Ticker, short_pauses
from governance.settings import Settings
from governance.store import incidents

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LAST_DAYS = END - 2 * DAY
FIRST = START + timedelta(hours=13)  # one in the afternoon in New York, when departures are in full swing
_MARKER = ".demo"
_TICK = timedelta(milliseconds=20)


class ReplayClock:
    """A clock that stands still until the replay moves it."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the instant the replay has come to."""
        return self._at

    def move(self, at: datetime) -> None:
        """Move to an instant."""
        self._at = at


@dataclass(slots=True)
class Tally:
    """What the replay has done so far."""

    cycles: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the replay began."""
        return time.monotonic() - self.started


def workspace(directory: Path) -> None:
    """Make a fresh demo directory with policies, as a user would have; refuse one that is not ours.

    :raises Conflict: when the directory holds something else.
    """
    if directory.exists() and any(directory.iterdir()) and not (directory / _MARKER).exists():
        raise Conflict(f"{directory} exists and is no demo directory; choose another with --into")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / _MARKER).touch()
    shutil.copytree(shipped("policies"), directory / "policies")
    (directory / "data").mkdir()


class Replay:
    """The world, the engine and the clock that moves both: daily until the last two days, then hourly."""

    def __init__(self, directory: Path, until: datetime = END) -> None:
        """Make the directory anew; the replay ends at `until`."""
        workspace(directory)
        self.world = World(directory / "data")
        self.clock = ReplayClock(START)
        settings = Settings(home=directory / ".gov", policies=directory / "policies", database="")
        self.engine: Engine = bootstrap.engine(settings, clock=self.clock, base=directory)
        adopt(self.engine, START)
        self._record()
        self.tally = Tally()
        self._next, self._until = FIRST, until

    def step(self) -> bool:
        """Let the world run up to the next instant, then one cycle and its deliveries; False at the end of the year."""
        at = self._next
        self.world.write(self.clock.now(), at)
        self.clock.move(at)
        report = run_cycle(self.engine, at)
        self.tally.cycles += 1
        self.tally.outcomes.update(report.outcomes)
        self.tally.deliveries += len(dispatch(self.engine, at))
        self._next = following(at)
        return self._next <= self._until

    def run(self, limit: timedelta) -> None:
        """Catch up to the last two days as fast as can be, then go on by the ticker; stop when `limit` has passed."""
        seconds = limit.total_seconds()
        with short_pauses():
            while self._next < min(LAST_DAYS, self._until) and self.tally.seconds < seconds:
                self.step()
        if self._next <= self._until and self.tally.seconds < seconds:
            Ticker(self.step, _TICK).run(timedelta(seconds=seconds - self.tally.seconds))

    def _record(self) -> None:
        """Record what was done on the day the models went into service; nobody does anything afterwards."""
        for model, policy in self.engine.plan.by_model.items():
            if policy.policy.card.retraining is not None:
                record(self.engine, model, "trained", actor="ana", now=START, note="January and February")
            for owed in policy.policy.card.review:
                member = self.engine.organisation.teams[owed.by].members[0]
                record(self.engine, model, "reviewed", actor=member, now=START, team=owed.by, regime=owed.regime or "")

    def incidents(self) -> list[Incident]:
        """Return every incident, oldest first."""
        with self.engine.database.read() as connection:
            return incidents.listed(connection)[::-1]


def following(at: datetime) -> datetime:
    """Return the instant of the next cycle."""
    return at + (DAY if at + DAY <= LAST_DAYS else HOUR)
