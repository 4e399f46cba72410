"""A fleet whose models rest on one another: an engine on a real database, whose source says what the test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from scenarios.story import Collector, FixedClock

from governance.core.card import Card
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.engine.collect import Collector as Asking
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.loader import Loaded, load_text
from governance.store import decision_log, effects, incidents
from governance.store.database import Database

START = datetime(2026, 1, 5, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CARD = """\
kind: card
model: {model}
owners: {{team: team-{model}, accountable: {model}@example.com, channel: "#{model}"{page}}}
versions: {{serving: "1.{number}"}}
data: {{depends_on: [{upstream}]}}
metrics: {{x: {{source: s, query: {model}, every: {every}}}}}
rules:
  - rule: high
    when: {{info: metrics.x > 0.3, warning: metrics.x > 0.5, critical: metrics.x > 0.8}}
    summary: "{model} is {{metrics.x}}"
"""


class World:
    """What every model's metric is now: 0.1 unless a test says otherwise."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:
        """Answer with what holds now."""
        return {each: Answer((Sample(self.values.get(each.text, 0.1), at, count=1000),)) for each in queries}


class Fleet:
    """Models by name with those that each depends on, judged every minute; `told` is what reached people."""

    def __init__(
        self,
        upstream: Mapping[str, Sequence[str]],
        *,
        every: Mapping[str, str] | None = None,
        organisation: Mapping[str, object] | None = None,
        database: Database | None = None,
        page: str = "",
    ) -> None:
        self.world, self.ears, self.now = World(), Collector(), START
        self.database = database or Database("sqlite://")
        self.database.create_tables()
        self.organisation = Organisation.model_validate(organisation or {})
        self.every, self.page = dict(every or {}), f", escalation: {page}" if page else ""
        self.declare(upstream)

    def declare(self, upstream: Mapping[str, Sequence[str]]) -> None:
        """Build an engine on these cards, as a new process would."""
        cards = [self._card(number, model, ups) for number, (model, ups) in enumerate(upstream.items())]
        self.engine = Engine(
            plan=evaluation_plan(cards, []),
            organisation=self.organisation,
            sources={"s": self.world},
            notifiers={"chat": self.ears},
            database=self.database,
            clock=FixedClock(self.now),
            collector=Asking(threads=False),
        )

    def _card(self, number: int, model: str, upstream: Sequence[str]) -> Loaded[Card]:
        every = self.every.get(model, "1m")
        text = CARD.format(model=model, number=number, upstream=", ".join(upstream), every=every, page=self.page)
        loaded, problems = load_text(text, f"{model}.yaml", {"card": Card})
        assert loaded is not None, [each.render() for each in problems]
        assert isinstance(loaded.document, Card)
        return Loaded(loaded.document, loaded.source)

    def look(self, minutes: int = 1, **values: float) -> None:
        """So many minutes later, with these values, the engine looks; it looks each minute until then."""
        for _ in range(minutes - 1):
            self.now += MINUTE
            step(self.engine, self.now)
        self.now += MINUTE
        self.world.values.update({model.replace("_", "-"): value for model, value in values.items()})
        step(self.engine, self.now)

    def incidents(self, status: str = "") -> list[Incident]:
        """Return the incidents, oldest first."""
        with self.database.read() as connection:
            return incidents.listed(connection, status=status)[::-1]

    def open(self) -> dict[str, list[str]]:
        """Return the models whose findings fire in each open incident, by the incident's own model."""
        return {each.model: sorted(one.key.model for one in each.firing) for each in self.incidents("open")}

    @property
    def told(self) -> list[tuple[int, str]]:
        """What people were told: of which incident, why."""
        return [(each.incident, each.message.reason) for each in self.ears.effects]

    def why(self, number: int) -> list[Effect]:
        """Return every notification of an incident, sent or withheld."""
        with self.database.read() as connection:
            return effects.of_incident(connection, number)

    def entries(self) -> list[str]:
        """Return the kinds of all entries of the log, in their order."""
        return [each.decision.kind for each in decision_log.tail(self.database, 100_000)]
