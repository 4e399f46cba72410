"""Kill switches: what holds, and people's pulls and restores; the approvals that wait for a second person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from governance.api.bodies import Because, Closed, Labels, Lasting, ModelPath
from governance.api.cursors import Cursor, Limit, part
from governance.api.gate import Who
from governance.core.authority import Act, Actor
from governance.core.switch import Mode, Scope
from governance.engine import switching
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import permit_any
from governance.engine.switch_views import (
    Confirmations,
    nobody_confirms,
    readable_switches,
    switch_place,
    switch_view,
    view_of,
)
from governance.views import ApprovalView, Page, SwitchDoneView, SwitchView

Share = Annotated[float, Field(gt=0, lt=1, description="The share of requests that get the fallback.")]
Confirm = Annotated[str, Field(max_length=200, description="The model's name, typed, where the act asks for it.")]


class ScopeBody(Closed):
    """Which requests: all of the model's, of one version, or with these labels."""

    version: Annotated[str, Field(max_length=200)] = ""
    labels: Labels = Field(default_factory=dict)

    def scope(self) -> Scope:
        """Return it as the engine takes it."""
        return Scope(self.version, tuple(sorted(self.labels.items())))


class Pull(Closed):
    """Take a model out of service; `share` for a throttle, `confirm` for stopping it."""

    mode: Literal["throttle", "shadow", "fallback", "stopped"]
    because: Because
    share: Share | None = None
    scope: ScopeBody = ScopeBody()
    expires: Lasting | None = None
    incident: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    confirm: Confirm = ""


class Glass(Closed):
    """Restore a scope alone and at once; it pages everybody and is reviewed."""

    because: Because
    confirm: Confirm
    scope: ScopeBody = ScopeBody()


class Restore(Glass):
    """Give a scope back, as it was seen at `seq`; `to` another mode than live only in part."""

    seq: Annotated[int, Field(ge=0, lt=2**53)]
    to: Mode = "live"
    share: Share | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """What follows a change in this process: who has confirmed it, and what must be read anew."""

    confirmations: Confirmations = nobody_confirms
    changed: Callable[[], None] = lambda: None


class Desk:
    """Lets people act, as far as their tokens reach, and shows what became of the switch."""

    def __init__(self, engine: Engine, wire: Wire) -> None:
        """Act on this engine."""
        self._engine, self._wire = engine, wire

    def may(self, who: Actor, act: Act, model: str) -> Actor:
        """Return who acts, looked at before anything is told of the model.

        :raises Denied: when the actor may not.
        """
        permit(self._engine, who, act, model)
        return who

    def done(self, who: Actor, model: str, entry: int, approval: ApprovalView | None = None) -> SwitchDoneView:
        """Return the switch after an act."""
        self._wire.changed()
        view = switch_view(self._engine, model, who, self._wire.confirmations)
        return SwitchDoneView(switch=view, entry=entry, approval=approval)


def routes(engine: Engine, wire: Wire) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["switches"])
    _shown(router, engine, wire)
    _pulled(router, engine, Desk(engine, wire))
    _given_back(router, engine, Desk(engine, wire))
    return router


def _shown(router: APIRouter, engine: Engine, wire: Wire) -> None:
    @router.get("/v1/switches")
    def switches(who: Who, limit: Limit = 100, cursor: Cursor = "") -> Page[SwitchView]:
        """List the switches of all models, those that are not live first."""
        found = readable_switches(engine, permit_any(engine, who))
        shown, after = part(found, switch_place, "switches", limit=limit, cursor=cursor)
        return Page(items=[view_of(engine, each, who, wire.confirmations) for each in shown], next=after)

    @router.get("/v1/switches/{model}")
    def switch(who: Who, model: ModelPath) -> SwitchView:
        """Show the switch of a model, with what you must know before you act, and whether you may."""
        permit(engine, who, "read", model)
        return switch_view(engine, model, who, wire.confirmations)


def _pulled(router: APIRouter, engine: Engine, desk: Desk) -> None:
    @router.post("/v1/switches/{model}/pull")
    def pull(who: Who, model: ModelPath, body: Pull) -> SwitchDoneView:
        """Take a model, or one scope of it, out of service, at once."""
        found = switching.pull(
            engine, model, body.mode, actor=desk.may(who, "switch.pull", model), because=body.because,
            at=engine.clock.now(), scope=body.scope.scope(), share=body.share if body.share is not None else 1.0,
            expires=body.expires, incident=body.incident, confirmed=body.confirm,
        )  # fmt: skip
        return desk.done(who, model, found.entry)


def _given_back(router: APIRouter, engine: Engine, desk: Desk) -> None:
    @router.post("/v1/switches/{model}/restore", responses={202: {"model": SwitchDoneView}})
    def restore(who: Who, model: ModelPath, body: Restore, response: Response) -> SwitchDoneView:
        """Give a model back; of tier 1 this waits for a second person (202, with the approval)."""
        found = switching.restore(
            engine, model, actor=desk.may(who, "switch.restore", model), because=body.because, at=engine.clock.now(),
            seq=body.seq, confirmed=body.confirm, scope=body.scope.scope(), to=body.to,
            share=body.share if body.share is not None else 1.0,
        )  # fmt: skip
        if isinstance(found, switching.Requested):
            response.status_code = HTTPStatus.ACCEPTED
            return desk.done(who, model, found.entry, switching.approval_view(engine, found.approval))
        return desk.done(who, model, found.entry)

    @router.post("/v1/switches/{model}/break-glass")
    def break_glass(who: Who, model: ModelPath, body: Glass) -> SwitchDoneView:
        """Restore a model alone and at once; it pages everybody, and somebody else reviews it."""
        found = switching.break_glass(
            engine, model, actor=desk.may(who, "switch.break-glass", model), because=body.because,
            at=engine.clock.now(), confirmed=body.confirm, scope=body.scope.scope(),
        )  # fmt: skip
        return desk.done(who, model, found.entry)
