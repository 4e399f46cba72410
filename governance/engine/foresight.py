"""What is known of a pull before it is done: how the fallback is, and what the last drill showed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.evidence import EvidenceKind
from governance.core.proof import proof
from governance.core.run import Run
from governance.engine import overview
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.engine.running.proving import unmended
from governance.errors import GovernanceError
from governance.store import evidence, runs
from governance.views import DrillView, FallbackView, FleetRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

PROVES: EvidenceKind = "switch_drilled"
"""What a runbook proves that practises the kill switch."""
_UNDER_WAY = frozenset({"running", "waiting", "paused", "undoing", "unknown"})
_LOOKED_AT = 20
"""Runs that are looked through for the last one that is over."""
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
        found = next(((each, entry) for each, entry in records if each.kind == PROVES), None)
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


def failed_drill(engine: Engine, model: str, proved_at: datetime | None) -> DrillView | None:
    """Return the last practice of the kill switch since one came through that failed, or could not even begin."""
    names = [name for name, each in engine.plan.runbooks.items() if each.document.proves == PROVES]
    with engine.database.read() as connection:
        tried = runs.of_runbooks(connection, model, names, _LOOKED_AT)
        scheduled = unmended(connection, model, names)
    run = next((each for each in tried if each.state not in _UNDER_WAY), None)
    if run is not None and _failed(run) and (proved_at is None or _ended(run) > proved_at):
        return DrillView(
            at=_ended(run), by=run.started_by, run=run.id, runbook=run.runbook.runbook, dry=run.mode == "dry_run",
            lasted=_lasted(run, _ended(run)), found=_found(run), failed=_why(run),
        )  # fmt: skip
    if scheduled is not None and (proved_at is None or scheduled.since > proved_at):
        name = dict(scheduled.key.labels).get("runbook", "")
        return DrillView(at=scheduled.since, by=ENGINE, runbook=name, failed=scheduled.summary)
    return None


def _ended(run: Run) -> datetime:
    """Return when a run ended, or came to where it stopped."""
    here = run.here
    return run.ended_at or (here.ended_at if here is not None else None) or run.started_at


def _failed(run: Run) -> bool:
    """Tell whether a run that is over did not come through."""
    return run.state != "done" or bool(proof(run).gaps)


def _why(run: Run) -> str:
    """Return why a run did not come through: what its steps lack, or what was said of it."""
    return "; ".join(proof(run).gaps) or run.said or run.state


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
