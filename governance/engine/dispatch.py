"""Perform what was committed: at least once, with the same key every time, and record each receipt."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from governance.core.effect import LONGEST_WAIT, Effect, Receipt, attempted
from governance.engine import entries
from governance.engine.hearing import late_end
from governance.engine.parts import Engine
from governance.ports import Action, StatesIncidents, delivers_itself
from governance.store import decision_log, effects, incidents

PATIENCE = 1.0
"""Seconds after which a try that fails has taken long."""
_BATCH = 20
"""Deliveries after which it is looked again what is most urgent."""
Now = Callable[[], datetime]


def dispatch(engine: Engine, at: datetime) -> list[Effect]:
    """Let the lane of every notifier deliver what is due, and return what became of what was tried since the last call.

    A failure is tried again later, ever more slowly. Unless the lanes run beside, all is done when this returns.
    """
    with engine.database.read() as connection:
        due = effects.notifiers_due(connection, at)
    now: Now = engine.clock.now if engine.lanes.beside else lambda: at
    again = [name for name, each in engine.notifiers.items() if _forgets(engine, name, each, at)]
    for name in dict.fromkeys([*due, *again]):
        notifier = engine.notifiers.get(name)
        if (notifier is None or not delivers_itself(notifier)) and engine.lanes.is_open(name, at):
            engine.lanes.run(name, partial(_lane, engine, name, now))
    return engine.lanes.finished()


def _lane(engine: Engine, name: str, now: Now) -> list[Effect]:
    """Deliver what is due to one notifier, and what becomes due meanwhile.

    It hears of an incident in order: what follows a message that could not be delivered to the same people waits for
    it. One that takes long to fail, or asks to be left alone, is left alone until the next beat.
    """
    done: list[Effect] = []
    try:
        while True:
            tried, patient = _pass(engine, name, now)
            done.extend(tried)
            if not tried or not patient:
                break
        if patient:
            _restate(engine, name, now())
        return done
    finally:
        if done:
            with engine.database.giving_way():
                decision_log.seal(engine.database, now())


def _pass(engine: Engine, name: str, now: Now) -> tuple[list[Effect], bool]:
    """Try once the most urgent of what is due; the second value is False when the notifier is to be left alone."""
    with engine.database.read() as connection:
        pending = effects.pending_of(connection, name)
    done: list[Effect] = []
    waiting: set[tuple[object, ...]] = set()
    for effect in _urgent_first(pending):
        line = (effect.incident, effect.to)
        if line in waiting or effect.next_at is None or effect.next_at > now():
            waiting.add(line)
            continue
        with engine.database.read() as connection:
            if not effects.still_due(connection, effect.key):
                continue  # it was withheld while others were delivered
        began = time.monotonic()
        receipt = _performed(engine, effect, now())
        engine.lanes.answered(name, well=receipt.delivered)
        after = _recorded(engine, attempted(effect, receipt, now()), now())
        done.append(after)
        if after.state == "due":
            waiting.add(line)
        if receipt.wait is not None:
            engine.lanes.close(name, now() + min(receipt.wait, LONGEST_WAIT))
        slow = after.state != "sent" and time.monotonic() - began > PATIENCE
        if slow or receipt.wait is not None:  # each try would take its whole time limit, or be turned away
            return done, False
        if len(done) == _BATCH:
            break
    return done, True


def _urgent_first(pending: Sequence[Effect]) -> list[Effect]:
    """Return deliveries with those of critical incidents, and of which somebody is paged, before all others."""
    urgent = {each.incident for each in pending if each.level or each.message.severity == "critical"}
    return sorted(pending, key=lambda each: each.incident not in urgent)  # which keeps the order within an incident


def _performed(engine: Engine, effect: Effect, at: datetime) -> Receipt:
    notifier = engine.notifiers.get(effect.notifier)
    if notifier is None:
        return Receipt(delivered=False, detail=f"no notifier '{effect.notifier}' is configured")
    if isinstance(notifier, StatesIncidents) and effect.incident:
        with engine.database.read() as connection:
            stands = incidents.get(connection, effect.incident)
        return _safely(lambda: notifier.state([stands], at))
    return _safely(lambda: notifier.perform(effect))


def _safely(act: Callable[[], Receipt]) -> Receipt:
    try:
        return act()
    except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; the other deliveries must go on)
        return Receipt(delivered=False, detail=f"{type(error).__name__}: {error}".splitlines()[0])


def _forgets(engine: Engine, name: str, notifier: Action, at: datetime) -> bool:
    """Tell whether a notifier is due to state again what is open."""
    return isinstance(notifier, StatesIncidents) and engine.lanes.due(name, notifier.every, at)


def _restate(engine: Engine, name: str, at: datetime) -> None:
    """State again how the open incidents stand that a notifier was told of; what fails is tried an interval later."""
    notifier = engine.notifiers.get(name)
    if not isinstance(notifier, StatesIncidents) or not engine.lanes.due(name, notifier.every, at):
        return
    engine.lanes.stated(name, at)
    with engine.database.read() as connection:
        opened = incidents.listed(connection, status="open")
        told = effects.told(connection, name, [each.id for each in opened])
    known = [each for each in opened if each.id in told]
    if known:
        engine.lanes.answered(name, well=_safely(lambda: notifier.state(known, at)).delivered)


def _recorded(engine: Engine, after: Effect, at: datetime) -> Effect:
    """Write what became of a try; what was withheld while it was under way stays so, unless it has arrived."""
    with engine.database.giving_way(), engine.database.transaction() as connection:
        if not effects.still_due(connection, after.key):
            effects.add(connection, late_end(connection, after, at))
            if after.state != "sent":
                after = replace(effects.get(connection, after.key), attempts=after.attempts)
                effects.save(connection, [after])
                return after
        effects.save(connection, [after])
        if after.state != "due":
            decision_log.append(connection, [entries.of_delivery(after, at)])
    return after
