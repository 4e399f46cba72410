"""Kill switches pulled by one act: what it would do, the act itself, and what became of each."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field

from governance.api.bodies import Because, Closed, Labels, Lasting, ModelName
from governance.api.gate import Who
from governance.api.switches import Share, Wire
from governance.core.selection import Selection
from governance.engine import switching
from governance.engine.batch_views import batch_view, foreseen_view
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.engine.reading import permit_any, readable
from governance.views.batches import BatchForeseenView, BatchView

MOST = 10_000
"""Models that a body names."""
BatchPath = Annotated[str, Path(max_length=40, pattern=r"^BATCH-[0-9]{1,16}$", description="The act, as BATCH-41.")]


class Which(Closed):
    """What is wanted of which models: `models` by name, or those that fit all of `where`, or `all` of them.

    `where` has `team`, `tier`, `depends_on` (what rests on a model or on data, also through others), labels of cards.
    """

    mode: Literal["throttle", "shadow", "fallback", "stopped"]
    models: Annotated[list[ModelName], Field(max_length=MOST)] = Field(default_factory=list)
    where: Labels = Field(default_factory=dict)
    all: bool = False
    share: Share | None = None
    expires: Lasting | None = None

    def order(self) -> switching.Order:
        """Return it as the engine takes it."""
        which = Selection(tuple(self.models), tuple(sorted(self.where.items())), self.all)
        return switching.Order(which, self.mode, 1.0 if self.share is None else self.share, self.expires)


class PullTogether(Which):
    """Pull them, as a preview showed it: its `digest`, and in `confirm` what it says to type."""

    because: Because
    digest: Annotated[str, Field(max_length=200)]
    confirm: Annotated[str, Field(max_length=200)]
    incident: Annotated[int, Field(ge=1, lt=2**53)] | None = None


def routes(engine: Engine, wire: Wire) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["switches"])

    @router.post("/v1/switches/pull/preview")
    def preview(who: Who, body: Which) -> BatchForeseenView:
        """Say what pulling several would do to each, and what to type; it changes nothing."""
        found = switching.foresee(
            engine, body.order(), actor=who, at=engine.clock.now(), readable=permit_any(engine, who)
        )
        return foreseen_view(engine, found, wire.confirmations)

    @router.post("/v1/switches/pull")
    def pull(who: Who, body: PullTogether) -> BatchView:
        """Pull several models as they were shown: each with its own entry, all bound by the id of the act."""
        batch = switching.pull_together(
            engine, body.order(), actor=who, because=body.because, at=engine.clock.now(), shown=body.digest,
            confirmed=body.confirm, readable=permit_any(engine, who), incident=body.incident, told=wire.changed,
        )  # fmt: skip
        return batch_view(engine, batch, wire.confirmations)

    @router.get("/v1/switches/batches/{batch}")
    def outcome(who: Who, batch: BatchPath) -> BatchView:
        """Say what became of each model of an act on several, and how many instances confirmed it."""
        permit_any(engine, who)
        found = batch_view(engine, batch, wire.confirmations)
        may = readable(engine, who)
        if not all(may(each.model) for each in found.items):
            permit(engine, who, "read")
        return found

    return router
