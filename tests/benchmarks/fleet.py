"""A fleet of synthetic models, and a database that says how long its transactions waited and lasted."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from governance.bootstrap import SystemClock
from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.effect import Effect, Receipt
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.engine.parts import Engine
from governance.loader import load
from governance.store.database import Database

RULES = 10


class Synthetic:
    """Answers from memory, so that collecting costs what the engine adds and nothing else."""

    def __init__(self, models: int) -> None:
        self.models = models
        self.failing = 0.0

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer every query; a share of the models is over its limit."""
        over = int(self.models * self.failing)
        return {
            query: Answer((Sample(0.9 if int(query.text.split("-")[1]) < over else 0.1, at, count=1000),))
            for query in queries
        }

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer the same of every instant."""
        instants = [start + number * step for number in range((end - start) // step + 1)]
        answers = [self.sample(queries, at=at) for at in instants]
        return {query: Answer(tuple(one for each in answers for one in each[query].samples)) for query in queries}


class Silent:
    """Accepts every message."""

    def perform(self, effect: Effect) -> Receipt:  # noqa: ARG002 (it listens to nothing)
        """Say nothing."""
        return Receipt(delivered=True)


class Timed(Database):
    """Keeps, for each thread by name, the seconds that its transactions waited for their turn and then lasted."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.waited: dict[str, list[float]] = defaultdict(list)
        self.lasted: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection that holds the write lock."""
        asked, name = time.perf_counter(), threading.current_thread().name
        with super().transaction() as connection:
            given = time.perf_counter()
            yield connection
        self.waited[name].append(given - asked)
        self.lasted[name].append(time.perf_counter() - given)


def card(number: int) -> str:
    """Return one card with ten rules over five metrics."""
    metrics = "".join(f"  x{n}: {{source: s, query: m-{number}-{n}}}\n" for n in range(5))
    rules = "".join(
        f'  - {{rule: r{n}, when: "metrics.x{n % 5} > 0.5 && card.tier <= 3", for: 10m}}\n' for n in range(RULES)
    )
    return f"kind: card\nmodel: m-{number}\nowners: {{team: t}}\nmetrics:\n{metrics}rules:\n{rules}"


def plan_of(models: int, folder: Path) -> tuple[EvaluationPlan, float, float]:
    """Write and load the cards; return the plan, and the seconds that loading and compiling took."""
    policies = folder / "policies"
    policies.mkdir()
    for number in range(models):
        (policies / f"m{number}.yaml").write_text(card(number), encoding="utf-8")
    started = time.perf_counter()
    loaded = load([policies], {"card": Card})
    read = time.perf_counter()
    plan = evaluation_plan(list(loaded.loaded), [])
    compiled = time.perf_counter()
    assert not loaded.problems, loaded.problems[0].render()
    assert not plan.problems, plan.problems[0].render()
    return plan, read - started, compiled - read


def engine_of(plan: EvaluationPlan, source: Synthetic, database: Database) -> Engine:
    """Return an engine on the database, whose tables it creates."""
    database.create_tables()
    return Engine(plan, Organisation(), {"s": source}, {"n": Silent()}, database, SystemClock())
