"""Deliveries that wait or were given up, and what people do about those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.effect import Effect
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import card_of, permit
from governance.engine.sealing import sealed
from governance.engine.switch_views import may_view
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, effects
from governance.views.notifications import DeliveryView, RetriedView, delivery_view


def given_up(engine: Engine) -> list[DeliveryView]:
    """Return the deliveries that were given up, oldest incident first."""
    with engine.database.read() as connection:
        return [delivery_view(each) for each in effects.dead(connection)]


def waiting(engine: Engine) -> list[DeliveryView]:
    """Return the deliveries that are still to be made, oldest incident first."""
    with engine.database.read() as connection:
        return [delivery_view(each) for each in effects.pending(connection)]


def may_retry(engine: Engine, who: Actor, found: Sequence[DeliveryView]) -> list[DeliveryView]:
    """Return deliveries with whether somebody may have each tried again, and why or else who may."""
    models = {each.model for each in found}
    may = {each: may_view(engine, who, "notification.retry", card_of(engine, each or None)) for each in models}
    return [each.model_copy(update={"may": may[each.model]}) for each in found]


def retry(
    engine: Engine,
    *,
    actor: Actor | str,
    at: datetime,
    key: str = "",
    notifier: str = "",
    incident: int = 0,
    because: str = "",
) -> RetriedView:
    """Try again, at once, one delivery that was given up, all of a notifier that was mended, or all of an incident.

    :raises InvalidDocument: unless one of `key`, `notifier` and `incident` is given.
    :raises NotFound: when there is no such delivery, or nothing of that notifier or incident was given up.
    :raises Conflict: when it was not given up.
    :raises Denied: when the actor may not.
    """
    if [bool(key), bool(notifier), bool(incident)].count(True) != 1:
        raise InvalidDocument("give one of `key`, `notifier` and `incident`")
    with engine.database.transaction() as connection:
        chosen = [effects.get(connection, key)] if key else effects.dead(connection)
        chosen = [each for each in chosen if notifier in ("", each.notifier) and incident in (0, each.incident)]
        if not chosen:
            what = f"for the notifier '{notifier}'" if notifier else f"of INC-{incident}"
            raise NotFound(f"nothing {what} was given up")
        for each in chosen:
            if each.state != "failed":
                raise Conflict(f"notification {each.key} was not given up: it is {each.state}")
            permit(engine, actor, "notification.retry", each.message.model or None)
        again = [replace(each, state="due", next_at=at, refusals=0) for each in chosen]
        log = [_entry(each, actor, at, because) for each in chosen]
        effects.save(connection, again)
        decision_log.append(connection, log)
    return RetriedView(deliveries=[delivery_view(each) for each in again], entry=sealed(engine, log[0].id, at))


def _entry(effect: Effect, actor: Actor | str, at: datetime, because: str) -> Decision:
    body = {"key": effect.key, "receipt": effect.receipt, "attempts": effect.attempts}
    said = {**({"because": because} if because else {}), **entries.channel(actor)}
    identity = entries.identity("notification-retried", effect.key, str(effect.attempts))
    return Decision(at, "notification.retried", str(actor), entries.of_effect(effect), {**body, **said}, identity)
