"""What somebody may read of the fleet."""

from __future__ import annotations

from collections.abc import Callable

from governance.core.authority import Actor, Allowed, authority
from governance.engine.parts import Engine
from governance.engine.permission import card_of, permit
from governance.errors import Denied

Readable = Callable[[str | None], bool]
"""Tells whether somebody may read of a model, or (None) of the engine as a whole."""


def readable(engine: Engine, actor: Actor | str) -> Readable:
    """Return what tells whether the actor may read of a model, or (None) of the engine as a whole."""
    known: dict[str | None, bool] = {}

    def may(model: str | None) -> bool:
        if model not in known:
            found = authority(actor, "read", card_of(engine, model), engine.organisation)
            known[model] = isinstance(found, Allowed)
        return known[model]

    return may


def permit_any(engine: Engine, actor: Actor) -> Readable:
    """Return `readable` for who may read of one model at least.

    :raises Denied: when they may read nothing.
    """
    may = readable(engine, actor)
    if not may(None) and not any(may(policy.model) for policy in engine.plan.policies):
        permit(engine, actor, "read")
        raise Denied(f"'{actor}' may read of no model")
    return may
