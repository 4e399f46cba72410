"""Compare the runs of runbooks that were seen, and what they did, with what is expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.core.run import Run, Visit
from governance.core.story import Expectation


@dataclass(frozen=True, slots=True)
class Performed:
    """One act of a run that took effect."""

    act: str
    asked: Mapping[str, object]


def found_in(expected: Expectation, runs: Sequence[Run]) -> list[Run]:
    """Return the runs that an expectation is about, the newest first."""
    return [
        each
        for each in runs
        if expected.run in (each.id, each.runbook.runbook) and expected.model in (None, each.model)
    ]


def run_differences(expected: Expectation, runs: Sequence[Run]) -> Iterator[tuple[str, str, str]]:
    """Yield the field, what was found, and what is wanted, of each difference; `runs` are the newest first."""
    if expected.run is not None:
        yield from _of_run(expected, found_in(expected, runs))
    if expected.performed is not None:
        about = [each for each in runs if expected.model in (None, each.model)]
        yield from _of_acts(expected, [act for each in about for act in performed(each)])


def _of_run(expected: Expectation, found: Sequence[Run]) -> Iterator[tuple[str, str, str]]:
    if expected.runs is not None and len(found) != expected.runs:
        yield "runs", f"there are {len(found)} runs of {expected.run}", str(expected.runs)
    if not found:
        if expected.runs is None:
            yield "run", "there is no run of it", str(expected.run)
        return
    run = found[0]
    if expected.step is not None:
        yield from _of_step(expected, run)
        return
    if expected.state is not None and run.state != expected.state:
        yield "state", f"{run.id} is {run.state}{_where(run)}", expected.state
    if expected.detail is not None and expected.detail not in run.said:
        yield "detail", f"{run.id} says '{run.said}'", expected.detail


def _of_step(expected: Expectation, run: Run) -> Iterator[tuple[str, str, str]]:
    visit = last(run, expected.step or "")
    if visit is None:
        yield "step", f"{run.id} has not come to it{_where(run)}", str(expected.step)
        return
    if expected.state is not None and visit.state != expected.state:
        yield "state", f"{visit.step} is {visit.state.replace('_', ' ')}{_said(visit)}", expected.state
    if expected.detail is not None and expected.detail not in f"{visit.detail}\n{visit.text}":
        yield "detail", f"{visit.step} says '{visit.detail or visit.text}'", expected.detail


def last(run: Run, step: str) -> Visit | None:
    """Return the last time that a run was at a step, but not to take it back."""
    return next((each for each in reversed(run.visits) if each.step == step and not each.undoes), None)


def _where(run: Run) -> str:
    here = run.here
    return f", at {here.step} ({here.state.replace('_', ' ')}{_said(here)})" if here is not None else ""


def _said(visit: Visit) -> str:
    return f": {visit.detail}" if visit.detail else ""


def performed(run: Run) -> Iterator[Performed]:
    """Yield the acts of a live run that took effect, in their order; what was taken back was done before."""
    steps = {each.step: each for each in run.runbook.steps}
    for visit in run.visits if run.mode == "live" else ():
        step = steps.get(visit.step)
        if step is None or visit.state not in ("done", "undone"):
            continue
        act = (step.undo.act if step.undo is not None else None) if visit.undoes else step.act
        if act is not None:
            yield Performed(act, visit.asked)


def _of_acts(expected: Expectation, done: Sequence[Performed]) -> Iterator[tuple[str, str, str]]:
    named = [each for each in done if each.act == expected.performed]
    fits = [each for each in named if _includes(each.asked, expected.with_)]
    wanted = expected.times
    if (wanted is None and fits) or len(fits) == wanted:
        return
    listed = "; ".join(f"{each.act} {dict(each.asked)}" for each in named or done) or "nothing"
    if wanted is not None:
        yield "times", f"{expected.performed} took effect {len(fits)} times: {listed}", str(wanted)
    elif named:
        yield "with", f"{expected.performed} was asked otherwise: {listed}", str(expected.with_)
    else:
        yield "performed", f"what took effect is {listed}", str(expected.performed)


def _includes(whole: object, part: object) -> bool:
    if isinstance(part, Mapping):
        return isinstance(whole, Mapping) and all(
            name in whole and _includes(whole[name], each) for name, each in part.items()
        )
    return whole == part
