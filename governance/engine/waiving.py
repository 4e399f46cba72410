"""Waivers by two people: one asks, another approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.compiled import CompiledRule
from governance.core.decision import Decision
from governance.core.duration import format_duration
from governance.core.metric import Labels
from governance.core.suggestion import closest
from governance.core.waiver import Waiver, WaiverRequest, WrittenWaiver, ends_written
from governance.core.waiver_document import split_ends
from governance.engine import entries
from governance.engine.operations import put_in_force
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.sealing import sealed
from governance.engine.second_persons import permit_approving, permit_refusing, second_persons, wanted
from governance.engine.waiver_ends import active, stored_facts
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, progress, waiver_requests, waivers
from governance.views import ApprovalView, WaiverDoneView, WaiverView

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
    at: datetime, ends_on: Sequence[str] = (),
) -> Answered:  # fmt: skip
    """Ask that a rule is not enforced on a model until an instant; somebody else must approve it.

    `ends_on` adds earlier ends: new_version, retrained, "unused_for 14d".

    :raises NotFound: when no card declares the model, or it has no such rule.
    :raises InvalidDocument: when it would end before it begins, or never.
    :raises Denied: when the actor may not.
    """
    declared(engine, model)
    permit(engine, actor, "waiver.request", model)
    rules = {each.rule.id: each for each in engine.plan.by_model[model].rules}
    if rule not in rules:
        raise NotFound(f"no rule '{rule}' holds for '{model}'; {closest(rule, rules) or 'see gov explain'}")
    _known_labels(labels, rules[rule])
    try:
        events, unused = split_ends(ends_on)
    except ValueError as error:
        raise InvalidDocument(f"ends_on: {error}") from error
    if not at < until <= at + LONGEST:
        raise InvalidDocument(f"until: a waiver ends after now, {at:%Y-%m-%dT%H:%M}Z, and within {LONGEST.days} days")
    with engine.database.transaction() as connection:
        new = waiver_requests.next_id(connection)
        made = WaiverRequest(
            new, model, rule, labels, because, str(actor), at, until, ends_on=events, unused_for=unused
        )
        waiver_requests.add(connection, made)
        decision = _entry(made, "waiver.requested", actor, at)
        decision_log.append(connection, [decision])
    return Answered(_view(engine, made), sealed(engine, decision.id, at))


def _known_labels(labels: Labels, rule: CompiledRule) -> None:
    """Refuse a waiver that could cover nothing, as its file would be."""
    wrong = next((name for name, _ in labels if name not in rule.dimensions), None)
    if wrong is not None:
        listed = f"they have {', '.join(rule.dimensions)}" if rule.dimensions else "they have none"
        raise InvalidDocument(f"labels: the instances of '{rule.rule.id}' have no label '{wrong}'; {listed}")


def approve(engine: Engine, request_id: str, *, actor: Actor | str, at: datetime) -> Answered:
    """Put a waiver in force.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor asked for it, or may not.
    :raises Conflict: when it was answered before, or would have ended.
    """
    with engine.database.transaction() as connection:
        asked = _waiting(connection, request_id, at)
        permit_approving(engine, actor, wanted(asked))
        serving = stored_facts(engine, asked.model, {}).version
        decision = put_in_force(engine, connection, asked.granted(str(actor), serving), at, actor)
        done = replace(asked, state="approved", decided_by=str(actor), said=f"approved by {actor}")
        waiver_requests.save(connection, done)
    return Answered(_view(engine, done), sealed(engine, decision.id, at))


def refuse(engine: Engine, request_id: str, *, actor: Actor | str, because: str, at: datetime) -> Answered:
    """Decline a waiver; who asked for it may take it back.

    :raises NotFound: when nobody asked for it.
    :raises Denied: when the actor may not.
    :raises Conflict: when it was answered before.
    """
    with engine.database.transaction() as connection:
        asked = _waiting(connection, request_id, at)
        permit_refusing(engine, actor, wanted(asked))
        done = replace(asked, state="refused", decided_by=str(actor), said=because)
        waiver_requests.save(connection, done)
        decision = _entry(done, "waiver.refused", actor, at)
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
        found: Sequence[Waiver] = active(engine, connection, at)
    return [waiver_view(each, at) for each in found]


def withdraw(engine: Engine, waiver_id: str, *, actor: Actor | str, because: str, at: datetime) -> WaiverDoneView:
    """End a waiver now: whoever may ask for one may also end it, as the rule then counts again.

    :raises NotFound: when no such waiver was ever in force.
    :raises Denied: when the actor may not.
    :raises Conflict: when it has ended already.
    """
    with engine.database.read() as connection:
        model = waivers.get(connection, waiver_id).model
    permit(engine, actor, "waiver.request", model)
    with engine.database.transaction() as connection:
        waiver = waivers.get(connection, waiver_id)
        if waiver.ended is not None or waiver.until <= at:
            by = f" ({waiver.ended})" if waiver.ended else ""
            raise Conflict(f"{waiver_id} ended at {waiver.ended_at or waiver.until:%Y-%m-%d %H:%M} UTC{by}")
        done, decision = _withdrawn(engine, connection, waiver, actor, because, at)
    return WaiverDoneView(waiver=waiver_view(done, at), entry=sealed(engine, decision.id, at))


def _withdrawn(
    engine: Engine, connection: Connection, waiver: Waiver, actor: Actor | str, because: str, at: datetime
) -> tuple[Waiver, Decision]:
    """End a waiver within a transaction, and return it with the entry of that."""
    under = entries.Under(engine.plan.version, progress.era(connection))
    done = replace(waiver, ended="withdrawn", ended_at=at, ended_by=str(actor))
    waivers.save(connection, done)
    decision = entries.of_waiver_end(done, at, under)
    decision = replace(decision, body={**decision.body, "said": because, **entries.channel(actor)})
    decision_log.append(connection, [decision])
    return done, decision


def follow_files(engine: Engine, at: datetime) -> int:
    """Ask for the waivers that files ask for, and withdraw what they no longer do; return how many changed."""
    if engine.standing.asked is engine.plan.waivers:
        return 0  # what is asked for is what was when all requests ever made were read, which is not done every second
    asked = engine.plan.waivers
    wanted = {each.key: each for each in asked}
    with engine.database.read() as connection:
        known = {each.written: each for each in waiver_requests.of_files(connection)}
    new = [each for key, each in wanted.items() if each.until > at and not _asked_already(known.get(key))]
    gone = [each for key, each in known.items() if key not in wanted and each.state in ("pending", "approved")]
    if not new and not gone:
        engine.standing.asked = asked
        return 0
    with engine.database.transaction() as connection:
        for written in new:
            _ask_for(connection, written, at)
        changed = [_no_longer_asked(engine, connection, each, at) for each in gone]
    decision_log.seal(engine.database, at)
    return len(new) + sum(changed)


def _asked_already(request: WaiverRequest | None) -> bool:
    """Tell whether a file's request was made: one whose file was away for a while is made anew."""
    return request is not None and request.state != "withdrawn"


