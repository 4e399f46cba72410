"""Who was first: what a run tells whoever comes too late."""

from __future__ import annotations

from datetime import datetime

from governance.core.run import Run, Visit
from governance.engine.answering.act import since
from governance.engine.entries import ENGINE

_DID = {"done": "finished", "skipped": "skipped", "failed": "ended", "undone": "finished"}


def first(run: Run, step: str, at: datetime) -> str:
    """Return who or what ended a step before, and how long ago that was; "" where nobody did."""
    here = run.here
    if here is None:
        return ""
    named = step and step != here.step
    visit = _last(run, step) if named else here if here.ended_at is not None else _before(run)
    if visit is None or visit.ended_at is None:
        return _answered(here, at)
    when = since(visit.ended_at, at)
    if visit.answers:
        last = visit.answers[-1]
        return f"{last.actor} {'approved' if last.approved else 'refused'} {visit.step} at {since(last.at, at)}"
    if visit.state == "timed_out":
        return f"{visit.step} timed out at {when}"
    return f"{visit.by or ENGINE} {_DID.get(visit.state, 'ended')} {visit.step} at {when}"


def _last(run: Run, step: str) -> Visit | None:
    return next((each for each in reversed(run.visits) if each.step == step and not each.undoes), None)


def _before(run: Run) -> Visit | None:
    return run.visits[-2] if len(run.visits) > 1 else None


def _answered(here: Visit, at: datetime) -> str:
    if not here.answers:
        return ""
    last = here.answers[-1]
    return f"{last.actor} {'approved' if last.approved else 'refused'} at {since(last.at, at)}"
