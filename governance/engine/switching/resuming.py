"""Finish pulls of several kill switches that were cut off: each remaining model as it was shown, or told why not.

The engine does so by itself at its next beat, in the name of who asked; or who asked does, under the key of the act.
What was changed since the act began is not what its actor was shown: it is refused, as the act itself would have been.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.acting_checks import SHORTEST
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.switch import Switch
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.sealing import sealed
from governance.engine.switching import together
from governance.engine.switching.change import words
from governance.engine.switching.foreseeing import ALL, Outlook, outlook
from governance.engine.switching.together import OPEN, Batch, batch_of, left_of, pull_those
from governance.store import progress, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection

KIND = "switch.batch_finished"
BY_ITSELF = "by the engine itself after a restart"
ASKED = "when it was asked again"
ELSEWHERE = timedelta(seconds=30)
"""How long an act from the command line, which is a process of its own, may be under way; then it was cut off."""


@dataclass(slots=True)
class _Going:
    """An act that goes on: how so, what it pulls now, and what it does not pull any more."""

    batch: Batch
    actor: Actor
    at: datetime
    how: str
    pulled: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


def resume(engine: Engine, at: datetime) -> int:
    """Finish every act that was cut off and that nobody is at; return how many models that pulled."""
    with engine.database.read() as connection:
        begun = progress.named(connection, OPEN)
    count = 0
    for name in begun:
        number = name.removeprefix(OPEN)
        if number in engine.under_way:
            continue
        sealed(engine, entries.identity("batch", number), at)
        batch, _ = batch_of(engine, number)
        if batch.channel != "cli" or at - batch.at >= ELSEWHERE:
            count += _finished(engine, _Going(batch, Actor(batch.actor, channel=batch.channel), at, BY_ITSELF))
    return count


def finish(
    engine: Engine, batch: Batch, *, actor: Actor, at: datetime, told: Callable[[], object] = lambda: None
) -> int:
    """Finish an act that was cut off, as its actor asks again; return how many models that pulled."""
    with engine.database.read() as connection:
        cut_off = progress.last(connection, f"{OPEN}{batch.id}") is not None
    return _finished(engine, _Going(batch, actor, at, ASKED), told) if cut_off else 0


def _finished(engine: Engine, going: _Going, told: Callable[[], object] = lambda: None) -> int:
    batch, at = going.batch, going.at
    with engine.database.read() as connection:
        left = left_of(connection, batch, batch.models)
    for start in range(0, len(left), together.GROUP):
        with engine.database.transaction() as connection:
            _group(connection, engine, going, left[start : start + together.GROUP])
        told()
    decision = _decision(going)
    together.close(engine, batch, decision)
    sealed(engine, decision.id, at)
    return len(going.pulled)


def _group(connection: Connection, engine: Engine, going: _Going, models: list[str]) -> None:
    """Pull those of a group that are as they were shown, and that nobody else has come to meanwhile."""
    found = switches.of(connection, left_of(connection, going.batch, models))
    seen = [now for each in found.values() if (now := _outlook(engine, going, each)) is not None]
    pull_those(connection, engine, going.batch, seen, going.actor, going.at, resumed=going.how)
    going.pulled += [each.model for each in seen]


def _outlook(engine: Engine, going: _Going, switch: Switch) -> Outlook | None:
    """Return how a model is pulled now; None where it is not, which is noted with its reason."""
    batch, expires = going.batch, going.batch.expires
    left = batch.at + expires - going.at if expires is not None else None
    if left is not None and left < SHORTEST:
        going.refused[switch.model] = f"it was to be given back by {batch.at + (expires or left):%Y-%m-%d %H:%M} UTC"
        return None
    if switch.model not in engine.plan.by_model:
        going.refused[switch.model] = "no card declares it any more"
        return None
    order = replace(batch, expires=left).order
    now = outlook(engine, switch, order, actor=going.actor, because=batch.because, at=going.at)
    if now.does == "unchanged":
        return None
    if now.does == "refused" or switch.seq >= batch.first:
        going.refused[switch.model] = now.said if now.does == "refused" else _changed(switch)
        return None
    return now


def _changed(switch: Switch) -> str:
    holding = switch.at(ALL)
    by = f" by {holding.set_by}" if holding is not None else ""
    said = words(switch.model, ALL, holding) if holding is not None else f"{switch.model} is live"
    return f"its switch was changed since it was shown: {said}{by} (seq {switch.seq}); pull it by itself"


def _decision(going: _Going) -> Decision:
    batch, itself = going.batch, going.how == BY_ITSELF
    body = {
        "how": going.how,
        "because": batch.because,
        "by": batch.actor,
        "models": going.pulled,
        "refused": going.refused,
        **(entries.channel(going.actor) if not itself else {}),
    }
    about = {"batch": batch.id, **({"incident": str(batch.incident)} if batch.incident is not None else {})}
    actor = entries.ENGINE if itself else going.actor.id
    return Decision(going.at, KIND, actor, about, body, finished_by(batch.id))


def finished_by(batch: str) -> str:
    """Return the id of the decision that ends an act which was cut off."""
    return entries.identity("batch-finished", batch)
