"""POST /v1/samples: pipelines post what they measured."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from governance.api.gate import Who
from governance.api.pulse import Pulse
from governance.engine import pushing
from governance.engine.parts import Engine
from governance.engine.permission import permit
from governance.store.pushed import PushedSample

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def text(value: Any) -> Any:
    """Refuse numbers where a time is written, also those in text."""
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError("must be a time such as 2026-01-31T12:00:00Z")
    return value


Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""How a time is described: RFC 3339, with its zone."""
Moment = Annotated[AwareDatetime, BeforeValidator(text, json_schema_input_type=Instant)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class PostedSample(_Closed):
    """One sample: what was measured of a model, and the instant it speaks for."""

    model: str
    metric: str
    time: Moment
    value: Annotated[float, Strict(), Field(allow_inf_nan=False)] | None
    labels: dict[str, str] = Field(default_factory=dict)
    count: Annotated[int, Strict(), Field(ge=0)] | None = None

    def taken(self) -> PushedSample:
        """Return the sample as the engine takes it."""
        time: datetime = self.time
        return PushedSample(self.model, self.metric, time, self.value, tuple(sorted(self.labels.items())), self.count)


class Posted(_Closed):
    """A push: samples for one source of kind push."""

    source: str
    samples: list[PostedSample]


class Stored(BaseModel):
    """How many samples a push stored; `replayed` when the same push under the same key had been stored before."""

    stored: int
    replayed: bool


def routes(engine: Engine, pulse: Pulse) -> APIRouter:
    """Return the routes of samples."""
    router = APIRouter(tags=["samples"])

    @router.post("/v1/samples")
    def push(who: Who, body: Posted, idempotency_key: Annotated[str, Header()]) -> Stored:
        """Store samples, all or none; the same body under the same Idempotency-Key is stored once within 24 h."""
        for model in {each.model for each in body.samples}:
            permit(engine, who, "samples.push", model)
        batch = [each.taken() for each in body.samples]
        done = pushing.push(engine, body.source, batch, key=idempotency_key, actor=who.id, at=engine.clock.now())
        if not done.replayed:
            pulse.take(body.source, done.stored)
        return Stored(stored=done.stored, replayed=done.replayed)

    return router
