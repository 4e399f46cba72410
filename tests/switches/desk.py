"""An engine with a few models, people with roles, and a pager, for everything that is done with kill switches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Any

import yaml
from scenarios.story import START, Collector, FixedClock

from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.decision import Entry
from governance.core.incident import Incident
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.core.switch import Switch
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.loader import load_text
from governance.store import decision_log, incidents, switches
from governance.store.database import Database

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ORGANISATION: dict[str, Any] = {
    "people": {name: {} for name in ("ana", "bo", "cy", "dee", "eve", "flo")},
    "teams": {"risk": {"members": ["cy", "dee"], "leads": ["dee"]}, "ops": {"members": ["ana", "bo"]}},
    "roles": [
        {"role": "responder", "who": ["ops", "flo"]},
        {"role": "approver", "who": ["flo"]},
        {"role": "viewer", "who": ["eve"]},
    ],
    "sources": {"s": {"kind": "push"}},
}


class World:
    """What the source answers: for each metric a value, or None when it has no data; `age` makes it old."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.age = timedelta(0)
        self.down = False

    def sample(self, queries: Sequence[Query], *, at: Any) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        if self.down:
            return {query: Answer(failure="connection refused") for query in queries}
        return {query: self._answer(query.text, at) for query in queries}

    def _answer(self, name: str, at: Any) -> Answer:
        value = self.values.get(name, 0.0)
        return Answer(() if value is None else (Sample(value, at - self.age, (), count=1000),))


class Remembering(World):
    """A source that can answer for the past: every metric is 0.9 between two instants, and 0 otherwise."""

    between = (START, START)

    def _answer(self, name: str, at: Any) -> Answer:  # noqa: ARG002
        first, last = self.between
        return Answer((Sample(0.9 if first <= at < last else 0.0, at, (), count=1000),))

    def past(self, queries: Sequence[Query], *, start: Any, end: Any, step: timedelta) -> Mapping[Query, Answer]:
        """Answer as of start, start + step, … up to end."""
        instants = [start + number * step for number in range((end - start) // step + 1)]
        return {
            each: Answer(tuple(one for at in instants for one in self._answer(each.text, at).samples))
            for each in queries
        }


def card(model: str, **more: Any) -> dict[str, Any]:
    """Return a card with one rule on one metric, `<model>-errors` above 0.5."""
    return {
        "kind": "card",
        "model": model,
        "owners": {"team": "ops"},
        "versions": {"serving": "7", "fallback": "schedule", "rollback_to": "6"},
        "metrics": {"errors": {"source": "s", "query": f"{model}-errors"}},
        "rules": [{"rule": "errors", "when": "metrics.errors > 0.5", "severity": "critical"}],
        **more,
    }


CARDS = (
    card("credit", tier=1, rollback={"authority": ["risk"]}),
    card("delay", tier=2),
    card("spam", tier=3, rollback={"authority": ["risk-leads"]}),
)


def planned(cards: Sequence[dict[str, Any]]) -> EvaluationPlan:
    """Compile cards, the same ones once."""
    return _compiled(json.dumps(cards))


@cache
def _compiled(cards: str) -> EvaluationPlan:
    loaded = []
    for each in json.loads(cards):
        found, problems = load_text(yaml.safe_dump(each), f"{each['model']}.yaml", {"card": Card})
        assert found is not None, [problem.render() for problem in problems]
        loaded.append(found)
    plan = evaluation_plan(loaded, [])
    assert not plan.problems, [each.render() for each in plan.problems]
    return plan


@dataclass
class Desk:
    """The engine and what was told; `now` is the clock."""

    engine: Engine
    world: World
    pager: Collector
    now: Any = START

    def later(self, by: timedelta = MINUTE, *, looks: bool = True) -> None:
        """Let time pass; then the engine looks."""
        self.now += by
        if looks:
            step(self.engine, self.now)

    def replan(self, *cards: dict[str, Any], **organisation: Any) -> None:
        """Let the engine start anew with other policies."""
        said = Organisation.model_validate({**ORGANISATION, **organisation})
        self.engine = replace(self.engine, plan=planned(cards or CARDS), organisation=said)

    def switch(self, model: str) -> Switch:
        """Return a switch as stored."""
        with self.engine.database.read() as connection:
            return switches.get(connection, model)

    def kinds(self, prefix: str = "switch") -> list[str]:
        """Return the kinds of the sealed entries."""
        return [each.decision.kind for each in self.entries(prefix)]

    def entries(self, prefix: str = "switch") -> list[Entry]:
        """Return the sealed entries of a kind, and those below it."""
        return decision_log.tail(self.engine.database, 10_000, kind=prefix)

    def incidents(self, status: str = "open") -> list[Incident]:
        """Return incidents, newest first."""
        with self.engine.database.read() as connection:
            return incidents.listed(connection, status=status)

    def told(self) -> list[str]:
        """Return what the pager heard: severity, reason and sentence."""
        return [f"{each.message.severity} {each.message.reason}: {each.message.title}" for each in self.pager.effects]

    def verify(self) -> None:
        """Check the whole log."""
        checked = decision_log.verify(self.engine.database)
        assert checked.ok, checked.findings


def desk(
    *cards: dict[str, Any], database: Database | None = None, world: World | None = None, **organisation: Any
) -> Desk:
    """Return a desk with an empty database, which has looked once."""
    world, pager = world or World(), Collector()
    store = database or Database("sqlite://")
    store.create_tables()
    engine = Engine(
        plan=planned(cards or CARDS),
        organisation=Organisation.model_validate({**ORGANISATION, **organisation}),
        sources={"s": world},
        notifiers={"pager": pager},
        database=store,
        clock=FixedClock(),
    )
    made = Desk(engine, world, pager)
    made.later(timedelta(0))
    return made
