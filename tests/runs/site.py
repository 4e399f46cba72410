"""One model with runbooks, a source, a system that counts what was asked of it, and an engine that drives the runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from governance.core.compiled import EvaluationPlan
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.performance import Outcome, Request
from governance.core.plan import evaluation_plan
from governance.core.run import Run
from governance.core.run_change import RunChange
from governance.core.runbook import Runbook
from governance.engine.parts import Engine
from governance.engine.running.beginning import begin
from governance.engine.running.driving import drive
from governance.engine.running.writing import write
from governance.loader import load_text
from governance.policies import KINDS
from governance.store import decision_log, runs
from governance.store.database import Database

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ORGANISATION: dict[str, Any] = {
    "people": {name: {} for name in ("ana", "bo", "cy")},
    "teams": {"ops": {"members": ["ana", "bo", "cy"]}},
    "roles": [{"role": "responder", "who": ["ops"]}, {"role": "approver", "who": ["bo", "cy"]}],
    "sources": {"s": {"kind": "push"}},
}
CARD: dict[str, Any] = {
    "model": "m",
    "owners": {"team": "ops"},
    "versions": {"serving": "7", "rollback_to": "6"},
    "metrics": {"errors": {"source": "s", "query": "errors"}},
}


class Anything(BaseModel):
    """Whatever a runbook of a test asks for."""

    model_config = ConfigDict(extra="allow")


def plainly(request: Request) -> Request:
    """Return a request under its key without when the run began, which the tests need not know."""
    return replace(request, key=re.sub(r"^(RUN-[0-9]+)[.][0-9]{8}T[0-9]{6}Z/", r"\1/", request.key))


@dataclass
class Counting:
    """A system that counts, for each key, how often it took effect; what becomes of a key is said by `answers`.

    Each answer is for one attempt: done, failed, unknown (it took effect, and says nothing), lost (it did not, and
    says nothing), or hangs.
    """

    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"do": Anything, "back": Anything}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {"do": {"number": "int", "at": "string"}}
    REPEATS: frozenset[str] = frozenset()
    answers: dict[str, list[str]] = field(default_factory=dict)
    effects: dict[str, int] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    asked: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    drills: list[str] = field(default_factory=list)
    told: dict[str, Outcome] = field(default_factory=dict)
    before: Any = None
    """Called before each act, with its request."""

    def perform(self, request: Request) -> Outcome:
        """Count it."""
        request = plainly(request)
        if self.before is not None:
            self.before(request)
        self.asked.setdefault(request.key, []).append(dict(request.with_))
        said = next(iter(self.answers.get(request.key, [])), "done")
        if said in self.answers.get(request.key, []):
            self.answers[request.key].pop(0)
        if said == "failed":
            return Outcome("failed", "the server says no")
        if said != "lost" and request.key not in self.effects:
            self.effects[request.key] = 0
            self.order.append(request.key)
        if said != "lost" and not (request.operation in self.REPEATS and self.effects[request.key]):
            self.effects[request.key] += 1
        if said in ("unknown", "lost"):
            return Outcome("unknown", "no answer")
        self.told[request.key] = Outcome("done", f"did {request.key}", {"number": len(self.order), "at": request.at})
        return self.told[request.key]

    def dry_run(self, request: Request) -> Outcome:
        """Say that it could be done."""
        self.drills.append(plainly(request).key)
        return Outcome("done", "could be done")


class ReadingBack(Counting):
    """One that tells what took effect."""

    def read_back(self, request: Request) -> Outcome | None:
        """Look it up."""
        request = plainly(request)
        if self.effects.get(request.key):
            return self.told.get(request.key, Outcome("done", "it had taken effect"))
        return Outcome("failed", "it never took effect")


class World:
    """What the source answers: for each metric a value, or None when it has no data."""

    def __init__(self) -> None:
        self.values: dict[str, float | None] = {}
        self.down = False

    def sample(self, queries: Sequence[Query], *, at: Any) -> Mapping[Query, Answer]:
        """Answer as of `at`."""
        if self.down:
            return {query: Answer(failure="connection refused") for query in queries}
        return {query: self._answer(query.text, at) for query in queries}

    def _answer(self, name: str, at: Any) -> Answer:
        value = self.values.get(name, 0.0)
        return Answer(() if value is None else (Sample(value, at, (), count=1000),))


def loaded(document: Mapping[str, Any], name: str) -> Any:
    """Load a document as a file of it would be."""
    found, problems = load_text(json.dumps(document), name, KINDS)
    assert found is not None, [each.render() for each in problems]
    assert not problems, [each.render() for each in problems]
    return found


def runbook(*steps: Mapping[str, Any], name: str = "r", **fields: Any) -> Any:
    """Return a runbook with its source."""
    return loaded({"kind": "runbook", "runbook": name, "description": "d", "steps": list(steps), **fields}, "r.yaml")


def planned(*runbooks: Any, card: Mapping[str, Any] = CARD) -> EvaluationPlan:
    """Compile a card, and let these runbooks be its policies'."""
    from dataclasses import replace

    plan = evaluation_plan([loaded({"kind": "card", **card}, "m.yaml")], [])
    assert not plan.problems, [each.render() for each in plan.problems]
    return replace(plan, runbooks={each.document.runbook: each for each in runbooks})


