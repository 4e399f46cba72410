"""What people do: with incidents (answering), and with waivers that were approved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.waiver import Waiver
from governance.engine import entries
from governance.engine.answering import (
    Done,
    acknowledge,
    escalate,
    hand_over,
    link,
    merge,
    note,
    resolve,
    set_severity,
    snooze,
)
from governance.engine.parts import Engine
from governance.engine.permission import NotPermitted, permit
from governance.engine.sealing import sealed
from governance.errors import NotFound
from governance.store import decision_log, waivers

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = [
    "Done",
    "acknowledge",
    "escalate",
    "hand_over",
    "link",
    "merge",
    "note",
    "put_in_force",
    "resolve",
    "set_severity",
    "snooze",
    "waive",
]


def waive(engine: Engine, waiver: Waiver, *, at: datetime) -> int:
    """Put an approved waiver in force and return the number of its entry.

    :raises Denied: when the requester approves it, or either may not.
    :raises NotFound: when the model has no such rule.
    """
    with engine.database.transaction() as connection:
        entry = put_in_force(engine, connection, waiver, at)
    return sealed(engine, entry.id, at)


def put_in_force(
    engine: Engine, connection: Connection, waiver: Waiver, at: datetime, actor: Actor | str = ""
) -> Decision:
    """Write an approved waiver and its entry within a transaction; raises as `waive` does."""
    permit(engine, waiver.requested_by, "waiver.request", waiver.model)
    permit(engine, waiver.approved_by, "waiver.approve", waiver.model)
    if waiver.requested_by == waiver.approved_by:
        said = f"{waiver.requested_by} asked for this waiver; somebody else must approve it"
        raise NotPermitted(
            engine, waiver.approved_by, "waiver.approve", waiver.model, "who asked does not approve", said
        )
    policy = engine.plan.by_model.get(waiver.model)
    if policy is None or waiver.rule not in {each.rule.id for each in policy.rules}:
        raise NotFound(f"no rule '{waiver.rule}' holds for '{waiver.model}'")
    subject = {"model": waiver.model, "rule": waiver.rule, "labels": entries.labels_text(waiver.labels)}
    body = {"because": waiver.because, "requested_by": waiver.requested_by, "until": waiver.until}
    body |= entries.channel(actor)
    waivers.add(connection, replace(waiver, since=at))
    entry = Decision(at, "waiver.approved", waiver.approved_by, subject, body, entries.identity("waiver", waiver.id))
    decision_log.append(connection, [entry])
    return entry
