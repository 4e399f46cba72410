"""A story: a card, series over time, people's acts, and what must then be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from scenarios.series import RememberingSource, SeriesSource, values

from governance.core.alert import Alert
from governance.core.card import Card
from governance.core.compiled import EvaluationPlan
from governance.core.duration import parse_duration
from governance.core.effect import Effect, Receipt
from governance.core.organisation import Organisation
from governance.core.plan import evaluation_plan
from governance.core.waiver import Waiver
from governance.engine import operations
from governance.engine.clock import stepped
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.errors import GovernanceError
from governance.loader import load_text
from governance.store import alerts, decision_log, effects, incidents
from governance.store.database import Database

START = datetime(2026, 1, 5, tzinfo=UTC)


class Collector:
    """A notifier that keeps what it was asked to say, and fails while it is told to."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self.down = False

    def perform(self, effect: Effect) -> Receipt:
        """Keep the effect."""
        if self.down:
            return Receipt(delivered=False, detail="HTTP 503")
        self.effects.append(effect)
        return Receipt(delivered=True, detail="kept")


class FixedClock:
    """A clock that never moves; scenarios pass the time along."""

    def now(self) -> datetime:
        """Return the start."""
        return START


class Story:
    """Plays one document of a scenario file."""

    def __init__(
        self, document: Mapping[str, Any], *, database: Database | None = None, collector: Collector | None = None
    ) -> None:
        self.every = parse_duration(document["every"])
        self.expectations = [(self._offset(each["at"]), each) for each in document["expect"]]
        self.acts = [(self._offset(each["at"]), each) for each in document.get("acts", ())]
        self.length = max(len(values(text)) for text in document["series"].values())
        self.away = [(self._offset(first), self._offset(last)) for first, last in document.get("away", ())]
        kind = RememberingSource if document.get("past") else SeriesSource
        self.source = kind(document["series"], START, self.every)
        self.card = document["card"]
        self.collector = collector or Collector()
        self.engine = Engine(
            plan=_plan(self.card),
            organisation=Organisation.model_validate(
                {
                    "sources": {"test": {"kind": "series"}},
                    "cycle": {"every": document["every"], "catch_up": document.get("catch_up", "1d")},
                    **document.get("org", {}),
                }
            ),
            sources={"test": self.source},
            notifiers={"pager": self.collector},
            database=database or Database("sqlite://"),
            clock=FixedClock(),
        )
        if database is None:
            self.engine.database.create_tables()

    def play(self) -> None:
        """Run every cycle; after each, the acts and then the expectations of that instant.

        While the engine is `away`, nothing runs; `past: true` is a source that can answer for that time later.
        """
        for index in range(self.length):
            offset = index * self.every
            at = START + offset + self.source.skew
            if any(first <= offset <= last for first, last in self.away):
                continue
            step(self.engine, at)
            for when, act in self.acts:
                if when == offset:
                    self._act(act, at)
            for when, expected in self.expectations:
                if when == offset:
                    self._expect(expected)
        checked = decision_log.verify(self.engine.database)
        assert checked.ok, checked.findings
        last = START + (self.length - 1) * self.every
        assert all(START + when <= last for when, _ in [*self.expectations, *self.acts]), "an expectation after the end"

    def _offset(self, text: str) -> timedelta:
        return timedelta(0) if text in {"0", "0m", "0h"} else parse_duration(text)

    def _act(self, act: Mapping[str, Any], at: datetime) -> None:
        refused = ""
        try:
            if "acknowledge" in act:
                operations.acknowledge(self.engine, act["acknowledge"], actor=act["as"], at=at)
            elif "resolve" in act:
                operations.resolve(self.engine, act["resolve"], actor=act["as"], because=act["because"], at=at)
            elif "waive" in act:
                operations.waive(self.engine, self._waiver(act, at), at=at)
            elif "edit" in act:
                rules = [{**rule, **act["edit"].get(rule["rule"], {})} for rule in self.card["rules"]]
                self.engine = replace(self.engine, plan=_plan({**self.card, "rules": rules}))
            elif "clock" in act:
                by = -parse_duration(act["clock"][1:]) if act["clock"][0] == "-" else parse_duration(act["clock"][1:])
                self.source.skew += by
                if act.get("seen", True):
                    stepped(self.engine, by, at=at + by)
            elif "notifier" in act:
                self.collector.down = act["notifier"] == "down"
        except GovernanceError as error:
            refused = str(error)
        assert act.get("refused", "") in refused
        assert bool(refused) == ("refused" in act), refused

    def _waiver(self, act: Mapping[str, Any], at: datetime) -> Waiver:
        labels = tuple(sorted(act.get("labels", {}).items()))
        until = at + parse_duration(act["for"])
        model = self.engine.plan.policies[0].model
        return Waiver("w1", model, act["waive"], labels, act["because"], act["asked_by"], act["as"], until)

    def _expect(self, expected: Mapping[str, Any]) -> None:
        where = f"at {expected['at']}"
        if "alert" in expected:
            alert = self._alert(expected)
            state = alert.state if alert else "inactive"
            assert state == expected["state"], f"{where}: {expected['alert']} is {state}, expected {expected['state']}"
            if "severity" in expected:
                assert alert is not None
                assert alert.severity == expected["severity"], where
        if "incident" in expected or "incidents" in expected:
            self._expect_incident(expected, where)
        if "told" in expected:
            said = [each.message.reason for each in self.collector.effects]
            assert said == expected["told"], f"{where}: told {said}"
        if "entry" in expected:
            kinds = [each.decision.kind for each in decision_log.tail(self.engine.database, 1000)]
            assert expected["entry"] in kinds, f"{where}: no {expected['entry']} in {kinds}"
        if "proposes" in expected:
            assert list(self.collector.effects[-1].message.proposals) == expected["proposes"], where
        if "withheld" in expected:
            assert self._withheld() == expected["withheld"], f"{where}: withheld {self._withheld()}"

    def _withheld(self) -> list[str]:
        with self.engine.database.read() as connection:
            found = [each for one in incidents.listed(connection) for each in effects.of_incident(connection, one.id)]
        return [each.receipt for each in found if each.state == "withheld"]

    def _expect_incident(self, expected: Mapping[str, Any], where: str) -> None:
        with self.engine.database.read() as connection:
            found = incidents.listed(connection)
        if "incidents" in expected:
            assert len(found) == expected["incidents"], f"{where}: {[each.title for each in found]}"
        if "incident" in expected:
            assert found, f"{where}: no incident"
            assert found[0].status == expected["incident"], f"{where}: {found[0].status}"
        if "findings" in expected:
            assert len(found[0].firing) == expected["findings"], where
        if "ending" in expected:
            assert found[0].ending == expected["ending"], f"{where}: {found[0].ending}"
        if "title" in expected:
            assert expected["title"] in found[0].title, f"{where}: {found[0].title}"

    def _alert(self, expected: Mapping[str, Any]) -> Alert | None:
        with self.engine.database.read() as connection:
            active = alerts.active(connection)
        wanted = set(expected.get("labels", {}).items())
        kind = "no_data" if expected.get("no_data") else "condition"
        matches = [
            alert
            for key, alert in active.items()
            if key.rule == expected["alert"] and wanted <= set(key.labels) and key.kind == kind
        ]
        assert len(matches) <= 1, json.dumps([dict(each.key.labels) for each in matches])
        return matches[0] if matches else None


def _plan(document: Mapping[str, Any]) -> EvaluationPlan:
    card, problems = load_text(yaml.safe_dump({"kind": "card", **document}), "card.yaml", {"card": Card})
    assert card is not None, [each.render() for each in problems]
    plan = evaluation_plan([card], [])
    assert not plan.problems, [each.render() for each in plan.problems]
    return plan


def stories(directory: Path) -> list[Any]:
    """Return every document of every scenario file of a directory."""
    found = []
    for path in sorted(directory.glob("*.yaml")):
        found.extend((path.stem, each) for each in yaml.safe_load_all(path.read_text(encoding="utf-8")))
    return found
