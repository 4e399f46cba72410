"""Begin the runbooks of rules that act: once for each firing, in the transaction of the alert."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.alert import AlertKey
from governance.core.decision import Decision
from governance.core.incident import Incident
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.running.beginning import begin
from governance.engine.switching.automatic import still_acting
from governance.errors import GovernanceError
from governance.store import alerts, decision_log

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class RuleRun:
    """A run that a firing rule asks for, and the incident that it is about."""

    key: AlertKey
    runbook: str
    summary: str
    incident: Incident


def begin_by_rule(connection: Connection, engine: Engine, asked: RuleRun, at: datetime) -> str:
    """Begin a run, and return what people are told of it: also why it was not begun, which is recorded."""
    authored = engine.plan.runbooks.get(asked.runbook)
    try:
        if authored is None:
            raise _Gone(f"there is no runbook '{asked.runbook}'")
        run, _ = begin(
            connection, engine, authored.document, asked.key.model, at=at, because=asked.summary, about=asked.incident,
            labels=asked.key.labels, rule=asked.key.rule,
        )  # fmt: skip
    except GovernanceError as error:
        decision_log.append(connection, [_not_started(engine, asked, str(error), at)])
        return f"Runbook {asked.runbook} was not begun: {error}."
    engine.runner.wake()
    return f"{run.id} of runbook {asked.runbook} was begun by {asked.key.rule}."


def begin_owed(engine: Engine, at: datetime) -> None:
    """Begin the runs that late cycles left to the present, where that is still true."""
    with engine.database.transaction() as connection:
        owing = [alert for alert in alerts.active(connection).values() if alert.owes_pull]
        settled = []
        for alert in owing:
            still = still_acting(connection, engine, alert)
            if still is not None and still[0].runbook is not None:
                then, finding, incident = still
                begin_by_rule(connection, engine, RuleRun(alert.key, then.runbook or "", finding.summary, incident), at)
                settled.append(replace(alert, owes_pull=False))
        alerts.save(connection, settled)


class _Gone(GovernanceError):
    """The runbook that a rule names is not there any more."""


def _not_started(engine: Engine, asked: RuleRun, said: str, at: datetime) -> Decision:
    subject = {"model": asked.key.model, "incident": str(asked.incident.id), "runbook": asked.runbook}
    body = {
        "rule": asked.key.rule,
        "labels": entries.labels_text(asked.key.labels),
        "because": said,
        "found": asked.summary,
        "policy_version": engine.plan.version,
    }
    name = "runbook.not_started"
    known = entries.identity(name, repr(asked.key), str(asked.incident.id), at.isoformat())
    return Decision(at, name, entries.ENGINE, subject, body, known)
