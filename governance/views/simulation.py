"""The simulation of a runbook as it is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pydantic import AliasChoices, Field

from governance.core.duration import format_duration
from governance.core.run_simulation import Ending, Passed, Simulation
from governance.views.view import View


class PassedView(View):
    """One step of the way: `outcome` is what becomes of it, `to` the next step, end, or "" where the run stays.

    `who` may answer it, `needed` of them have to; `within` is how long it may take. `act` is called with `with_` under
    `key`. `assumed` tells that only the assumption says what becomes of it.
    """

    step: str
    kind: str
    visit: int
    text: str
    outcome: str
    why: str
    to: str
    assumed: bool
    who: list[str] = []
    needed: int = 0
    within: str = ""
    act: str = ""
    with_: dict[str, object] = Field(
        default_factory=dict, validation_alias=AliasChoices("with", "with_"), serialization_alias="with"
    )
    key: str = ""


class EndingView(View):
    """One way in which a run can end (done), or stay for a person (stopped, unknown): at `step`, as `said`.

    `where` has what must become of which step for that; `undo` what is taken back where it is cancelled there.
    """

    state: str
    step: str
    said: str
    where: dict[str, str] = {}
    undo: list[str] = []


class SimulationView(View):
    """The way of a run under the assumptions that were made, and every way in which it can end."""

    runbook: str
    description: str
    model: str
    parameters: dict[str, object]
    steps: list[PassedView]
    ending: EndingView
    ways: list[EndingView]
    more: bool = False


def simulation_view(found: Simulation) -> SimulationView:
    """Return a simulation as it is shown."""
    return SimulationView(
        runbook=found.runbook.runbook,
        description=found.runbook.description,
        model=found.model,
        parameters=_shown(found.parameters),
        steps=[_passed(each) for each in found.passed],
        ending=_ending(found.ending),
        ways=[_ending(each) for each in found.ways],
        more=found.more,
    )


def _passed(passed: Passed) -> PassedView:
    return PassedView(
        step=passed.step,
        kind=passed.kind,
        visit=passed.visit,
        text=passed.text,
        outcome=passed.outcome,
        why=passed.why,
        to=passed.to,
        assumed=passed.assumed,
        who=list(passed.who),
        needed=passed.people,
        within=format_duration(passed.within) if passed.within is not None else "",
        act=passed.act,
        with_=_shown(passed.asked),
        key=passed.key,
    )


def _ending(ending: Ending) -> EndingView:
    return EndingView(
        state=ending.state, step=ending.step, said=ending.said, where=dict(ending.where), undo=list(ending.undo)
    )


def _shown(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: format_duration(each)
        if isinstance(each, timedelta)
        else _shown(each)
        if isinstance(each, Mapping)
        else each
        for name, each in values.items()
    }
