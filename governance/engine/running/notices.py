"""Tell people what a step of a run says: committed with the step, and delivered as everything else is."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.effect import Effect, Message
from governance.core.performance import Outcome
from governance.core.run import Run
from governance.core.suggestion import closest
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.ports import folds, reaches, tells_notices
from governance.store import effects

if TYPE_CHECKING:
    from sqlalchemy import Connection


def notified(
    connection: Connection,
    engine: Engine,
    run: Run,
    key: str,
    message: str,
    at: datetime,
    *,
    channel: str = "",
    notifier: str = "",
) -> Outcome:
    """Write what is to be told in the caller's transaction: to a notifier, in a channel, or to who hears of the model.

    `key` is that of the step's visit; of each notifier there is one effect.
    """
    named = (notifier,) if notifier else _listening(engine, run.model, channel)
    wrong = _wrong(engine, notifier) if notifier else "" if named else f"no notifier hears of {run.model}"
    if wrong:
        return Outcome("failed", wrong, again=False)
    first, *more = [line for line in message.splitlines() if line.strip()] or [run.runbook.description]
    said = Message(0, run.model, "info", "", first, "notice", tuple(more), (), at)
    rule = f"{run.id} ({run.runbook.runbook})"
    told = [
        Effect(f"{key}-{each}", 0, 0, each, said, next_at=at, rule=rule, place=_place(engine, each, run.model, channel))
        for each in named
    ]
    effects.add(connection, told)
    return Outcome("done", f"told by {', '.join(named)}{f' in {channel}' if channel else ''}: {first}")


def _listening(engine: Engine, model: str, channel: str) -> tuple[str, ...]:
    """Return the notifiers that hear of a model; with a channel those that have channels, if there are any."""
    places = tuple(each for each in engine.places_for(model) if tells_notices(engine.notifiers[each]))
    having = tuple(each for each in places if folds(engine.notifiers[each]) == "channel")
    return having if channel and having else places


def _wrong(engine: Engine, notifier: str) -> str:
    action = engine.notifiers.get(notifier)
    if action is None:
        hint = closest(notifier, engine.notifiers) or f"known: {', '.join(sorted(engine.notifiers)) or 'none'}"
        return f"no notifier '{notifier}'; {hint}"
    if not tells_notices(action):
        return f"'{notifier}' tells of incidents only, and this is a notice"
    return "" if "place" in reaches(action) else f"'{notifier}' reaches people, and no place; name one that is a place"


def _place(engine: Engine, notifier: str, model: str, channel: str) -> str:
    """Return the channel that is meant at a notifier that has channels: the one named, or that of the model's card."""
    if folds(engine.notifiers[notifier]) != "channel":
        return ""
    card = card_of(engine, model)
    return channel or (card.owners.channel if card is not None else None) or ""
