"""Sources that answer by a table, and engines of a few cards that ask them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml
from scenarios.story import Collector as Pager
from scenarios.story import FixedClock

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.metric import Answer, Query, Sample
from governance.core.organisation import Organisation
from governance.core.pack import Pack
from governance.core.plan import evaluation_plan
from governance.engine.parts import Engine
from governance.loader import load_text
from governance.store import incidents
from governance.store.database import Database

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Told:
    """A source that answers by its table of texts, and keeps what it was asked."""

    def __init__(self, answers: Mapping[str, tuple[Sample, ...] | str]) -> None:
        self.answers = dict(answers)
        self.asked: list[Query] = []

    def sample(self, queries: Sequence[Query], *, at: datetime) -> Mapping[Query, Answer]:  # noqa: ARG002 (the shape of a source)
        """Answer from the table; a text stands for a failure."""
        self.asked.extend(queries)
        found = {query: self.answers.get(query.text, ()) for query in queries}
        return {query: Answer(failure=each) if isinstance(each, str) else Answer(each) for query, each in found.items()}


def authored(document: Mapping[str, Any], kind: type[Card | Pack]) -> Authored[Any]:
    name = "card" if kind is Card else "pack"
    loaded, problems = load_text(yaml.safe_dump({"kind": name, **document}), f"{name}.yaml", {name: kind})
    assert loaded is not None, [each.render() for each in problems]
    return loaded


def engine_of(cards: Sequence[Mapping[str, Any]], packs: Sequence[Mapping[str, Any]], **sources: Any) -> Engine:
    plan = evaluation_plan([authored(each, Card) for each in cards], [authored(each, Pack) for each in packs])
    assert not plan.problems, [each.render() for each in plan.problems]
    database = Database("sqlite://")
    database.create_tables()
    return Engine(plan, Organisation(), sources, {"pager": Pager()}, database, FixedClock())


def titles(engine: Engine) -> list[str]:
    with engine.database.read() as connection:
        return [each.title for each in incidents.listed(connection) if each.status != "resolved"]


def card(model: str, **more: Any) -> dict[str, Any]:
    return {"model": model, "owners": {"team": "t"}, **more}
