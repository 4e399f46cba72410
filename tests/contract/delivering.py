"""A real engine of no models that has something to deliver."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from contract.receiving import PATIENCE

from governance.bootstrap import SystemClock
from governance.core.effect import Effect
from governance.core.organisation import Organisation
from governance.engine.parts import Engine
from governance.ports import Action
from governance.store import effects
from governance.store.database import Database


def engine(directory: Path, notifiers: Mapping[str, Action], *due: Effect) -> Engine:
    database = Database(f"sqlite:///{directory}/governance.db")
    database.create_tables()
    with database.transaction() as connection:
        effects.add(connection, due)
    plan: Any = None  # deliveries ask it for nothing
    return Engine(plan, Organisation(), {}, notifiers, database, SystemClock())


def states(built: Engine, incident: int = 7) -> dict[str, str]:
    with built.database.read() as connection:
        return {each.key: each.state for each in effects.of_incident(connection, incident)}


def come(about: Callable[[], bool]) -> None:
    """Wait until something is so."""
    latest = time.monotonic() + PATIENCE
    while not about():
        assert time.monotonic() < latest, "it did not come about"
        time.sleep(0.01)
