"""POST /v1/confirmations: a serving process says which state of the kill switches it holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, Strict

from governance.api.gate import Who
from governance.engine.board import Board
from governance.engine.parts import Engine
from governance.engine.permission import permit


class Confirmation(BaseModel):
    """Who holds the state of which change, for the models that it serves; told again at least once a minute."""

    model_config = ConfigDict(extra="forbid")

    instance: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    seq: Annotated[int, Strict(), Field(ge=0, lt=2**63)]
    models: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=10_000)]


class Confirmed(BaseModel):
    """The newest change that the engine knows of; who holds an older one should ask for the flags."""

    seq: int


def routes(engine: Engine, board: Board) -> APIRouter:
    """Return the route of confirmations."""
    router = APIRouter(tags=["switches"])

    @router.post("/v1/confirmations")
    def confirm(who: Who, body: Confirmation) -> Confirmed:
        """Note that an instance holds the switches as they were after the change `seq`."""
        for model in body.models or (None,):
            permit(engine, who, "switch.evaluate", model)
        board.confirm(body.instance, body.seq, body.models, engine.clock.now())
        return Confirmed(seq=board.seq)

    return router
