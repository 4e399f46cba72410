"""Give a model back, wholly or in part: those whom its card names may, for tier 1 with a second person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from governance.core.approval import ANSWER_WITHIN, Approval
from governance.core.authority import Actor
from governance.core.switch import Mode, Scope, Setting, Switch, loosens
from governance.engine import entries
from governance.engine.parts import Engine
from governance.engine.permission import card_of, declared, permit, who_may
from governance.engine.sealing import sealed
from governance.engine.switching.change import (
    Act,
    Changed,
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
    with engine.database.read() as connection:
        if not switches.get(connection, model).seq:
            declared(engine, model)
    allowed = permit(engine, actor, "switch.restore", model)
    require_sound(engine)
    check_reason(because)
    check_confirmed(model, confirmed, f"restoring {model}")
    scope = Scope(scope.version, tuple(sorted(scope.labels)))
    after = restored_to(engine, model, scope, to, share, because=because, actor=str(actor), at=at)
    with engine.database.transaction() as connection:
        before = switches.get(connection, model)
        check_seq(before, seq)
        check_loosens(before, scope, after)
        if people_to_restore(engine, model) > 1:
            request = _asked(approvals.listed(connection, model=model, kind="switch.restore"), Approval(
                approvals.next_id(connection), "switch.restore", model, scope, before.seq, str(actor), at,
                because, at + ANSWER_WITHIN, to, share, channel=entries.channel(actor).get("channel", ""),
            ), at)  # fmt: skip
            approvals.add(connection, request)
            decision = of_approval(request, "switch.restore_requested", at, actor)
            decision_log.append(connection, [decision])
            done: Changed | None = None
        else:
            act = Act("switch.restored", actor, at, because, {"because_allowed": allowed.because})
            done = write(connection, engine, before, scope, after, act)
    if done is None:
        return Requested(
            request, who_may(engine, "switch.approve", model, but=str(actor)), sealed(engine, decision.id, at)
        )
    return SwitchDone(done.switch, done.setting, sealed(engine, done.identity, at), allowed.because)


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


def _asked(waiting: Sequence[Approval], request: Approval, at: datetime) -> Approval:
    """Refuse to ask twice for one thing."""
    for each in waiting:
        if each.scope == request.scope and at <= each.until:
            raise Conflict(
                f"{each.requested_by} asked for this at {each.requested_at:%Y-%m-%d %H:%M} UTC; a second person "
                f"answers with gov switch approve {each.id}"
            )
    return request
