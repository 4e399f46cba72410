"""Pull a kill switch: a responder may, at once; what would let the model answer more is a restore instead."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.acting_checks import SHORTEST
from governance.core.authority import Actor, Allowed
from governance.core.duration import format_duration
from governance.core.switch import Mode, Scope, Setting, ending_no_sooner, loosens
from governance.engine.entries import OWN
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.sealing import sealed
from governance.engine.switching.change import (
    Act,
    Changed,
    SwitchDone,
    check_confirmed,
    check_reason,
    words,
    write,
)
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import incidents, switches

if TYPE_CHECKING:
    from sqlalchemy import Connection


def pull(
    engine: Engine,
    model: str,
    mode: Mode,
    *,
    actor: Actor | str,
    because: str,
    at: datetime,
    scope: Scope = Scope(),  # noqa: B008 (it is frozen)
    share: float = 1.0,
    expires: timedelta | None = None,
    incident: int | None = None,
    confirmed: str = "",
) -> SwitchDone:
    """Take a model, or one scope of it, out of service; narrower settings stay as they are.

    What is set for longer stays set for longer: with `expires` it ends no sooner than what it replaces. Stopping must
    be `confirmed` with the model's name.

    :raises NotFound: when no card declares the model, or there is no such incident.
    :raises Denied: when the actor may not, or has not confirmed.
    :raises Conflict: when it would let the model answer more, or sooner, than it does now.
    :raises InvalidDocument: for a share, an expiry or a reason that cannot be.
    """
    asked, allowed = wanted(
        engine, model, mode, actor=actor, because=because, at=at, scope=scope, share=share, expires=expires
    )
    if mode == "stopped":
        check_confirmed(model, confirmed, f"stopping {model}")
    act = Act("switch.pulled", actor, at, because, {"because_allowed": allowed.because})
    with engine.database.transaction() as connection:
        done = pulled(connection, engine, model, replace(asked, incident=incident), act)
    return SwitchDone(done.switch, done.setting, sealed(engine, done.identity, at), allowed.because)


def wanted(
    engine: Engine,
    model: str,
    mode: Mode,
    *,
    actor: Actor | str,
    because: str,
    at: datetime,
    scope: Scope,
    share: float = 1.0,
    expires: timedelta | None = None,
) -> tuple[Setting, Allowed]:
    """Return what somebody wants to hold for a scope, and why they may; it raises what `pull` raises."""
    if declared(engine, model).model in OWN:
        raise NotFound("the engine itself has no kill switch; name a model")
    allowed = permit(engine, actor, "switch.pull", model)
    found = setting(engine, model, mode, scope, share, because=because, actor=str(actor), at=at)
    check_reason(because)
    return expiring(found, expires), allowed


def pulled(connection: Connection, engine: Engine, model: str, wanted: Setting, act: Act) -> Changed:
    """Write a pull in the caller's transaction.

    :raises NotFound: when there is no such incident.
    :raises Conflict: when it would let the model answer more, or sooner, than it does now.
    """
    if wanted.incident is not None:
        incidents.get(connection, wanted.incident)
    before = switches.get(connection, model)
    was = before.at(wanted.scope)
    if was is not None and loosens(was, wanted):
        raise Conflict(_loosening(model, wanted.scope, was))
    return write(connection, engine, before, wanted.scope, ending_no_sooner(was, wanted), act)


def setting(
    engine: Engine, model: str, mode: Mode, scope: Scope, share: float, *, because: str, actor: str, at: datetime
) -> Setting:
    """Return a setting that is not live, with the fallback that the card names.

    :raises InvalidDocument: for a mode that is no pull, or a share that is no throttle.
    """
    check_mode(mode, share)
    policy = engine.plan.by_model.get(model)
    versions = policy.policy.card.versions if policy is not None else None
    return Setting(
        scope=Scope(scope.version, tuple(sorted(scope.labels))),
        mode=mode,
        share=share if mode == "throttle" else 1.0,
        reason=because,
        set_by=actor,
        set_at=at,
        fallback=(versions.fallback if versions else None) or "",
    )


def check_mode(mode: Mode, share: float) -> None:
    """Refuse what is no pull.

    :raises InvalidDocument: for live, or a throttle of none or of all.
    """
    if mode == "live":
        raise InvalidDocument("live is no pull; restore the model instead (gov switch restore)")
    if mode == "throttle" and not 0 < share < 1:
        raise InvalidDocument(
            "a throttle needs the share of requests that get the fallback, more than 0 and less than 1, such as 25%; "
            "for all of them use fallback"
        )


def expiring(wanted: Setting, expires: timedelta | None) -> Setting:
    """Return a setting that ends so long after it was set.

    :raises InvalidDocument: when that is too soon.
    """
    if expires is None:
        return wanted
    if expires < SHORTEST:
        raise InvalidDocument(f"an expiry is {format_duration(SHORTEST)} or longer, not {format_duration(expires)}")
    return replace(wanted, expires_at=wanted.set_at + expires, lasting=expires)


def _loosening(model: str, scope: Scope, was: Setting) -> str:
    since = f"since {was.set_at:%Y-%m-%d %H:%M} UTC by {was.set_by}, seq {was.seq}"
    return (
        f"{words(model, scope, was)} already ({since}); this would let it answer more, or sooner: that is a restore "
        f"(gov switch restore {model})"
    )
