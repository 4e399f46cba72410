"""POST /v1/alertmanager: existing alerts become findings, by the webhook of Prometheus's Alertmanager (version 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from governance.api.gate import Who
from governance.api.samples import Instant, text
from governance.engine import outside
from governance.engine.outside import Outside
from governance.engine.parts import Engine
from governance.engine.permission import permit

_MOST = 1000
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Value = Annotated[str, Field(max_length=2000)]
_LONGEST = 500


class Told(BaseModel):
    """One alert; what else Alertmanager says of it is not needed."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    status: Literal["firing", "resolved"]
    labels: Annotated[dict[_Name, _Value], Field(max_length=64)]
    annotations: Annotated[dict[_Name, _Value], Field(max_length=64)] = Field(default_factory=dict)
    starts_at: Annotated[AwareDatetime, BeforeValidator(text, json_schema_input_type=Instant), Field(alias="startsAt")]
    fingerprint: Annotated[str, Field(min_length=1, max_length=100)]

    def taken(self) -> Outside:
        """Return it as the engine takes it."""
        said = self.annotations.get("summary") or self.annotations.get("description") or self.labels.get("alertname")
        return Outside(
            self.fingerprint, self.labels, self.status == "firing", self.starts_at,
            " ".join((said or "alert").split())[:_LONGEST],
        )  # fmt: skip


class Tellings(BaseModel):
    """A notification of Alertmanager."""

    model_config = ConfigDict(extra="ignore")

    version: Literal["4"]
    alerts: Annotated[list[Told], Field(max_length=_MOST)]


class TakenView(BaseModel):
    """How many alerts began, ended, and were known already."""

    firing: int
    resolved: int
    known: int


def routes(engine: Engine) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["incidents"])

    @router.post("/v1/alertmanager")
    def take(who: Who, body: Tellings) -> TakenView:
        """Take alerts: a firing one is a finding of the model that its label `model` names, a resolved one ends it."""
        for named in {each.labels.get("model", "") for each in body.alerts} or {""}:
            permit(engine, who, "alerts.push", named if named in engine.plan.by_model else None)
        found = outside.take(engine, [each.taken() for each in body.alerts], at=engine.clock.now())
        return TakenView(firing=found.firing, resolved=found.resolved, known=found.known)

    return router
