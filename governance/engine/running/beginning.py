"""Begin a run: freeze the runbook, the card and the parameters, in the transaction of what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.compiled import CompiledPolicy
from governance.core.decision import Decision
from governance.core.incident import Incident
from governance.core.metric import Labels
from governance.core.plain import plain_object
from governance.core.run import Mode, Run
from governance.core.run_start import parameters as valued
from governance.core.run_start import why_not
from governance.core.run_steps import begun
from governance.core.runbook import Runbook
from governance.engine.entries import ENGINE
from governance.engine.memory import serving
from governance.engine.parts import Engine
from governance.engine.running.writing import write
from governance.errors import Conflict, NotFound
from governance.store import incidents, runs

if TYPE_CHECKING:
    from sqlalchemy import Connection


def begin(
    connection: Connection,
    engine: Engine,
    runbook: Runbook,
    model: str,
    *,
    at: datetime,
    because: str,
    started_by: str = ENGINE,
    parameters: Mapping[str, object] | None = None,
    incident: int = 0,
    about: Incident | None = None,
    labels: Labels = (),
    mode: Mode = "live",
    rule: str = "",
    channel: str = "",
) -> tuple[Run, Decision]:
    """Begin a run, and return it with its entry; who wants it done by then wakes `engine.runner`.

    `about` is the incident where it is not written yet.

    :raises NotFound: when no card declares the model, or there is no such incident.
    :raises InvalidDocument: when a parameter is missing, unknown or of another type.
    :raises Conflict: when the runbook is not for the model, or a run of it is open for the model: it is named.
    """
    policy = engine.plan.by_model.get(model)
    if policy is None:
        raise NotFound(f"no card declares the model '{model}'")
    card = frozen_card(connection, policy, at)
    refused = why_not(runbook, card)
    if refused:
        raise Conflict(refused)
    before = runs.open_of(connection, model, runbook.runbook)
    if before is not None:
        who = f"rule {before.rule}" if before.rule else before.started_by
        when = f"{before.started_at:%Y-%m-%d %H:%M} UTC"
        raise Conflict(
            f"{before.id} of '{runbook.runbook}' is {before.state} for {model} since {when}, started by {who}"
        )
    about = about or (incidents.get(connection, incident) if incident else None)
    values = valued(runbook, parameters or {}, card, at, because=because, labels=labels, incident=about)
    run = Run(
        runs.next_id(connection), runbook, model, card, plain_object(values), started_by, at, because, mode,
        about.id if about is not None else 0, labels, rule, version=0,
    )  # fmt: skip
    change = begun(run, at)
    return run, write(connection, engine, change, at, channel)[0]


def frozen_card(connection: Connection, policy: CompiledPolicy, at: datetime) -> dict[str, object]:
    """Return the card as a run freezes it, with the version that serves now where only a registry knows it."""
    card = plain_object(policy.policy.card.model_dump(by_alias=True, exclude_none=True))
    versions = card.get("versions")
    if policy.registry is not None and isinstance(versions, dict):
        known = serving(connection, policy.registry, at)
        card["versions"] = {
            **{name: each for name, each in versions.items() if name != "serving"},
            **({"serving": known} if known else {}),
        }
    return card
