"""Silences: made and ended by people, and ended by their time; then who was not told hears of what is still open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.digest import BURST, waiting
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.core.metric import Labels
from governance.core.silence import Silence
from governance.core.silence_document import LONGEST
from governance.core.suggestion import closest
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.sealing import sealed
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, effects, incidents, silences
from governance.views import SilenceDoneView, SilenceView

if TYPE_CHECKING:
    from sqlalchemy import Connection


def create(
    engine: Engine, *, model: str = "", rule: str = "", labels: Labels = (), because: str, until: datetime,
    actor: Actor | str, at: datetime, models: Sequence[str] = (), maintenance: bool = False,
) -> SilenceDoneView:  # fmt: skip
    """Mute notifications until an instant; without a `model`, or `models`, all of them, for who may do so everywhere.

    With `maintenance` it is a maintenance window, which is about whole models.

    :raises NotFound: when no card declares the model, or it has no such rule.
    :raises InvalidDocument: when it would not end after now and within a month.
    :raises Denied: when the actor may not.
    """
    names = tuple(dict.fromkeys([*([model] if model else []), *models]))
    for each in names:
        declared(engine, each)
    for name in names or (None,):
        permit(engine, actor, "silence.create", name)
    if maintenance and (rule or labels):
        raise InvalidDocument("maintenance: a window is about whole models; mute rules or labels with a silence")
    policies = [each for each in engine.plan.policies if not names or each.model in names]
    rules = {each.rule.id for policy in policies for each in policy.rules}
    if rule and rule not in rules:
        about = " and ".join(names) or "any model"
        raise NotFound(f"no rule '{rule}' holds for {about}; {closest(rule, rules) or 'see gov eval'}")
    if not at < until <= at + LONGEST:
        raise InvalidDocument(f"until: a silence ends after now, {at:%Y-%m-%dT%H:%M}Z, and within {LONGEST.days} days")
    with engine.database.transaction() as connection:
        one, several = (names[0], ()) if len(names) == 1 else ("", names)
        made = Silence(
            silences.next_id(connection), str(actor), because, at, until, one, rule, labels, models=several,
            maintenance=maintenance,
        )  # fmt: skip
        silences.add(connection, made)
        decision = _entry(made, "silence.created", actor, at, because)
        decision_log.append(connection, [decision])
    return SilenceDoneView(silence=view(made, at), entry=sealed(engine, decision.id, at))


def end(engine: Engine, silence: str, *, because: str, actor: Actor | str, at: datetime) -> SilenceDoneView:
    """End a silence now; at the next beat who was not told hears of what is still open.

    :raises NotFound: when there is none of that id.
    :raises Conflict: when it has ended.
    :raises Denied: when the actor may not.
    """
    with engine.database.transaction() as connection:
        before = silences.get(connection, silence)
        for name in before.names or (None,):
            permit(engine, actor, "silence.end", name)
        if not before.holds(at):
            when = before.ended_at or before.until
            who = f" by {before.ended_by}" if before.ended_by else ""
            raise Conflict(f"{silence} was ended{who} at {when:%Y-%m-%d %H:%M} UTC")
        after = replace(before, ended_at=at, ended_by=str(actor))
        silences.save(connection, after)
        decision = _entry(after, "silence.ended", actor, at, because)
        decision_log.append(connection, [decision])
    return SilenceDoneView(silence=view(after, at), entry=sealed(engine, decision.id, at))


def listed(engine: Engine, at: datetime, *, ended: bool = False) -> list[SilenceView]:
    """Return the silences that hold, or all that there ever were."""
    with engine.database.read() as connection:
        found = silences.listed(connection)
    return [view(each, at) for each in found if ended or each.holds(at)]


def view(silence: Silence, at: datetime) -> SilenceView:
    """Return a silence as it is shown."""
    return SilenceView(
        id=silence.id,
        model=silence.model,
        rule=silence.rule,
        labels=dict(silence.labels),
        because=silence.because,
        by=silence.by,
        since=silence.since,
        until=silence.until,
        state="holds" if silence.holds(at) else "ended",
        ended_by=silence.ended_by,
        models=list(silence.names),
        maintenance=silence.maintenance,
    )


def catch_up(engine: Engine, at: datetime) -> None:
    """Tell what is still open to who was not told of it, for each silence that has ended since the last beat."""
    with engine.database.read() as connection:
        if not any(each.is_over(at) for each in silences.open_(connection)):
            return
    with engine.database.transaction() as connection:
        over = [each for each in silences.open_(connection) if each.is_over(at)]
        still = silences.holding(connection, at)
        opened = incidents.listed(connection, status="open")
        for each in over:
            untold = list(_untold(connection, each, opened, still, at))
            effects.add(connection, waiting(untold) if len(untold) > BURST else untold)
            silences.save(connection, replace(each, ended_at=each.ended_at or each.until, caught_up=True))
            if each.ended_at is None:
                decision_log.append(connection, [_entry(each, "silence.expired", entries.ENGINE, at, "")])
    decision_log.seal(engine.database, at)


def follow_files(engine: Engine, at: datetime) -> int:
    """Mute what files ask for while it is their time, and end what they no longer ask for; return how many changed."""
    wanted = {each.key for each in engine.plan.silences}
    with engine.database.read() as connection:
        begun = [each for each in silences.open_(connection) if each.written]
        due = [(each, time) for each in engine.plan.silences if (time := each.at(at)) is not None]
        made = (
            {each.written for each in silences.listed(connection) if each.ended_by != entries.ENGINE} if due else set()
        )
    new = [(each, time) for each, time in due if time.key not in made]
    gone = [each for each in begun if each.written.partition("@")[0] not in wanted and each.holds(at)]
    if not new and not gone:
        return 0
    with engine.database.transaction() as connection:
        for each, time in new:
            muting = Silence(
                silences.next_id(connection), each.by, each.because, time.since, time.until, each.model, each.rule,
                each.labels, written=time.key, models=each.models, maintenance=each.maintenance,
            )  # fmt: skip
            silences.add(connection, muting)
            decision_log.append(
                connection, [_entry(muting, "silence.created", entries.in_file(each.by), at, each.because)]
            )
        for silence in gone:
            over = replace(silence, ended_at=at, ended_by=entries.ENGINE)
            silences.save(connection, over)
            why = "its file is gone or says something else"
            decision_log.append(connection, [_entry(over, "silence.ended", entries.ENGINE, at, why)])
    decision_log.seal(engine.database, at)
    return len(new) + len(gone)


def _untold(
    connection: Connection, over: Silence, opened: list[Incident], still: list[Silence], at: datetime
) -> Iterator[Effect]:
    """Yield the newest notification of each open incident that this silence kept from somebody."""
    for incident in opened:
        if any(each.covers(incident) for each in still):
            continue
        known = sorted(effects.of_incident(connection, incident.id), key=_version)
        newest = {each.notifier: each for each in known if not each.level}  # the clock tells a page itself
        for effect in newest.values():
            if effect.silence == over.id:
                key = f"{effect.key}-{over.id}"
                yield replace(effect, key=key, state="due", next_at=at, receipt="", silence="")


def _version(effect: Effect) -> int:
    return effect.version


def _entry(silence: Silence, kind: str, actor: Actor | str, at: datetime, because: str) -> Decision:
    subject = {"silence": silence.id, **({"model": silence.names[0]} if len(silence.names) == 1 else {})}
    body = {
        "rule": silence.rule,
        "labels": entries.labels_text(silence.labels),
        "because": because,
        "until": silence.until,
        "by": silence.by,
        **({"models": list(silence.names)} if len(silence.names) > 1 else {}),
        **({"maintenance": True} if silence.maintenance else {}),
        **entries.channel(actor),
    }
    return Decision(at, kind, str(actor), subject, body, entries.identity(kind, silence.id))
