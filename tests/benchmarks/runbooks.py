"""Let 10,000 runs wait: how long a look at what is due takes beside them, what memory they cost, how fast runs go on.

Seconds are of the processor, beside the time of a fixed piece of Python on the same machine.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from runs.site import START, Site, runbook, site

from governance.core.run import Run, Visit
from governance.engine.running.driving import drive
from governance.store import runs
from governance.store.database import Database

WAITING, DUE = 10_000, 100
STORY = runbook(
    {"step": "consent", "approve": {"people": 2}, "timeout": "30d"},
    {"step": "act", "act": "x.do", "with": {"name": "{card.model}", "version": "{card.versions.rollback_to}"}},
    *({"step": f"then-{n}", "instruct": "Look at {card.model}, and say what you see."} for n in range(10)),
)


def unit() -> float:
    """Return the seconds that a million additions take here."""
    return spent(lambda: sum(n for n in range(1_000_000)))


def spent(act: Callable[[], object]) -> float:
    """Return the seconds of the processor that something takes."""
    started = time.process_time()
    act()
    return time.process_time() - started


def fill(here: Site, count: int) -> None:
    """Store runs that wait for consent, each for a model of its own."""
    document = STORY.document
    first = Run(
        "RUN-0", document, "m", {"model": "m"}, {}, "ana", START, "b", state="waiting",
        visits=(Visit("consent", 1, "waiting", START, attempts=1, deadline=START + timedelta(days=30)),),
        next_at=START + timedelta(days=30),
    )  # fmt: skip
    for begins in range(0, count, 500):
        with here.engine.database.transaction() as connection:
            made = (
                replace(first, id=f"RUN-{n + 1}", model=f"m{n}", card={"model": f"m{n}", "owners": {"team": "t"}})
                for n in range(begins, min(begins + 500, count))
            )
            runs.save(connection, *made)


def resident() -> float:
    """Return the most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measured(waiting: int, folder: Path) -> tuple[float, float, float, float, int]:
    """Return the seconds of a look at nothing, of a claim of one and of a run that goes on; MB and threads."""
    database = Database(f"sqlite:///{folder}/runs-{waiting}.db")
    database.create_tables()
    here = site(runbook({"step": "rest", "wait": "1m"}, {"step": "act", "act": "x.do"}), database=database)
    fill(here, waiting)
    nothing = min(spent(lambda: drive(here.engine, here.now)) for _ in range(20))
    here.begin()
    with database.read() as connection:
        claim = min(spent(lambda: runs.due(connection, here.now, 50)) for _ in range(20))
    with database.transaction() as connection:
        made = runs.listed(connection, model="m")[0]
        number = int(made.id.removeprefix("RUN-"))
        runs.save(connection, *(replace(made, id=f"RUN-{number + n}", version=1) for n in range(1, DUE)))
    here.drive()
    here.now += timedelta(minutes=1)
    goes_on = spent(here.drive) / DUE
    threads, most = threading.active_count(), resident()
    database.close()
    return nothing, claim, goes_on, most, threads


def main() -> None:
    """Print the table."""
    add = min(unit() for _ in range(3))
    print(f"\nruns that wait for consent; a million additions take {add * 1000:.0f} ms here")
    heads = f"{'waiting':<10}{'a look':>10}{'÷ adds':>9}{'a claim':>11}{'a wait, an act, the end':>26}"
    print(f"{heads}{'memory':>10}{'threads':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for waiting in (0, WAITING):
            nothing, claim, goes_on, most, threads = measured(waiting, Path(folder))
            shown = f"{nothing * 1000:>7.2f} ms{nothing / add:>9.3f}{claim * 1000:>8.2f} ms{goes_on * 1000:>23.1f} ms"
            print(f"{waiting:<10}{shown}{most:>7.0f} MB{threads:>9}")


if __name__ == "__main__":
    main()
