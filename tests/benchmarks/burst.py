"""Let 500 models fail in one cycle: how many messages people get, and how long it takes until they have them.

Seconds are of the processor, beside the time of a fixed piece of Python on the same machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from quiet.fleet import Fleet

from governance.store.database import Database

MODELS = 500


def unit() -> float:
    """Return the seconds that a million additions take here."""
    started = time.process_time()
    total = 0
    for n in range(1_000_000):
        total += n
    return time.process_time() - started


def measured(upstream: dict[str, tuple[str, ...]], folder: Path) -> tuple[int, int, float]:
    """Return the incidents, the messages, and the seconds of the beat in which all models fail."""
    fleet = Fleet(upstream, database=Database(f"sqlite:///{folder}/burst.db"))
    fleet.look()
    started = time.process_time()
    fleet.look(**dict.fromkeys(upstream, 0.6))
    spent = time.process_time() - started
    found = len(fleet.incidents()), len(fleet.told), spent
    fleet.database.close()
    return found


def main() -> None:
    """Print the table."""
    models = [f"m{n}" for n in range(MODELS)]
    add = min(unit() for _ in range(3))
    print(f"\n{MODELS} models fail in one cycle; a million additions take {add * 1000:.0f} ms here")
    print(f"{'':<34}{'incidents':>10}{'messages':>10}{'beat':>12}{'÷ adds':>9}")
    ways = {
        "all rest on one that fails": {"feed": (), **dict.fromkeys(models, ("feed",))},
        "none rests on another": dict.fromkeys(models, ()),
    }
    for name, upstream in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            incidents, messages, seconds = measured(upstream, Path(folder))
        print(f"{name:<34}{incidents:>10}{messages:>10}{seconds * 1000:>9.0f} ms{seconds / add:>9.1f}")


if __name__ == "__main__":
    main()
