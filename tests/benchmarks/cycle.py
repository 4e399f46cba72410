"""Time one cycle over 1,000 models × 10 rules, and how long people wait while everything changes.

Absolute times vary with the machine: each is printed beside the time of a fixed piece of Python on the same machine,
and writing beside SQLite alone with the same rows.
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import acts
import peer
from fleet import RULES, Synthetic, engine_of, plan_of

from governance.core.compiled import EvaluationPlan
from governance.engine.cycle import CycleReport, run_cycle
from governance.store.database import Database

MODELS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
START = datetime(2026, 1, 5, tzinfo=UTC)
CYCLES = [  # the name, the share of models that are over their limits, the minutes since the start
    ("first, nothing wrong", 0.0, 0),
    ("nothing wrong", 0.0, 1),
    ("1 % of models begin to fail", 0.01, 2),
    ("the same, still pending", 0.01, 3),
    ("they fire", 0.01, 13),
    ("all models begin to fail", 1.0, 14),
    ("all fire", 1.0, 25),
]


def yardstick() -> float:
    """Return the seconds that a million additions take here."""
    started = time.perf_counter()
    total = 0
    for n in range(1_000_000):
        total += n
    return time.perf_counter() - started


def line(name: str, report: CycleReport, unit: float) -> str:
    """Return one row of the table."""
    parts = (report.collect_seconds, report.evaluate_seconds, report.commit_seconds)
    cells = "".join(f"{each * 1000:>9.0f} ms" for each in (*parts, sum(parts)))
    return f"{name:<34}{cells}{sum(parts) / unit:>9.1f}"


def cycles(plan: EvaluationPlan, folder: Path, unit: float) -> None:
    """Print what each cycle took, and what SQLite alone takes for the rows of them all."""
    source, database = Synthetic(MODELS), Database(f"sqlite:///{folder}/cycles.db")
    engine = engine_of(plan, source, database)
    print(f"{'cycle':<34}{'collect':>12}{'evaluate':>12}{'commit':>12}{'whole':>12}{'÷ adds':>9}")
    writing = 0.0
    for name, source.failing, minutes in CYCLES:
        report = run_cycle(engine, START + timedelta(minutes=minutes))
        writing += report.commit_seconds
        print(line(name, report, unit))
    assert database.path is not None
    database.close()
    rows, alone = peer.seconds(database.path, folder)
    print(f"\nSQLite alone writes the {rows:,} rows of these cycles in {alone * 1000:.0f} ms: commit took", end=" ")
    print(f"{writing * 1000:.0f} ms, {writing / alone:.1f} times that")


def main() -> None:
    """Print the tables."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plan, load, compiled = plan_of(MODELS, folder)
        unit = min(yardstick() for _ in range(3))
        print(f"{MODELS} models × {RULES} rules, {len(plan.queries)} queries")
        print(f"load {load:.2f} s, check and compile {compiled:.2f} s")
        print(f"a million additions take {unit * 1000:.0f} ms here\n")
        cycles(plan, folder, unit)
        rows = acts.measured(plan, MODELS, folder, START)
        heads = "".join(f"{each:>15}" for each in ("median wait", "99 %", "longest", "median act", "99 %", "longest"))
        print(f"\n{'acts while':<34}{'acts':>6}{heads}")
        print("\n".join(rows))


if __name__ == "__main__":
    main()