def _ask_for(connection: Connection, written: WrittenWaiver, at: datetime) -> None:
    made = WaiverRequest(
        waiver_requests.next_id(connection), written.model, written.rule, written.labels, written.because,
        written.requested_by, at, written.until, ends_on=written.ends_on, unused_for=written.unused_for,
        written=written.key,
    )  # fmt: skip
    kind = "waiver.requested"
    if written.until > at + LONGEST:
        said = f"it would end in more than {LONGEST.days} days"
        made, kind = replace(made, state="refused", decided_by=entries.ENGINE, said=said), "waiver.refused"
    waiver_requests.add(connection, made)
    decision_log.append(
        connection, [_entry(made, kind, entries.ENGINE if made.said else entries.in_file(made.requested_by), at)]
    )


def _no_longer_asked(engine: Engine, connection: Connection, request: WaiverRequest, at: datetime) -> bool:
    """Withdraw what a file no longer asks for; what has ended by itself only loses its file."""
    said = "its file is gone or says something else"
    waiver = waivers.find(connection, request.id)  # also of a request whose approval was cut off by a crash
    if waiver is not None:
        over = waiver.ended is not None or waiver.until <= at
        if not over:
            _withdrawn(engine, connection, waiver, entries.ENGINE, said, at)
    else:
        over = request.until <= at
        done = replace(request, state="withdrawn", decided_by=entries.ENGINE, said=said)
        if not over:
            decision_log.append(connection, [_entry(done, "waiver.withdrawn", entries.ENGINE, at)])
    waiver_requests.save(connection, replace(request, state="withdrawn", decided_by=entries.ENGINE, said=said))
    return not over


def waiver_view(waiver: Waiver, at: datetime) -> WaiverView:
    """Return a waiver as it is shown at an instant."""
    ended = waiver.ended_at or waiver.until
    return WaiverView(
        id=waiver.id,
        model=waiver.model,
        rule=waiver.rule,
        labels=dict(waiver.labels),
        because=waiver.because,
        requested_by=waiver.requested_by,
        approved_by=waiver.approved_by,
        since=waiver.since,
        until=waiver.until,
        ends_on=list(waiver.ends),
        used_at=waiver.used_at,
        left=format_duration(timedelta(minutes=max(0, (ended - at) // timedelta(minutes=1)))),
        ended=waiver.ended or ("until" if waiver.until <= at else ""),
        from_file=bool(waiver.written),
    )


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
        who_may=list(second_persons(engine, wanted(asked))),
    )


def _entry(asked: WaiverRequest, kind: str, actor: Actor | str, at: datetime) -> Decision:
    subject = {"model": asked.model, "rule": asked.rule, "labels": entries.labels_text(asked.labels)}
    body = {
        "waiver": asked.id,
        "because": asked.because,
        "until": asked.until,
        **({"ends_on": list(ends)} if (ends := ends_written(asked.ends_on, asked.unused_for)) else {}),
        "said": asked.said,
        **entries.channel(actor),
    }
    return Decision(at, kind, str(actor), subject, body, entries.identity(kind, asked.id))
