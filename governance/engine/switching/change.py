"""A change of a switch: the new state, what it voids and ends, and its entry, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import Approval, decided
from governance.core.authority import Actor
from governance.core.decision import Decision
from governance.core.switch import Scope, Setting, Switch, changed
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.switching import paging
from governance.engine.switching.mitigating import follow
from governance.errors import Denied, InvalidDocument
from governance.store import approvals, decision_log, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes a switch, when, why, and the kind of its entry; `details` are said in the entry besides."""

    kind: str
    actor: Actor | str
    at: datetime
    because: str
    details: Mapping[str, object]

    @property
    def who(self) -> str:
        """Under which id the log knows who acts."""
        return str(self.actor)


@dataclass(frozen=True, slots=True)
class Changed:
    """A switch as it was written, its new setting (None: live), and the id of its decision."""

    switch: Switch
    setting: Setting | None
    identity: str


@dataclass(frozen=True, slots=True)
class SwitchDone:
    """A switch after an act, what holds for the scope now (None: live), the sealed entry, and why the actor may."""

    switch: Switch
    setting: Setting | None
    entry: int
    because_allowed: str


@dataclass(frozen=True, slots=True)
class Requested:
    """A restore that waits for a second person: who may be asked, and the entry of the request."""

    approval: Approval
    who_may: tuple[str, ...]
    entry: int


@dataclass(frozen=True, slots=True)
class Change:
    """One scope of one switch to be set anew, None to live; `identity` is of its decision, "" for that of `seq`."""

    before: Switch
    scope: Scope
    after: Setting | None
    act: Act
    identity: str = ""


def write(
    connection: Connection,
    engine: Engine,
    before: Switch,
    scope: Scope,
    after: Setting | None,
    act: Act,
    *,
    identity: str = "",
) -> Changed:
    """Write a switch with one scope set anew, and what follows: requests about it are void, its page ends."""
    return write_many(connection, engine, [Change(before, scope, after, act, identity)])[0]


def write_many(connection: Connection, engine: Engine, changes: Sequence[Change]) -> list[Changed]:
    """Write changes of different switches in bulk, each with its entry and what follows of it, in their order."""
    last = switches.last_seq(connection)
    done = [_changed(each, seq) for seq, each in enumerate(changes, last + 1)]
    switches.save(connection, *(each.switch for each in done))
    pairs = list(zip(changes, done, strict=True))
    decision_log.append(connection, [_decision(*pair) for pair in pairs])
    _void(connection, pairs)
    for change, each in pairs:
        was = change.before.at(change.scope)
        if was is not None and was.extended and (each.setting is None or not each.setting.extended):
            paging.close(connection, engine, paging.extended(change.before.model, change.scope), change.act.at)
    follow(connection, [(each.before, one.switch, each.act.actor, each.act.at) for each, one in pairs])
    return done


def _changed(change: Change, seq: int) -> Changed:
    switch = changed(change.before, change.scope, change.after, seq=seq, at=change.act.at)
    return Changed(switch, switch.at(change.scope), change.identity or entries.identity("switch", str(seq)))


def _decision(change: Change, done: Changed) -> Decision:
    act, was, now = change.act, change.before.at(change.scope), done.setting
    body = {
        "seq": done.switch.seq,
        "because": act.because,
        "before": described(was),
        "after": described(now),
        **entries.channel(act.actor),
        **act.details,
    }
    about = subject(change.before.model, change.scope, now or was)
    return Decision(act.at, act.kind, act.who, about, body, done.identity)


def subject(model: str, scope: Scope, setting: Setting | None) -> dict[str, str]:
    """Return what an entry about a switch is about."""
    about = {"model": model, "scope": str(scope)}
    if setting is not None and setting.incident is not None:
        about["incident"] = str(setting.incident)
    return about


def described(setting: Setting | None) -> dict[str, object]:
    """Return a setting as an entry holds it."""
    if setting is None:
        return {"mode": "live"}
    return {
        "mode": setting.mode,
        "share": setting.share,
        "reason": setting.reason,
        "set_by": setting.set_by,
        "origin": setting.origin,
        "expires_at": setting.expires_at,
        "extended": setting.extended,
        "salt": setting.salt,
        "fallback": setting.fallback,
        "guards": list(setting.guards),
    }


def words(model: str, scope: Scope, setting: Setting | None) -> str:
    """Return what holds for a scope as a sentence without its end: "m is stopped (version 3)"."""
    about = "" if scope == Scope() else f" ({scope})"
    return f"{model} is {mode_words(setting)}{about}"


def mode_words(setting: Setting | None) -> str:
    """Return a mode as it stands behind "is"."""
    if setting is None:
        return "live"
    if setting.mode == "throttle":
        return f"throttled: {setting.share * 100:.3g} % of its requests get the fallback"
    return setting.mode if setting.mode == "stopped" else f"in {setting.mode}"


def check_reason(because: str) -> None:
    """Refuse an act that does not say why.

    :raises InvalidDocument: when it does not.
    """
    if not because.strip():
        raise InvalidDocument("say why (--because): whoever reads the log must know")


def check_confirmed(model: str, confirmed: str, what: str) -> None:
    """Refuse a grave act that was not confirmed with the model's typed name.

    :raises Denied: saying what to type.
    """
    if confirmed != model:
        raise Denied(
            f"{what} must be confirmed with the model's name; type {model} (on the command line: --confirm {model})"
        )


def _void(connection: Connection, pairs: Iterable[tuple[Change, Changed]]) -> None:
    """Void the requests that were made on another state of the switches."""
    changes = {change.before.model: (change, done) for change, done in pairs}
    waiting = [each for each in approvals.listed(connection, kind="switch.restore") if each.model in changes]
    voided = [(_voided(each, *changes[each.model]), changes[each.model][0].act) for each in waiting]
    approvals.save(connection, [request for request, _ in voided])
    entered = [of_approval(request, "switch.voided", act.at, act.actor) for request, act in voided]
    decision_log.append(connection, entered)


def _voided(request: Approval, change: Change, done: Changed) -> Approval:
    act, now = change.act, words(request.model, change.scope, done.setting)
    when = f"{act.at:%Y-%m-%d %H:%M} UTC"
    said = f"{act.who} changed the switch meanwhile: since {when} {now} (seq {done.switch.seq})"
    return decided(request, "voided", actor=act.who, at=act.at, said=said)


def of_approval(approval: Approval, kind: str, at: datetime, actor: Actor | str = "") -> Decision:
    """Return the entry of a request, or of what became of it by somebody."""
    body = {
        "approval": approval.id,
        "to": approval.to,
        "share": approval.share,
        "seq": approval.seq,
        "because": approval.because,
        "requested_by": approval.requested_by,
        "said": approval.said,
        **entries.channel(actor),
    }
    about = {"model": approval.model, "scope": str(approval.scope), "approval": approval.id}
    identity = entries.identity("approval", approval.id, approval.state)
    return Decision(at, kind, approval.decided_by or approval.requested_by, about, body, identity)
