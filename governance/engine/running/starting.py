"""Start a runbook by hand: for a model that has it, with what it asks for, about an incident or none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.runbook import Runbook
from governance.core.suggestion import closest
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.running.acting import RunDone
from governance.engine.running.beginning import begin
from governance.engine.sealing import sealed
from governance.errors import InvalidDocument, NotFound
from governance.store import incidents, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection


def start(
    engine: Engine, runbook: str, model: str, *, actor: Actor | str, because: str, at: datetime,
    parameters: Mapping[str, object] | None = None, incident: int = 0, labels: Mapping[str, str] | None = None,
    dry_run: bool = False,
) -> RunDone:  # fmt: skip
    """Start a runbook for a model; a dry run asks nobody and changes nothing, and says what it would.

    :raises NotFound: when there is no such model, runbook or incident.
    :raises InvalidDocument: when a parameter is missing, unknown or of another type, or the incident of other models.
    :raises Conflict: when a run of this runbook is open for the model, which it names, or it is for other models.
    :raises Denied: when the actor may not.
    """
    declared(engine, model)
    allowed = permit(engine, actor, "runbook.start", model, about={"runbook": runbook})
    found = runbook_of(engine, runbook)
    if not because.strip():
        raise InvalidDocument("because: say why, whoever reads the log must know")
    with engine.database.transaction() as connection:
        begun, decision = begin(
            connection, engine, found, model, at=at, started_by=str(actor), because=because,
            parameters=dict(parameters or {}), incident=_about(connection, incident, model),
            labels=tuple(sorted((labels or {}).items())), mode="dry_run" if dry_run else "live",
            channel=actor.channel if isinstance(actor, Actor) else "",
        )  # fmt: skip
        run = runs.get(connection, begun.id)
    entry = sealed(engine, decision.id, at)
    engine.runner.wake()
    return RunDone(run, entry, allowed.because)


def runbook_of(engine: Engine, name: str) -> Runbook:
    """Return a runbook by its name.

    :raises NotFound: when there is none; it names what is near.
    """
    found = engine.plan.runbooks.get(name)
    if found is None:
        hint = closest(name, engine.plan.runbooks) or "see gov runbook list"
        raise NotFound(f"no runbook '{name}'; {hint}")
    return found.document


def _about(connection: Connection, number: int, model: str) -> int:
    """Return the incident that a run is about; of one that was merged, the one it is part of.

    It has to be of the model, or to have reached it: a run keeps its incident open.
    """
    if not number:
        return 0
    found = incidents.whole(connection, incidents.get(connection, number))
    models = dict.fromkeys([found.model, *(each.key.model for each in found.findings)])
    if model not in models:
        raise InvalidDocument(f"incident: INC-{found.id} is about {', '.join(models)}, not about {model}")
    return found.id
