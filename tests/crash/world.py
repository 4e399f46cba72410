"""A world that a test can change: three rules of a model, sources that fail, notifiers that are down, a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import yaml
from scenarios.story import START
from sqlalchemy import Connection

from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.effect import Effect, Receipt
from governance.core.metric import Answer, Labels, Query, Sample
from governance.core.plan import evaluation_plan
from governance.loader import load_text
from governance.store.database import Database

A, B = (("feature", "a"),), (("feature", "b"),)
SERIES: tuple[tuple[str, Labels], ...] = (("x", A), ("x", B), ("y", ()), ("z", ()))
SOURCE = {"x": "s", "y": "s", "z": "t"}
METRIC = {"high": "x", "low": "y", "gap": "z"}


@dataclass(frozen=True)
class Terms:
    """A rule as it stands: limits by severity (a value above one fails), and how patient it is."""

    limits: tuple[tuple[str, float], ...]
    for_: int = 0
    keep: int = 0
    no_data: str = "keep"

    def document(self, name: str) -> dict[str, Any]:
        """Return the rule as an author would write it."""
        when = {severity: f"metrics.{METRIC[name]} > {limit}" for severity, limit in self.limits}
        patience = {"for": f"{self.for_}m", "keep_firing_for": f"{self.keep}m"}
        given = {key: value for key, value in patience.items() if value != "0m"}
        return {"rule": name, "when": when, "no_data": {"then": self.no_data}, **given}


WARNING, CRITICAL, INFO = ("warning", 0.5), ("critical", 0.8), ("info", 0.5)
POLICY = {
    "high": Terms((WARNING, CRITICAL), for_=20),
    "low": Terms((INFO, CRITICAL), keep=20),
    "gap": Terms((CRITICAL,), no_data="alert"),
}


@cache
def planned(policy: tuple[tuple[str, Terms], ...]) -> EvaluationPlan:
    """Compile a card with these rules."""
    card = {
        "kind": "card",
        "model": "m",
        "owners": {"team": "t"},
        "metrics": {
            "x": {"source": "s", "query": "x", "labels": ["feature"], "min_samples": 10},
            "y": {"source": "s", "query": "y", "min_samples": 10},
            "z": {"source": "t", "query": "z", "min_samples": 10},
        },
        "rules": [terms.document(name) for name, terms in policy],
    }
    loaded, problems = load_text(yaml.safe_dump(card), "m.yaml", {"card": Card})
    assert loaded is not None, problems
    return evaluation_plan([loaded], [])


class World:
    """What the sources would answer: a number, or a word for what is wrong with the data."""

    def __init__(self) -> None:
        self.history: dict[tuple[str, Labels], list[tuple[datetime, float | str]]] = {
            each: [(START - timedelta(days=9), 0.1)] for each in SERIES
        }
        self.down: set[str] = set()

    def change(self, series: tuple[str, Labels], value: float | str, since: datetime) -> None:
        """Give a series another value from now on."""
        self.history[series] = [*(each for each in self.history[series] if each[0] < since), (since, value)]

    def read(self, metric: str, labels: Labels, at: datetime) -> float | str:
        """Return what a rule can see of a series as of an instant."""
        return "down" if SOURCE[metric] in self.down else self.value(metric, labels, at)

    def value(self, metric: str, labels: Labels, at: datetime) -> float | str:
        """Return the value of a series as of an instant."""
        return [value for since, value in self.history[metric, labels] if since <= at][-1]

    def move(self, by: timedelta) -> None:
        """Let the clock of all machines step."""
        self.history = {key: [(since + by, value) for since, value in points] for key, points in self.history.items()}


class Source:
    """Answers from the world."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        return {query: self._answer(query, at) for query in queries}

    def _answer(self, query: Query, at: datetime) -> Answer:
        if self._name in self._world.down:
            return Answer(failure="connection refused")
        samples = []
        for metric, labels in SERIES:
            value = self._world.value(metric, labels, at)
            if metric != query.text or value == "gone":
                continue
            if value == "few":
                samples.append(Sample(0.9, at, labels, count=1))
            elif value == "stale":
                samples.append(Sample(0.9, at - timedelta(days=9), labels, count=1000))
            else:
                number = None if value == "null" else float("nan") if value == "nan" else float(value)
                samples.append(Sample(number, at, labels, count=1000))
        return Answer(tuple(samples))


class Archive(Source):
    """Answers for the past as well."""

    def past(
        self, queries: Sequence[Query], *, start: datetime, end: datetime, step: timedelta
    ) -> Mapping[Query, Answer]:
        """Answer as of start, start + step, … up to end."""
        instants = [start + number * step for number in range((end - start) // step + 1)]
        answers = {query: [self._answer(query, at) for at in instants] for query in queries}
        return {
            query: Answer(tuple(sample for each in found for sample in each.samples), found[0].failure)
            for query, found in answers.items()
        }


class Ears:
    """A notifier that hears, or is down."""

    def __init__(self) -> None:
        self.heard: dict[str, Effect] = {}
        self.down = False

    def perform(self, effect: Effect) -> Receipt:
        """Hear, once per key."""
        if self.down:
            return Receipt(delivered=False, detail="HTTP 503")
        assert self.heard.setdefault(effect.key, effect).message == effect.message
        return Receipt(delivered=True, detail="heard")


class Cut(BaseException):
    """The process dies here."""


class MortalDatabase(Database):
    """Dies at the nth transaction from now: before its commit, or right after it."""

    nth, before = 0, False

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection as the database does."""
        self.nth -= 1
        dies = self.nth == 0
        with super().transaction() as connection:
            yield connection
            if dies and self.before:
                raise Cut
        if dies:
            raise Cut
