"""What is known of a pull before it is done: how the fallback is, and what the last drill showed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.run import Run
from governance.engine import overview
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.errors import GovernanceError
from governance.store import evidence, runs
from governance.views import DrillView, FallbackView, FleetRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TOLD = 4
"""How many steps of a drill are told."""
_RUN = re.compile(r"(RUN-\d+), (a dry run of|a run of) (\S+)")
"""How the engine notes of which run its evidence is."""


def fallback_health(engine: Engine, name: str) -> FallbackView | None:
    """Return how a fallback is where it is a model that the engine judges; None where a card names no fallback."""
    return fallback_healths(engine, [name]).get(name)


def fallback_healths(engine: Engine, names: Iterable[str]) -> dict[str, FallbackView]:
    """Return how several fallbacks are, by name; "" is none."""
    wanted = {each for each in names if each}
    found = {row.model: row for row in overview.rows(engine, lambda each: each in wanted)} if wanted else {}
    return {name: _health(name, found.get(name)) for name in wanted}


def _health(name: str, row: FleetRow | None) -> FallbackView:
    if row is None:
        return FallbackView(name=name, state="unknown", said="health unknown: it has no card")
    state, said = _state(row)
    return FallbackView(name=name, state=state, said=said, judged_at=row.judged_at)


def _state(row: FleetRow) -> tuple[str, str]:
    if row.mode not in ("live", ""):
        return "away", f"it is in {row.mode} itself"
    if row.severity == "unknown":
        return "unknown", "health unknown: rules of it have no data"
    return ("healthy", "healthy") if row.severity == "none" else (row.severity, f"{row.severity}: {row.worst}")


def last_drill(engine: Engine, model: str) -> DrillView | None:
    """Return the last time that the kill switch of a model was practised, None for never.

    Of records of one kind the one recorded last counts, as everywhere.
    """
    with engine.database.read() as connection:
        records = evidence.of_model(connection, model)
        found = next(((each, entry) for each, entry in records if each.kind == "switch_drilled"), None)
        if found is None:
            return None
        record, entry = found
        drill = DrillView(at=record.at, by=record.actor, entry=entry, note=record.note)
        named = _RUN.match(record.note) if record.actor == ENGINE else None
        run = _run(connection, named[1]) if named is not None else None
    if run is None:
        return drill
    return drill.model_copy(update={
        "run": run.id, "runbook": run.runbook.runbook, "dry": run.mode == "dry_run", "found": _found(run),
        "lasted": _lasted(run, record.at),
    })  # fmt: skip


def _run(connection: Connection, run: str) -> Run | None:
    try:
        return runs.get(connection, run)
    except GovernanceError:
        return None  # the evidence holds without it


def _found(run: Run) -> list[str]:
    """Return what was noted of the steps that acted, checked or asked people, in order."""
    kinds = {each.step: each.kind for each in run.runbook.steps}
    told = [each for each in run.visits if not each.undoes and each.state == "done" and each.detail]
    kept = [each for each in told if kinds.get(each.step) in ("act", "check", "instruct")]
    said = [each for each in kept if each.detail != f"ticked by {each.by}"]
    return [f"{each.step}: {each.detail}" for each in said[:_TOLD]]


def _lasted(run: Run, until: datetime) -> float:
    return max((until - run.started_at).total_seconds(), 0.0)
