"""How the acts of people and the reads of serving processes meet: the board of switches."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

from starlette.types import Scope

from governance.api.ofrep.evaluation import Allowed
from governance.api.switches import Wire
from governance.core.authority import Actor, authority
from governance.core.authority import Allowed as Yes
from governance.engine.board import Board
from governance.engine.keyring import Login
from governance.engine.parts import Engine
from governance.errors import Unavailable
from governance.ports import Clock
from governance.views import ConfirmationsView

_MOST = 10_000


def wire_of(board: Board, clock: Clock) -> Wire:
    """Return what follows a change of a switch in this process: it is on the board before the act is answered."""

    def confirmations(model: str) -> ConfirmationsView:
        heard = board.confirmations(model, clock.now())
        return ConfirmationsView(
            total=heard.total, confirmed=heard.confirmed, late=list(heard.late), silent=list(heard.silent)
        )

    def changed() -> None:
        with suppress(Unavailable):  # the watcher sees it a moment later
            board.refresh()

    return Wire(confirmations, changed)


def readers(engine: Engine) -> Allowed:
    """Return what tells which models a caller may read the switches of, from memory; None: all."""
    known: dict[Actor, frozenset[str] | None] = {}

    def allowed(scope: Scope) -> Collection[str] | None:
        login: Login = scope["state"]["login"]
        if login.actor not in known:
            if len(known) >= _MOST:
                known.clear()
            known[login.actor] = _readable(engine, login.actor)
        return known[login.actor]

    return allowed


def _readable(engine: Engine, actor: Actor) -> frozenset[str] | None:
    """Return the models whose switches an actor may read, None when that is everything."""
    organisation, policies = engine.organisation, engine.plan.policies
    if isinstance(authority(actor, "switch.evaluate", None, organisation), Yes):
        return None
    cards = (policy.policy.card for policy in policies)
    return frozenset(
        each.model for each in cards if isinstance(authority(actor, "switch.evaluate", each, organisation), Yes)
    )
