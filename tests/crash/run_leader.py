"""Leads the runs of a database until one is over: `python -m crash.run_leader URL HOME ADDRESS STEPS`.

Who is taken over ends with 4.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

from crash.run_scene import RUN, START, engine, steps

from governance.engine.running import starting
from governance.engine.running.driving import drive
from governance.errors import Fenced
from governance.store import lease, runs
from governance.store.database import Database

TTL = timedelta(seconds=0.5)
"""So short that who is frozen is soon taken over."""


def main(url: str, home: str, address: str, names: str) -> int:
    """Take the lease as soon as it is free, and drive the run; the first one starts it."""
    database = Database(url, home=Path(home))
    wanted = [each for each in steps(address) if each["step"] in names.split(",")]
    here = engine(database, address, *wanted)
    while (held := lease.take(database, f"pid {os.getpid()}", TTL)) is None:
        time.sleep(0.05)
    print(f"epoch {held.epoch}", flush=True)
    try:
        with database.lead(held):
            if held.epoch == 1:
                starting.start(here, "r", "m", actor="ana", because="it drifts", at=START)
            drive(here, START)
    except Fenced as error:
        print(error, flush=True)
        return error.exit_code
    with database.read() as connection:
        print(runs.get(connection, RUN).state, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
