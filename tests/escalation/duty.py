"""An engine with one model, an escalation and people on call, whose pager remembers what it was asked to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from switches.desk import Desk, World, card, planned

from governance.core.effect import Effect
from governance.core.escalation import Escalation
from governance.core.incident import Incident
from governance.core.organisation import Organisation
from governance.engine import answering
from governance.engine.calming import calm
from governance.engine.dispatch import dispatch
from governance.engine.escalating import escalate
from governance.engine.hand_overs import hand_over
from governance.engine.loop import step
from governance.engine.parts import Engine
from governance.store import effects, escalations, incidents
from governance.store.database import Database
from governance.testing.collector import Collector, FixedClock

START = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
"""A Monday; ana is on call until nine, then bo."""
MINUTE = timedelta(minutes=1)
LADDER: dict[str, Any] = {
    "levels": [
        {"to": [{"schedule": "first"}]},
        {"after": "10m", "to": [{"team": "ops"}, {"person": "cy"}]},
        {"after": "30m", "to": [{"person": "dee"}]},
    ],
    "repeat": 1,
    "fallback": [{"team": "bosses"}],
    "acknowledge_timeout": "2h",
}
ORGANISATION: dict[str, Any] = {
    "people": {
        **{name: {"email": f"{name}@example.com"} for name in ("ana", "bo", "cy", "dee")},
        "eve": {"email": "eve@example.com", "slack": "U5"},
    },
    "teams": {"ops": {"members": ["ana", "bo"]}, "bosses": {"members": ["eve"]}},
    "roles": [{"role": "responder", "who": ["ops", "cy"]}],
    "schedules": {
        "first": {
            "zone": "UTC",
            "layers": [{"people": ["ana", "bo"], "from": "2026-01-04", "handover": "09:00", "rotate": "daily"}],
        }
    },
    "escalations": {"night": LADDER},
    "notifiers": {"mail": {"kind": "console"}, "chat": {"kind": "console"}},
    "sources": {"s": {"kind": "push"}},
    "cycle": {"catch_up": "1m"},
}


class Mail(Collector):
    """Reaches people, and no place."""

    REACHES: ClassVar[frozenset[str]] = frozenset({"people"})


RULES = [
    {
        "rule": "errors",
        "when": {"warning": "metrics.errors > 0.5", "critical": "metrics.errors > 0.8"},
    }
]


@dataclass
class Duty(Desk):
    """The desk with what was told to people (`mail`) and to a place (`pager`)."""

    mail: Mail = None  # type: ignore[assignment]

    @property
    def paged(self) -> list[tuple[int, str, int, list[str], str]]:
        """Return every page that was delivered: minutes since the start, notifier, level, people, reason."""
        return [
            (round((each.message.at - START) / MINUTE), each.notifier, each.level, names(each), each.message.reason)
            for each in self.mail.effects
            if each.message.reason != "handover"
        ]

    def incident(self, number: int = 1) -> Incident:
        """Return an incident as stored."""
        with self.engine.database.read() as connection:
            return incidents.get(connection, number)

    def clock(self, number: int = 1) -> Escalation | None:
        """Return an escalation as stored."""
        with self.engine.database.read() as connection:
            return escalations.of_incidents(connection, [number]).get(number)

    def effects(self, number: int = 1) -> list[Effect]:
        """Return all that was sent or withheld of an incident."""
        with self.engine.database.read() as connection:
            return effects.of_incident(connection, number)

    def until(self, minutes: int, every: int = 1) -> None:
        """Let time pass until so many minutes after the start; only at the end the engine judges, which takes long."""
        while self.now < START + minutes * MINUTE:
            self.now += every * MINUTE
            self.beat()
        step(self.engine, self.now)

    def beat(self) -> None:
        """Do what the engine does at a beat for people."""
        for part in (answering.wake, calm, hand_over, escalate, dispatch):
            part(self.engine, self.now)

    def look(self) -> None:
        """Let the engine look, again, at this instant."""
        step(self.engine, self.now)


def names(effect: Effect) -> list[str]:
    """Return the people an effect is for."""
    return [each.person for each in effect.to]


def duty(*, database: Database | None = None, rules: Any = RULES, **organisation: Any) -> Duty:
    """Return an engine at the start, before it looked for the first time."""
    mail, chat, world = Mail(), Collector(), World()
    made = database or Database("sqlite://")
    made.create_tables()
    engine = Engine(
        plan=planned([card("delay", owners={"team": "ops", "escalation": "night"}, rules=rules)]),
        organisation=Organisation.model_validate({**ORGANISATION, **organisation}),
        sources={"s": world},
        notifiers={"mail": mail, "chat": chat},
        database=made,
        clock=FixedClock(START),
    )
    return Duty(engine, world, chat, START, mail)