@dataclass
class Watch:
    """The clock of a test."""

    at: datetime

    def now(self) -> datetime:
        """Return the time."""
        return self.at


@dataclass
class Site:
    """An engine over one database, with its clock, its source and its system."""

    engine: Engine
    system: Counting
    world: World
    watch: Watch

    @property
    def now(self) -> datetime:
        """The time."""
        return self.watch.at

    @now.setter
    def now(self, at: datetime) -> None:
        self.watch.at = at

    def begin(self, name: str = "r", **given: Any) -> Run:
        """Begin a run of a runbook."""
        with self.engine.database.transaction() as connection:
            found: Runbook = self.engine.plan.runbooks[name].document
            about = {"started_by": "ana", "because": "b", **given}
            run, _ = begin(connection, self.engine, found, "m", at=self.now, **about)
        return run

    def drive(self, after: timedelta = timedelta(0)) -> None:
        """Let time pass, and the engine look."""
        self.now += after
        drive(self.engine, self.now)

    def run(self, name: str = "RUN-1") -> Run:
        """Return a run as it is stored."""
        with self.engine.database.read() as connection:
            return runs.get(connection, name)

    def act(self, act: Any, *given: Any, name: str = "RUN-1", **more: Any) -> None:
        """Let somebody act on a run."""
        with self.engine.database.transaction() as connection:
            change: RunChange = act(runs.get(connection, name), *given, **more)
            write(connection, self.engine, change, self.now)
        decision_log.seal(self.engine.database, self.now)

    def place(self, name: str = "RUN-1") -> tuple[str, str, str]:
        """Return the state of a run, and the step where it is with its state."""
        run = self.run(name)
        assert run.here is not None
        return run.state, run.here.step, run.here.state

    def entries(self) -> list[str]:
        """Return the kinds of the entries about runs, with their steps."""
        decision_log.seal(self.engine.database, self.now)
        found = [each.decision for each in decision_log.tail(self.engine.database, 1000, kind="runbook")]
        return [f"{each.kind.removeprefix('runbook.')} {each.body.get('step', '')}".strip() for each in found]


def site(
    *runbooks: Any, database: Database | None = None, system: Counting | None = None, world: World | None = None,
    card: Mapping[str, Any] = CARD, now: datetime = START,
) -> Site:  # fmt: skip
    """Arrange an engine on a database, which may have been another's."""
    if database is None:
        database = Database("sqlite://")
        database.create_tables()
    world, system, watch = world or World(), system or Counting(), Watch(now)
    engine = Engine(
        plan=planned(*runbooks, card=card),
        organisation=Organisation.model_validate(ORGANISATION),
        sources={"s": world},
        notifiers={},
        database=database,
        clock=watch,
        acts={"x": system},
    )
    return Site(engine, system, world, watch)
