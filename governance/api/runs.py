"""Runbooks and their runs: what can be started, how each run stands, and what people do with them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StrictBool, StrictFloat, StrictInt

from governance.api.answers import Maybe
from governance.api.bodies import Because, Closed, Labels, ModelName, ModelPath, ModelQuery
from governance.api.cursors import Cursor, Limit, Place, part, place_in
from governance.api.gate import Who
from governance.core.run_simulation import Assumption, at_its_start, rehearsal, simulated
from governance.engine import running
from governance.engine.parts import Engine
from governance.engine.permission import declared, permit
from governance.engine.reading import permit_any
from governance.engine.running import RunDone, showing, starting
from governance.engine.switch_views import may_view
from governance.plugins import operations
from governance.views import Page
from governance.views.runs import RunbookView, RunDoneView, RunView
from governance.views.simulation import SimulationView, simulation_view

RunId = Annotated[str, Path(max_length=24, pattern=r"^RUN-[1-9][0-9]{0,14}$", description="The id of the run.")]
Name = Annotated[str, Field(max_length=200, pattern=r"^[a-z0-9][a-z0-9-]*$")]
RunbookPath = Annotated[str, Path(max_length=200, pattern=r"^[a-z0-9][a-z0-9-]*$", description="The runbook.")]
Step = Annotated[str, Field(max_length=200, pattern=r"^([a-z0-9][a-z0-9-]*)?$")]
Value = Annotated[str, Field(max_length=2000)] | StrictBool | StrictInt | StrictFloat
Parameters = Annotated[dict[Annotated[str, Field(max_length=200)], Value], Field(max_length=64)]
State = Literal["open", "ended", "all"]
ForModel = Annotated[str, Query(max_length=200, description="The model that they would be run for; without it all.")]
AboutIncident = Annotated[int, Query(ge=0, lt=2**53, description="Only about this incident.")]


class Start(Closed):
    """Which runbook, why, and what it asks for; `incident` is what it is about, `labels` those of the finding."""

    runbook: Name
    because: Because
    parameters: Parameters = Field(default_factory=dict)
    incident: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    labels: Labels = Field(default_factory=dict)
    dry_run: bool = False


class Simulate(Closed):
    """For which model, with which parameters, and what is assumed to become of which steps."""

    model: ModelName
    parameters: Parameters = Field(default_factory=dict)
    assume: Annotated[dict[Name, Assumption], Field(max_length=64)] = Field(default_factory=dict)


class Answer(Closed):
    """Which version of the run was seen, and at which step; another means that somebody, or the engine, was first."""

    version: Annotated[int, Field(ge=1, lt=2**53)] | None = None
    step: Step = ""
    because: Maybe = ""


class Decide(Answer):
    """Which version was seen, and why."""

    because: Because


class Settle(Decide):
    """Whether the act of which nobody knows took effect, and how that is known."""

    took_effect: bool


class Cancel(Decide):
    """Why the run ends; what it did is taken back, unless `undo` is false."""

    undo: bool = True


def routes(engine: Engine) -> APIRouter:
    """Return the routes."""
    router = APIRouter(tags=["runbooks"])
    _reading(router, engine)
    _starting(router, engine)
    _answering(router, engine)
    _deciding(router, engine)
    return router


def _reading(router: APIRouter, engine: Engine) -> None:
    @router.get("/v1/runbooks")
    def runbooks(who: Who, model: ForModel = "") -> Page[RunbookView]:
        """List the runbooks: what each is for and asks for; of a model whether it can be started, and by you."""
        if not model:
            permit_any(engine, who)
            return Page(items=showing.all_runbooks(engine))
        card = declared(engine, model)
        permit(engine, who, "read", model)
        may = may_view(engine, who, "runbook.start", card)
        return Page(items=[each.model_copy(update={"may": may}) for each in showing.runbook_views(engine, model)])

    @router.post("/v1/runbooks/{runbook}/simulate")
    def simulate(who: Who, runbook: RunbookPath, body: Simulate) -> SimulationView:
        """Show the way of a run without starting one, and all ways in which it can end; nothing is asked or done."""
        declared(engine, body.model)
        permit(engine, who, "read", body.model)
        found = starting.runbook_of(engine, runbook)
        policy = engine.plan.by_model[body.model]
        resting = rehearsal(found, policy, engine.organisation, operations(engine.organisation))
        at = engine.clock.now()
        run = at_its_start(found, policy, body.parameters, at)
        return simulation_view(simulated(resting, run, body.assume, at))

    @router.get("/v1/runs")
    def runs(
        who: Who, model: ModelQuery = "", incident: AboutIncident = 0, state: State = "open", limit: Limit = 100,
        cursor: Cursor = "",
    ) -> Page[RunView]:  # fmt: skip
        """List runs, the newest first."""
        readable = permit_any(engine, who)
        asked = ("runs", model, incident, state)
        found = showing.part(
            engine, lambda each: readable(each.model), model=model, incident=incident, state=state,
            before=_before(place_in(cursor, *asked)), most=limit + 1,
        )  # fmt: skip
        shown, after = part(found, showing.place, *asked, limit=limit, cursor=cursor)
        return Page(items=showing.views(engine, shown, engine.clock.now()), next=after)

    @router.get("/v1/runs/{run}")
    def run(who: Who, run: RunId) -> RunView:
        """Show one run: its steps, what each asks, who or what it waits for, and what can be done now."""
        found = showing.found(engine, run)
        permit(engine, who, "read", found.model)
        return showing.run_view(engine, found, engine.clock.now())


def _before(place: Place | None) -> int:
    """Return the number before which a part of the list begins, 0 for the first one."""
    found = place[0] if place else 0
    return -found if isinstance(found, int) and -(2**53) < found < 0 else 0


def _starting(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/models/{model}/runs", status_code=HTTPStatus.CREATED)
    def start(who: Who, model: ModelPath, body: Start, response: Response) -> RunDoneView:
        """Start a runbook for a model; `dry_run` asks and does nothing, and says what it would."""
        done = running.start(
            engine, body.runbook, model, actor=who, because=body.because, at=engine.clock.now(),
            parameters=body.parameters, incident=body.incident or 0, labels=body.labels, dry_run=body.dry_run,
        )  # fmt: skip
        response.headers["Location"] = f"/v1/runs/{done.run.id}"
        return _done(engine, done)


def _answering(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/runs/{run}/tick")
    def tick(who: Who, run: RunId, body: Answer) -> RunDoneView:
        """Say that what a step asks people to do is done."""
        at = engine.clock.now()
        done = running.tick(engine, run, step=body.step, because=body.because, actor=who, at=at, version=body.version)
        return _done(engine, done)

    @router.post("/v1/runs/{run}/retry")
    def retry(who: Who, run: RunId, body: Answer) -> RunDoneView:
        """Have the step that failed tried again."""
        at = engine.clock.now()
        done = running.retry(engine, run, step=body.step, because=body.because, actor=who, at=at, version=body.version)
        return _done(engine, done)

    @router.post("/v1/runs/{run}/skip")
    def skip(who: Who, run: RunId, body: Decide) -> RunDoneView:
        """Go on without the step where the run is."""
        at = engine.clock.now()
        done = running.skip(engine, run, step=body.step, because=body.because, actor=who, at=at, version=body.version)
        return _done(engine, done)

    @router.post("/v1/runs/{run}/settle")
    def settle(who: Who, run: RunId, body: Settle) -> RunDoneView:
        """Say whether an act took effect of which the engine could not find that out."""
        done = running.settle(
            engine, run, step=body.step, took_effect=body.took_effect, because=body.because, actor=who,
            at=engine.clock.now(), version=body.version,
        )  # fmt: skip
        return _done(engine, done)


def _deciding(router: APIRouter, engine: Engine) -> None:
    @router.post("/v1/runs/{run}/pause")
    def pause(who: Who, run: RunId, body: Answer) -> RunDoneView:
        """Let the run begin nothing new; what is under way is finished, and deadlines go on."""
        at = engine.clock.now()
        return _done(engine, running.pause(engine, run, because=body.because, actor=who, at=at, version=body.version))

    @router.post("/v1/runs/{run}/resume")
    def resume(who: Who, run: RunId, body: Answer) -> RunDoneView:
        """Let a paused run go on."""
        at = engine.clock.now()
        return _done(engine, running.resume(engine, run, because=body.because, actor=who, at=at, version=body.version))

    @router.post("/v1/runs/{run}/cancel")
    def cancel(who: Who, run: RunId, body: Cancel) -> RunDoneView:
        """End the run, and take back what it did, the last first."""
        done = running.cancel(
            engine, run, because=body.because, undo=body.undo, actor=who, at=engine.clock.now(), version=body.version
        )
        return _done(engine, done)


def _done(engine: Engine, done: RunDone) -> RunDoneView:
    view = showing.run_view(engine, done.run, engine.clock.now())
    return RunDoneView(run=view, entry=done.entry, because_allowed=done.because_allowed)
