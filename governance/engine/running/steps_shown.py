"""The steps of a run as they are shown: what became of each, what is read or asked, and what people can do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from governance.core.approval import Approval
from governance.core.authority import Act
from governance.core.run import Run, Visit, VisitState
from governance.core.runbook import Runbook, Step
from governance.engine.parts import Engine
from governance.engine.permission import who_may
from governance.engine.running import consenting
from governance.engine.running.foreseen import Foreseen
from governance.engine.running.wording import does, waits_for
from governance.views.runs import AnswerView, StepView

GLYPHS: Mapping[VisitState, str] = {
    "active": "▶",
    "acting": "▶",
    "waiting": "▶",
    "done": "✓",
    "skipped": "↷",
    "failed": "✗",
    "timed_out": "✗",
    "unknown": "?",
    "undone": "↶",
}
TO_COME = "○"
_ACTS: Mapping[str, Act] = {
    "tick": "runbook.tick",
    "retry": "runbook.retry",
    "skip": "runbook.skip",
    "settle": "runbook.settle",
}


def step_views(
    engine: Engine, run: Run, waiting: Mapping[tuple[str, str, int], Approval], at: datetime
) -> list[StepView]:
    """Return the steps of a run in the order of its runbook; of each its last visit."""
    ahead = Foreseen(engine, run, at)
    return [_step_view(engine, run, step, waiting, at, ahead) for step in run.runbook.steps]


def begun(runbook: Runbook) -> list[StepView]:
    """Return the steps of a runbook that nobody runs."""
    return [
        StepView(step=each.step, kind=each.kind, glyph=TO_COME, state="to come", text=written(each), does=does(each))
        for each in runbook.steps
    ]


def can_at(run: Run, step: Step, visit: Visit) -> list[str]:
    """Return what people can do at the step where a run is."""
    consent = step.approve is not None and not visit.undoes
    if visit.state == "unknown":
        return ["settle"]
    if run.state == "stopped":
        return ["retry"] if consent else ["retry", "skip"]
    if visit.state not in ("active", "waiting") or not visit.is_begun:
        return []
    if consent:
        return ["approve", "refuse"] if visit.state == "waiting" else []
    return ["tick", "skip"] if step.instruct is not None else ["skip"]


def written(step: Step) -> str:
    """Return what is read or asked at a step, as its author wrote it."""
    return step.instruct or (step.notify.message if step.notify is not None else "") or step.text or ""


def _step_view(
    engine: Engine,
    run: Run,
    step: Step,
    waiting: Mapping[tuple[str, str, int], Approval],
    at: datetime,
    ahead: Foreseen,
) -> StepView:
    visit = next((each for each in reversed(run.visits) if each.step == step.step and not each.undoes), None)
    if visit is None:
        state = "to come" if run.is_open else "not done"
        given = ahead.asked(step) if step.act is not None else {}
        text, what = ahead.text(step), does(step, given)
        return StepView(step=step.step, kind=step.kind, glyph=TO_COME, state=state, text=text, does=what)
    back = next((each for each in reversed(run.visits) if _takes_back(each, visit)), None)
    shown = back or visit
    here = run.is_open and run.here is shown
    can = can_at(run, step, shown) if here else []
    request = waiting.get((run.id, step.step, visit.number))
    return StepView(
        step=step.step,
        kind=step.kind,
        glyph=_glyph(visit, back),
        state=_state(visit, back),
        text=_read(visit, step),
        does=does(step, visit.asked),
        visit=visit.number,
        began_at=shown.began_at,
        ended_at=shown.ended_at,
        deadline=shown.deadline,
        next_at=shown.next_at,
        attempts=shown.attempts,
        by=shown.by,
        detail=shown.detail,
        waits_for=waits_for(engine, run, at) if here else "",
        approval=request.id if request is not None else "",
        answers=[
            AnswerView(actor=one.actor, at=one.at, approved=one.approved, because=one.because, channel=one.channel)
            for one in visit.answers
        ],
        can=can,
        who_may=_who_may(engine, run, visit, can),
        outputs=dict(visit.outputs),
    )


def _read(visit: Visit, step: Step) -> str:
    """Return what was read at a visit; what only says again what the step does is left out."""
    said = visit.text or written(step)
    own = step.instruct is not None or step.notify is not None or step.text is not None or step.approve is not None
    return said if own else ""


def _takes_back(each: Visit, visit: Visit) -> bool:
    return each.undoes and (each.step, each.number) == (visit.step, visit.number)


def _glyph(visit: Visit, back: Visit | None) -> str:
    if back is None:
        return GLYPHS[visit.state]
    return "↶" if back.state == "done" else GLYPHS[back.state]


def _state(visit: Visit, back: Visit | None) -> str:
    if back is None:
        return visit.state
    return "undone" if back.state == "done" else f"undo {back.state}"


def _who_may(engine: Engine, run: Run, visit: Visit, can: list[str]) -> list[str]:
    """Return who may do what can be done."""
    if "approve" in can:
        return list(consenting.able(engine, run, visit))
    act = next((_ACTS[each] for each in can if each in _ACTS), None)
    return list(who_may(engine, act, run.model)) if act is not None else []
