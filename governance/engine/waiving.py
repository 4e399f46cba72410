"""Waivers by two people: one asks, another approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.metric import Labels
from governance.core.suggestion import closest
from governance.core.waiver import Waiver, WaiverRequest
from governance.engine import entries
from governance.engine.operations import waive
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit, who_may
from governance.engine.sealing import sealed
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, waiver_requests, waivers
from governance.views import ApprovalView, WaiverView

if TYPE_CHECKING:
    from sqlalchemy import Connection

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request as it is shown, and the entry that proves what became of it."""

    view: ApprovalView
    entry: int


def request(
    engine: Engine, model: str, rule: str, *, labels: Labels, because: str, until: datetime, actor: Actor | str,
    at: datetime,
) -> Answered:  # fmt: skip
    """Ask that a rule is not enforced on a model until an instant; somebody else must approve it.

    :raises NotFound: when no card declares the model, or it has no such rule.
    :raises InvalidDocument: when it would end before it begins, or never.
    :raises Denied: when the actor may not.
    """
    declared(engine, model)
    permit(engine, actor, "waiver.request", model)
    rules = {each.rule.id for each in engine.plan.by_model[model].rules}
    if rule not in rules:
        raise NotFound(f"no rule '{rule}' holds for '{model}'; {closest(rule, rules) or 'see gov explain'}")
    if not at < until <= at + LONGEST:
        raise InvalidDocument(f"until: a waiver ends after now, {at:%Y-%m-%dT%H:%M}Z, and within {LONGEST.days} days")
    with engine.database.transaction() as connection:
        new = waiver_requests.next_id(connection)
        made = WaiverRequest(new, model, rule, labels, because, str(actor), at, until)
        waiver_requests.add(connection, made)
        decision = _entry(made, "waiver.requested", str(actor), at)
        decision_log.append(connection, [decision])
    return Answered(_view(engine, made), sealed(engine, decision.id, at))


def approve(engine: Engine, request_id: str, *, actor: Actor | str, at: datetime) -> Answered:
    """Put a waiver in force.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor asked for it, or may not.
    :raises Conflict: when it was answered before, or would have ended.
    """
    with engine.database.read() as connection:
        asked = _waiting(connection, request_id, at)
    permit(engine, actor, "waiver.approve", asked.model)
    entry = waive(engine, asked.granted(str(actor)), at=at)  # of two who approve at once, one has no such id left
    done = replace(asked, state="approved", decided_by=str(actor), said=f"approved by {actor}")
    with engine.database.transaction() as connection:
        waiver_requests.save(connection, done)
    return Answered(_view(engine, done), entry)


def refuse(engine: Engine, request_id: str, *, actor: Actor | str, because: str, at: datetime) -> Answered:
    """Decline a waiver; who asked for it may take it back.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor may not.
    :raises Conflict: when it was answered before.
    """
    with engine.database.transaction() as connection:
        asked = _waiting(connection, request_id, at)
        permit(engine, actor, "waiver.request" if str(actor) == asked.requested_by else "waiver.approve", asked.model)
        done = replace(asked, state="refused", decided_by=str(actor), said=because)
        waiver_requests.save(connection, done)
        decision = _entry(done, "waiver.refused", str(actor), at)
        decision_log.append(connection, [decision])
    return Answered(_view(engine, done), sealed(engine, decision.id, at))


def pending(engine: Engine, at: datetime) -> list[ApprovalView]:
    """Return the waivers that wait for a second person."""
    with engine.database.read() as connection:
        found: Sequence[WaiverRequest] = waiver_requests.pending(connection)
    return [_view(engine, each) for each in found if at < each.until]


def shown(engine: Engine, request_id: str) -> ApprovalView:
    """Return one request, whatever became of it.

    :raises NotFound: when nobody asked for it.
    """
    with engine.database.read() as connection:
        return _view(engine, waiver_requests.get(connection, request_id))


def holding(engine: Engine, at: datetime) -> list[WaiverView]:
    """Return the waivers in force, those that end first before the others."""
    with engine.database.read() as connection:
        found: Sequence[Waiver] = waivers.holding(connection, at)
    return [
        WaiverView(
            id=each.id,
            model=each.model,
            rule=each.rule,
            labels=dict(each.labels),
            because=each.because,
            requested_by=each.requested_by,
            approved_by=each.approved_by,
            since=each.since,
            until=each.until,
        )
        for each in sorted(found, key=lambda each: each.until)
    ]


def _waiting(connection: Connection, request_id: str, at: datetime) -> WaiverRequest:
    asked = waiver_requests.get(connection, request_id)
    if asked.state != "pending":
        raise Conflict(f"{request_id} was {asked.state} by {asked.decided_by}: {asked.said}")
    if asked.until <= at:
        raise Conflict(f"{request_id} would have ended at {asked.until:%Y-%m-%d %H:%M} UTC; ask anew")
    return asked


def _view(engine: Engine, asked: WaiverRequest) -> ApprovalView:
    return ApprovalView(
        id=asked.id,
        kind="waiver",
        model=asked.model,
        text=asked.text,
        requested_by=asked.requested_by,
        requested_at=asked.requested_at,
        expires_at=asked.until,
        state=asked.state,
        who_may=list(who_may(engine, "waiver.approve", asked.model, but=asked.requested_by)),
    )


def _entry(asked: WaiverRequest, kind: str, actor: str, at: datetime) -> Decision:
    subject = {"model": asked.model, "rule": asked.rule, "labels": entries.labels_text(asked.labels)}
    body = {"waiver": asked.id, "because": asked.because, "until": asked.until, "said": asked.said}
    return Decision(at, kind, actor, subject, body, entries.identity(kind, asked.id))
