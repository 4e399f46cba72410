"""What is asked of kill switches; nothing here changes anything."""

from __future__ import annotations

from governance.core.switch import Switch
from governance.engine.parts import Engine
from governance.engine.permission import declared
from governance.store import switches


def shown(engine: Engine, model: str) -> Switch:
    """Return the switch of a model.

    :raises NotFound: when no card declares the model and it was never pulled.
    """
    with engine.database.read() as connection:
        switch = switches.get(connection, model)
    if not switch.seq:
        declared(engine, model)
    return switch


def pulled(engine: Engine) -> list[Switch]:
    """Return the switches that are not live, by model."""
    with engine.database.read() as connection:
        return [each for each in switches.all_of(connection).values() if each.settings]
