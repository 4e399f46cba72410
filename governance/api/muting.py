"""Waivers and silences: rules that are not enforced for a while, notifications that are not sent."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from governance.api.bodies import Because, Closed, Labels, ModelName
from governance.api.cursors import Cursor, Limit, instant, part
from governance.api.gate import Who
from governance.api.samples import Moment
from governance.engine import silences, waiving
from governance.engine.parts import Engine
from governance.engine.reading import permit_any
from governance.views import ApprovalDoneView, Page, SilenceDoneView, SilenceView, WaiverDoneView, WaiverView

Rule = Annotated[str, Field(max_length=200)]
SilenceId = Annotated[str, Path(max_length=20, pattern=r"^SIL-[0-9]+$", description="The id of the silence.")]
WaiverId = Annotated[str, Path(max_length=20, pattern=r"^WVR-[0-9]+$", description="The id of the waiver.")]
Ended = Annotated[bool, Query(description="Also those that have ended.")]


class Waiver(Closed):
    """Which rule is not enforced on which model, why and until when; `labels` narrow it to some instances.

    `ends_on` adds earlier ends: new_version, retrained, "unused_for 14d".
    """

    model: ModelName
    rule: Rule
    because: Because
    until: Moment
    labels: Labels = Field(default_factory=dict)
    ends_on: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=3)] = Field(default_factory=list)


class Silence(Closed):
    """What is muted, why and until when; without `model` and `models` everything.

    A maintenance window is about whole models.
    """

    because: Because
    until: Moment
    model: Annotated[str, Field(max_length=200)] = ""
    rule: Rule = ""
    labels: Labels = Field(default_factory=dict)
    models: Annotated[list[ModelName], Field(max_length=1000)] = Field(default_factory=list)
    maintenance: bool = False


class End(Closed):
    """Why it ends."""

    because: Because


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["waivers and silences"])
    _waivers(router, engine)
    _silences(router, engine)
    return router


def _waivers(router: APIRouter, engine: Engine) -> None:
    @router.get("/v1/waivers")
    def waivers(who: Who, limit: Limit = 100, cursor: Cursor = "") -> Page[WaiverView]:
        """List the waivers in force, those that end first before the others."""
        readable = permit_any(engine, who)
        found = [each for each in waiving.holding(engine, engine.clock.now()) if readable(each.model)]
        items, after = part(found, _ending_first, "waivers", limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.post("/v1/waivers", status_code=HTTPStatus.ACCEPTED)
    def ask(who: Who, body: Waiver) -> ApprovalDoneView:
        """Ask that a rule is not enforced on a model; it waits for a second person."""
        answered = waiving.request(
            engine, body.model, body.rule, labels=tuple(sorted(body.labels.items())), because=body.because,
            until=body.until, actor=who, at=engine.clock.now(), ends_on=body.ends_on,
        )  # fmt: skip
        return ApprovalDoneView(approval=answered.view, entry=answered.entry)

    @router.post("/v1/waivers/{waiver}/withdraw")
    def withdraw(who: Who, waiver: WaiverId, body: End) -> WaiverDoneView:
        """End a waiver now: its rule counts again."""
        return waiving.withdraw(engine, waiver, because=body.because, actor=who, at=engine.clock.now())


def _silences(router: APIRouter, engine: Engine) -> None:
    @router.get("/v1/silences")
    def muted(
        who: Who,
        ended: Ended = False,  # noqa: FBT002 (a query parameter)
        limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Page[SilenceView]:
        """List the silences that hold, the newest first."""
        readable = permit_any(engine, who)
        found = silences.listed(engine, engine.clock.now(), ended=ended)
        mine = [each for each in found if all(readable(name) for name in each.models or (None,))]
        items, after = part(mine, _newest_first, "silences", ended, limit=limit, cursor=cursor)
        return Page(items=items, next=after)

    @router.post("/v1/silences")
    def mute(who: Who, body: Silence) -> SilenceDoneView:
        """Mute notifications for a while; incidents and verdicts go on, and a resolution gets through."""
        return silences.create(
            engine, model=body.model, rule=body.rule, labels=tuple(sorted(body.labels.items())),
            because=body.because, until=body.until, actor=who, at=engine.clock.now(), models=body.models,
            maintenance=body.maintenance,
        )  # fmt: skip

    @router.post("/v1/silences/{silence}/end")
    def end(who: Who, silence: SilenceId, body: End) -> SilenceDoneView:
        """End a silence now."""
        return silences.end(engine, silence, because=body.because, actor=who, at=engine.clock.now())


def _ending_first(waiver: WaiverView) -> tuple[int, str]:
    return instant(waiver.until), waiver.id


def _newest_first(silence: SilenceView) -> tuple[int]:
    return (-int(silence.id.removeprefix("SIL-")),)
