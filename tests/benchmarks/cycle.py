"""Time one cycle over 1,000 models × 10 rules, split into collect, evaluate and commit.

Absolute times vary with the machine: each is printed beside the time of a fixed piece of Python on the same machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from governance.bootstrap import SystemClock
from governance.core.card import Card
from governance.core.effect import Effect, Receipt
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.engine.cycle import CycleReport, run_cycle
from governance.engine.parts import Engine
from governance.loader import load
from governance.store.database import Database

MODELS = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
RULES = 10
START = datetime(2026, 1, 5, tzinfo=UTC)


class Synthetic:
    """Answers from memory, so that collecting costs what the engine adds and nothing else."""

    def __init__(self) -> None:
        self.failing = 0.0

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query; a share of the models is over its limit."""
        over = int(MODELS * self.failing)
        return {
            query: Answer((Sample(0.9 if int(query.text.split("-")[1]) < over else 0.1, at, count=1000),))
            for query in queries
        }


class Silent:
    """Accepts every message."""

    def perform(self, effect: Effect) -> Receipt:  # noqa: ARG002
        """Say nothing."""
        return Receipt(delivered=True)


def card(number: int) -> str:
    """Return one card with ten rules over five metrics."""
    metrics = "".join(f"  x{n}: {{source: s, query: m-{number}-{n}}}\n" for n in range(5))
    rules = "".join(
        f'  - {{rule: r{n}, when: "metrics.x{n % 5} > 0.5 && card.tier <= 3", for: 10m}}\n' for n in range(RULES)
    )
    return f"kind: card\nmodel: m-{number}\nowners: {{team: t}}\nmetrics:\n{metrics}rules:\n{rules}"


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


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        policies = Path(folder) / "policies"
        policies.mkdir()
        for number in range(MODELS):
            (policies / f"m{number}.yaml").write_text(card(number), encoding="utf-8")
        started = time.perf_counter()
        loaded = load([policies], {"card": Card})
        read = time.perf_counter()
        plan = evaluation_plan(list(loaded.loaded), [])
        compiled = time.perf_counter()
        assert not loaded.problems, loaded.problems[0].render()
        assert not plan.problems, plan.problems[0].render()
        source = Synthetic()
        database = Database(f"sqlite:///{folder}/bench.db")
        database.create_tables()
        engine = Engine(plan, Organisation(), {"s": source}, {"n": Silent()}, database, SystemClock())
        unit = yardstick()
        print(f"{MODELS} models × {RULES} rules, {len(plan.queries)} queries")
        print(f"load {read - started:.2f} s, check and compile {compiled - read:.2f} s")
        print(f"a million additions take {unit * 1000:.0f} ms here\n")
        print(f"{'cycle':<34}{'collect':>12}{'evaluate':>12}{'commit':>12}{'whole':>12}{'÷ adds':>9}")
        print(line("first, nothing wrong", run_cycle(engine, START), unit))
        print(line("nothing wrong", run_cycle(engine, START + timedelta(minutes=1)), unit))
        source.failing = 0.01
        print(line("1 % of models begin to fail", run_cycle(engine, START + timedelta(minutes=2)), unit))
        print(line("the same, still pending", run_cycle(engine, START + timedelta(minutes=3)), unit))
        print(line("they fire: 10 incidents", run_cycle(engine, START + timedelta(minutes=13)), unit))
        source.failing = 1.0
        print(line("all models begin to fail", run_cycle(engine, START + timedelta(minutes=14)), unit))
        print(line("all fire: 990 incidents", run_cycle(engine, START + timedelta(minutes=25)), unit))


if __name__ == "__main__":
    main()
