"""The demo goes on: the world and the engine at the pace of the clock on the wall, from a day of December 2013."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from governance.demo.flights import World
from governance.demo.story import Replay
from governance.engine.loop import StepReport, step
from governance.engine.parts import Engine

FROM: Final = datetime(2013, 12, 12, 19, tzinfo=UTC)
"""Two in the afternoon in New York, the day after flight-delay has gone wrong badly."""
_EVERY: Final = timedelta(minutes=1)


class LiveClock:
    """A clock that stood at an instant when it was made, and goes on from there."""

    def __init__(self, at: datetime, elapsed: Callable[[], float] = time.monotonic) -> None:
        """Begin at an instant; `elapsed` gives seconds that only grow."""
        self._at, self._elapsed, self._began = at, elapsed, elapsed()

    def now(self) -> datetime:
        """Return the instant it has come to."""
        return self._at + timedelta(seconds=self._elapsed() - self._began)


class Live:
    """The last days of a replay, lived through in real time."""

    def __init__(self, replay: Replay) -> None:
        """Go on where the replay stopped."""
        self._world: World = replay.world
        self._written = replay.clock.now()
        organisation = replay.engine.organisation
        cycle = organisation.cycle.model_copy(update={"every": _EVERY, "catch_up": _EVERY})
        self.engine: Engine = replace(
            replay.engine,
            clock=LiveClock(self._written),
            organisation=organisation.model_copy(update={"cycle": cycle}),
        )

    def beat(self) -> StepReport:
        """Let the services write what they served meanwhile, then do all that is due."""
        now = self.engine.clock.now()
        if now - self._written >= _EVERY:
            self._world.write(self._written, now)
            self._written = now
        return step(self.engine, now)
