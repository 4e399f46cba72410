"""Time people's acts, from a thread and from another process, while a cycle writes as much as it can."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from fleet import Synthetic, Timed, engine_of

from governance.core.compiled import EvaluationPlan
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.engine import operations
from governance.engine.cycle import run_cycle
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.scheduler import short_pauses

PAUSE = 0.02  # seconds between two acts of one person
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Acts:
    """Seconds: the whole of each act until its sealed receipt, and each wait for the write lock in it.

    An act waits for the lock twice: to be written, and to be sealed.
    """

    whole: list[float]
    waits: list[float]

    def line(self, name: str) -> str:
        """Return one row of the table."""
        if not self.whole:
            return f"{name:<34}  no act fell into the cycle"
        figures = (f(seconds) * 1000 for seconds in (self.waits, self.whole) for f in (statistics.median, p99, max))
        return f"{name:<34}{len(self.whole):>6}" + "".join(f"{each:>12.0f} ms" for each in figures)


def p99(seconds: list[float]) -> float:
    """Return the 99th percentile, by nearest rank."""
    return sorted(seconds)[-(len(seconds) // 100) - 1]


def acknowledged(engine: Engine, numbers: range, at: datetime, stopped: Callable[[], bool]) -> list[float]:
    """Take one incident after the other until stopped; return the seconds of each act."""
    seconds = []
    for number in numbers:
        if stopped():
            break
        started = time.perf_counter()
        operations.acknowledge(engine, number, actor="ana", at=at)
        seconds.append(time.perf_counter() - started)
        time.sleep(PAUSE)
    return seconds


def measured(plan: EvaluationPlan, models: int, folder: Path, start: datetime) -> list[str]:
    """Return the rows of the table: acts while a cycle writes, then while a beat catches up, tells and writes."""
    source, database = Synthetic(models), Timed(f"sqlite:///{folder}/acts.db")
    organisation = Organisation.model_validate({"cycle": {"every": "5m"}})
    engine = replace(engine_of(plan, source, database), organisation=organisation)
    source.failing = 0.4
    first = int(models * source.failing)
    run_cycle(engine, start)
    run_cycle(engine, start + timedelta(minutes=12))  # the first incidents, which people take later
    source.failing = 1.0
    run_cycle(engine, start + timedelta(minutes=13))
    at = start + timedelta(minutes=25)
    rows = _beside(lambda: run_cycle(engine, at), "all fire", database, range(1, first // 2), at)
    source.failing = 0.7
    run_cycle(engine, at + timedelta(minutes=1))  # what clears is told as late when it fires once more
    source.failing = 1.0
    later = at + timedelta(minutes=20)
    return rows + _beside(lambda: step(engine, later), "a beat catches up", database, range(first // 2, first), later)


def _beside(work: Callable[[], object], name: str, database: Timed, numbers: range, at: datetime) -> list[str]:
    """Work while one half of the incidents is taken in a thread, the other in another process."""
    assert database.path is not None
    stop = database.path.with_name(f"{name}.stop")
    engine = engine_of(evaluation_plan([], []), Synthetic(0), database)
    half = (numbers.start + numbers.stop) // 2
    taken: list[float] = []
    thread = threading.Thread(
        target=lambda: taken.extend(acknowledged(engine, range(numbers.start, half), at, stop.exists)), name=PERSON
    )
    command = [sys.executable, __file__, str(database.path), str(half), str(numbers.stop), at.isoformat(), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()  # it has started
        database.lasted.clear()
        database.waited.clear()
        thread.start()
        with short_pauses():
            work()
        stop.touch()
        thread.join()
        said = json.loads(other.stdout.readline())
    longest = max(database.lasted[threading.main_thread().name])
    return [
        Acts(taken, database.waited[PERSON]).line(f"{name}: a thread"),
        Acts(**said).line(f"{name}: another process"),
        f"{name}: the engine's longest transaction took {longest * 1000:.0f} ms",
    ]


def main() -> None:
    """Be the other process: say that it started, act until stopped, then say how long it took."""
    path, first, last, at, stop = sys.argv[1:]
    database = Timed(f"sqlite:///{path}")
    engine = engine_of(evaluation_plan([], []), Synthetic(0), database)
    database.waited.clear()
    print("started", flush=True)
    whole = acknowledged(engine, range(int(first), int(last)), datetime.fromisoformat(at), Path(stop).exists)
    print(json.dumps({"whole": whole, "waits": database.waited["MainThread"]}))


if __name__ == "__main__":
    main()
