"""Write what changed of a run: the run, its entries, its requests for consent and what its end proves, all at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.decision import Decision
from governance.core.run_change import RunChange
from governance.engine import entries
from governance.engine.gathering import look_again
from governance.engine.parts import Engine
from governance.engine.running import consenting
from governance.engine.running.proving import over, prove
from governance.store import decision_log, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection


def write(
    connection: Connection,
    engine: Engine,
    change: RunChange,
    at: datetime,
    channel: str = "",
) -> list[Decision]:
    """Write the next version of a run and its entries, which are returned in their order.

    :raises Conflict: when somebody else changed the run since it was read.
    """
    change = over(change, at)
    run = replace(change.run, version=change.run.version + 1)
    runs.save(connection, run)
    found = [entries.of_run(run, each, at, channel) for each in change.events]
    decision_log.append(connection, found)
    if any(each.kind in ("finished", "stopped") for each in change.events):
        prove(connection, engine, run, at)
    consenting.follow(connection, run, at)
    look_again(connection, engine, run, at)
    return found
