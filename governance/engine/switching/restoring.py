"""Give a model back, wholly or in part: those whom its card names may, for tier 1 with a second person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import ANSWER_WITHIN, Approval
from governance.core.authority import Actor, Allowed
from governance.core.decision import Decision
from governance.core.switch import Mode, Scope, Setting, Switch, loosens
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import card_of, declared, permit, who_may
from governance.engine.sealing import sealed
from governance.engine.switching.change import (
    Act,
    Requested,
    SwitchDone,
    check_confirmed,
    check_reason,
    of_approval,
    words,
    write,
)
from governance.engine.switching.pulling import setting
from governance.engine.switching.trusting import require_sound
from governance.errors import Conflict
from governance.store import approvals, decision_log, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection

ALL = Scope()


def restore(
    engine: Engine,
    model: str,
    *,
    actor: Actor | str,
    because: str,
    at: datetime,
    seq: int,
    confirmed: str,
    scope: Scope = ALL,
    to: Mode = "live",
    share: float = 1.0,
) -> SwitchDone | Requested:
    """Give back one scope, which the actor saw at `seq`; `to` another mode than live only in part.

    For a model of tier 1 this is a request that waits for a second person, for a day.

    :raises NotFound: when no card declares the model and it was never pulled.
    :raises Denied: when the actor may not, has not confirmed with the model's name, or the log does not verify.
    :raises Conflict: when nothing is set, somebody changed the switch since, asked already, or it loosens nothing.
    """
    allowed = _allowed(engine, model, actor, because, confirmed)
    scope = Scope(scope.version, tuple(sorted(scope.labels)))
    after = restored_to(engine, model, scope, to, share, because=because, actor=str(actor), at=at)
    act = Act("switch.restored", actor, at, because, {"because_allowed": allowed.because})
    alone = people_to_restore(engine, model) < 2
    with engine.database.transaction() as connection:
        before = switches.get(connection, model)
        check_seq(before, seq)
        check_loosens(before, scope, after)
        if alone:
            done = write(connection, engine, before, scope, after, act)
        else:
            request, decision = _ask(connection, before, scope, to, share, act)
    if alone:
        return SwitchDone(done.switch, done.setting, sealed(engine, done.identity, at), allowed.because)
    who = who_may(engine, "switch.approve", model, but=str(actor))
    return Requested(request, who, sealed(engine, decision.id, at))


def _allowed(engine: Engine, model: str, actor: Actor | str, because: str, confirmed: str) -> Allowed:
    """Return why the actor may restore a model that there is or was, having said why and typed its name."""
    with engine.database.read() as connection:
        if not switches.get(connection, model).seq:
            declared(engine, model)
    allowed = permit(engine, actor, "switch.restore", model)
    require_sound(engine)
    check_reason(because)
    check_confirmed(model, confirmed, f"restoring {model}")
    return allowed


def people_to_restore(engine: Engine, model: str) -> int:
    """Return how many people a restore takes: two for tier 1, and where no card tells the tier."""
    card = card_of(engine, model)
    return 2 if card is None or card.tier == 1 else 1


def restored_to(
    engine: Engine,
    model: str,
    scope: Scope,
    to: Mode,
    share: float,
    *,
    because: str,
    actor: str,
    at: datetime,
    approved_by: str = "",
) -> Setting | None:
    """Return what holds after a restore: None when the scope is live again.

    :raises InvalidDocument: for a share that is no throttle.
    """
    if to == "live":
        return None
    after = setting(engine, model, to, scope, share, because=because, actor=actor, at=at)
    return replace(after, approved_by=approved_by)


def check_seq(switch: Switch, seq: int) -> None:
    """Refuse an act on a state of the switch that is no longer.

    :raises Conflict: saying what changed.
    """
    if switch.seq == seq:
        return
    last = next((each for each in switch.settings if each.seq == switch.seq), None)
    who = (
        f"{last.set_by}: {words(switch.model, last.scope, last)}, because {last.reason}" if last else "it was restored"
    )
    when = f"{switch.changed_at:%Y-%m-%d %H:%M} UTC" if switch.changed_at else "an unknown time"
    seen = f"you saw seq {seq}, it is {switch.seq}"
    raise Conflict(f"the switch of {switch.model} changed since you looked ({seen}); at {when} {who}")


def check_loosens(before: Switch, scope: Scope, after: Setting | None) -> None:
    """Refuse what gives nothing back.

    :raises Conflict: saying what holds.
    """
    was = before.at(scope)
    if was is None:
        others = "; ".join(words(before.model, each.scope, each) for each in before.settings)
        raise Conflict(f"{words(before.model, scope, None)} already{f', but {others}' if others else ''}")
    if after is not None and not loosens(was, replace(after, expires_at=was.expires_at)):
        raise Conflict(f"{words(before.model, scope, was)}; that is no restore but a pull (gov switch pull)")


def _ask(
    connection: Connection, before: Switch, scope: Scope, to: Mode, share: float, act: Act
) -> tuple[Approval, Decision]:
    """Write a request that waits for a second person, and return it with its decision.

    :raises Conflict: when somebody asked for the same already.
    """
    for each in approvals.listed(connection, model=before.model, kind="switch.restore"):
        if each.scope == scope and act.at <= each.until:
            raise Conflict(
                f"{each.requested_by} asked for this at {each.requested_at:%Y-%m-%d %H:%M} UTC; a second person "
                f"answers with gov switch approve {each.id}"
            )
    request = Approval(
        approvals.next_id(connection), "switch.restore", before.model, scope, before.seq, act.who, act.at,
        act.because, act.at + ANSWER_WITHIN, to, share, channel=entries.channel(act.actor).get("channel", ""),
    )  # fmt: skip
    approvals.add(connection, request)
    decision = of_approval(request, "switch.restore_requested", act.at, act.actor)
    decision_log.append(connection, [decision])
    return request, decision
