"""Evidence out of runs: what came to its end proves what its runbook says, in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import AlertKey
from governance.core.evidence import Record
from governance.core.incident import Finding
from governance.core.metric import labels
from governance.core.proof import proof
from governance.core.run import Run
from governance.core.run_acts import cancelled
from governance.core.run_change import RunChange
from governance.engine import entries, evidence
from governance.engine.parts import Engine
from governance.engine.switching import paging
from governance.store import incidents

if TYPE_CHECKING:
    from sqlalchemy import Connection

FAILED = "drill-failed"
"""The name under which incidents show that what is run on a schedule did not come through."""


def prove(connection: Connection, engine: Engine, run: Run, at: datetime) -> None:
    """Record what a run proves that has just ended, with the run as the proof, in this transaction.

    A run on a schedule that did not come through opens an incident of its own: a warning, which is posted and wakes
    nobody, as nothing is wrong with the model today; but it stands there with its owner until a run comes through, and
    is closed by that. A message alone would be forgotten, and a page at night would teach people to stop drilling.
    """
    found = proof(run)
    if found.kind is not None:
        how = "a dry run of" if run.mode == "dry_run" else "a run of"
        note = f"{run.id}, {how} {run.runbook.runbook}"
        evidence.write(connection, Record(run.model, found.kind, at, entries.ENGINE, at, "", note=note), run.id)
    if found.gaps and is_scheduled(run):
        fail(connection, engine, run.model, run.runbook.runbook, f"{run.id}: {'; '.join(found.gaps)}", at)
    elif run.state == "done" and not found.gaps:
        paging.close(connection, engine, _finding(run.model, run.runbook.runbook, ""), at)


def over(change: RunChange, at: datetime) -> RunChange:
    """Return a change of a run; a dry run on a schedule that stops is over, as there is nobody to go on with it."""
    run = change.run
    if run.state != "stopped" or run.mode != "dry_run" or not is_scheduled(run):
        return change
    return change.then(cancelled(run, entries.ENGINE, at, because="the drill did not come through", undo=False))


def fail(connection: Connection, engine: Engine, model: str, runbook: str, why: str, at: datetime) -> None:
    """Open the incident of a run on a schedule that did not come through, or tell it anew, in this transaction."""
    paging.page(connection, engine, _finding(model, runbook, why), at)


def unmended(connection: Connection, model: str, runbooks: Iterable[str]) -> Finding | None:
    """Return what is wrong with the schedule of one of these runbooks, None where they come through or nobody asks."""
    groups = [_finding(model, each, "").group for each in runbooks]
    known = [each for each in incidents.latest(connection, groups).values() if each.status != "resolved"]
    found = [one for each in known for one in each.firing]
    return max(found, key=lambda each: each.since) if found else None


def is_scheduled(run: Run) -> bool:
    """Tell whether a run was started by a schedule: neither by a person nor by a rule."""
    return run.started_by == entries.ENGINE and not run.rule


def _finding(model: str, runbook: str, why: str) -> paging.Finding:
    key = AlertKey(model, FAILED, labels(runbook=runbook))
    summary = f"{runbook} was run on its schedule for {model} and did not come through: {why}"
    how = f"Mend what it names, then try: gov runbook run {runbook} --model {model} --dry-run --because mended"
    return paging.Finding(key, summary, how, "warning")
