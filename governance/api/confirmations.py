"""POST /v1/confirmations: a serving process says which state of the kill switches it holds."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, Strict

from governance.api.gate import Who
from governance.api.ofrep.access import Access
from governance.api.ofrep.exchange import Refused
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


def routes(board: Board, clock: Clock, access: Access) -> APIRouter:
    """Return the route of confirmations; a caller speaks for the models that it may read."""
    router = APIRouter(tags=["switches"])

    @router.post("/v1/confirmations")
    def confirm(who: Who, body: Confirmation) -> Confirmed:
        """Note that an instance holds the switches as they were after the change `seq`."""
        try:
            allowed = access.of(who)
        except Refused as error:
            raise Denied(error.details) from error
        models = [each for each in body.models if allowed is None or each in allowed]
        board.confirm(body.instance, body.seq, models, clock.now())
        return Confirmed(seq=board.seq)

    return router
