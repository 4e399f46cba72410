"""What people's acts in Slack go by: the engine, who acts, and what follows an act in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from governance.core.authority import Actor
from governance.core.duration import ago, format_duration
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.permission import RefusedAct
from governance.engine.refused_acts import note
from governance.engine.switch_views import Confirmations, nobody_confirms
from governance.engine.timeline import recorded
from governance.errors import Conflict, Denied, GovernanceError, Unavailable
from governance.slack import linking, modals
from governance.slack.people import person_of
from governance.slack.turn import Turn
from governance.store import decision_log
from governance.store.idempotency import claimed

_NOISE = frozenset({"incident.new_findings", "incident.updated"})
"""Changes by the engine that make nothing worse: who acted before them would act after them."""
_VERBS = {
    "incident.acknowledged": "acknowledged this",
    "incident.resolved": "resolved this",
    "incident.severity_set": "changed the severity of this",
    "incident.handed_over": "handed this over",
    "incident.snoozed": "snoozed this",
    "incident.merged": "merged this into another incident",
    "incident.escalated": "escalated this",
    "incident.linked": "put a link on this",
}


@dataclass(frozen=True, slots=True)
class Follow:
    """What follows an act in this process.

    `confirmations`: which serving instances hold the latest change of a switch; `switched`: a switch was changed;
    `drawn`: the message of an incident is to be drawn anew; `refused`: somebody was refused.
    """

    confirmations: Confirmations = nobody_confirms
    switched: Callable[[], None] = lambda: None
    drawn: Callable[[int], None] = lambda _: None
    refused: Callable[[RefusedAct], None] = note


@dataclass(frozen=True, slots=True)
class Desk:
    """Lets people of the organisation act from Slack, and tells them what became of it."""

    engine: Engine
    follow: Follow = field(default_factory=Follow)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def now(self) -> datetime:
        """The engine's time."""
        return self.engine.clock.now()

    def person(self, turn: Turn) -> Actor | None:
        """Return who acts, None while nobody said whose account it is."""
        return person_of(self.engine, turn.origin.user)

    def introduce(self, turn: Turn, wanted: linking.Wanted = None) -> None:
        """Offer an account that is not linked a code to link it by; what it `wanted` is carried out then."""
        code = linking.offer(self.engine, turn.origin, wanted, self.now)
        text = f"Link your account first: gov slack link {code}"
        turn.show(modals.link(code, format_duration(linking.HOLDS), waits=bool(wanted)), text)

    def refuse(self, turn: Turn, error: GovernanceError) -> None:
        """Show that something is refused, by which rule and who may; what is refused to somebody is noted."""
        if isinstance(error, RefusedAct):
            with suppress(Unavailable), claimed(None):
                self.follow.refused(error)
        turn.show(modals.refused(self.engine, error), f"Not done: {error}")

    def lost(self, turn: Turn, number: int, version: int, error: Conflict) -> None:
        """Tell whoever was late who was first, and have the message drawn as it is now."""
        turn.whisper(modals.first(number, self.first(number, version) or str(error)))
        self.follow.drawn(number)

    def first(self, number: int, version: int) -> str:
        """Return who changed an incident after a version of it, as a sentence; "" when no person did."""
        decision_log.seal(self.engine.database, self.now)  # whoever was first may not have come to it yet
        for entry in reversed(recorded(self.engine, number)):
            decision = entry.decision
            verb = _VERBS.get(decision.kind)
            if verb is None or _version(decision.body.get("version")) <= version:
                continue
            who = "the engine" if decision.actor == ENGINE else decision.actor
            return f"{who} {verb} {ago(decision.at, self.now)}"
        return ""

    def seen(self, number: int, version: int) -> int:
        """Return the version to act on: a later one, where the engine alone changed the incident and not for the worse.

        The message shows such changes with a delay, and nobody must click twice for them.
        """
        later = {
            _version(each.decision.body.get("version")): each.decision.kind
            for each in recorded(self.engine, number)
            if _version(each.decision.body.get("version")) > version
        }
        latest = max(later, default=version)
        whole = len(later) == latest - version
        return latest if whole and set(later.values()) <= _NOISE else version

    def attempt(self, turn: Turn, work: Callable[[], None]) -> None:
        """Do something, and show why it was refused or cannot be done."""
        try:
            work()
        except (Denied, Conflict) as error:
            self.refuse(turn, error)
        except GovernanceError as error:
            turn.show(modals.refused(self.engine, error), f"Not done: {error}")


def _version(said: object) -> int:
    return said if isinstance(said, int) else 0
