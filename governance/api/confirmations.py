"""POST /v1/confirmations: a serving process says which state of the kill switches it holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, Strict

from governance.api.gate import Who
from governance.api.ofrep.reach import Reach
from governance.engine.board import Board
from governance.errors import Denied
from governance.ports import Clock


class Confirmation(BaseModel):
    """Who holds the state of which change, for the models that it serves; told again at least once a minute."""

    model_config = ConfigDict(extra="forbid")

    instance: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    seq: Annotated[int, Strict(), Field(ge=0, lt=2**63)]
    models: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=10_000)]


class Confirmed(BaseModel):
    """The newest change that the engine knows of; who holds an older one should ask for the flags."""

    seq: int


def routes(board: Board, clock: Clock, reach: Reach) -> APIRouter:
    """Return the route of confirmations."""
    router = APIRouter(tags=["switches"])

    @router.post("/v1/confirmations")
    def confirm(body: Confirmation, who: Who) -> Confirmed:
        """Note that an instance holds the switches as they were after the change `seq`."""
        models = reach.of(who)
        held = body.models if models is None else [each for each in body.models if each in models]
        if body.models and not held:
            raise Denied(f"'{who}' reads the kill switch of none of these models; its token is for others")
        board.confirm(body.instance, body.seq, held, clock.now())
        return Confirmed(seq=board.seq)

    return router
