"""How runs and runbooks are shown: where each run is, who or what it waits for, and what can be done by whom."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING

from governance.core.approval import Approval
from governance.core.run import Run
from governance.core.run_start import why_not
from governance.core.runbook import Runbook
from governance.engine.parts import Engine
from governance.engine.permission import declared, who_may
from governance.engine.running import consenting
from governance.engine.running.steps_shown import begun, step_views
from governance.engine.running.wording import number_of, summary
from governance.store import approvals, runs
from governance.views.runs import RunbookView, RunBrief, RunView

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy import Connection

_CHUNK = 200
"""Runs that are read at once."""


def found(engine: Engine, run: str) -> Run:
    """Return one run.

    :raises NotFound: when there is none of that id.
    """
    with engine.database.read() as connection:
        return runs.get(connection, run)


def listed(engine: Engine, *, model: str = "", incident: int = 0, state: runs.Which = "open") -> list[Run]:
    """Return runs, newest first."""
    with engine.database.read() as connection:
        return runs.listed(connection, model=model, incident=incident, state=state)


def part(
    engine: Engine, may: Callable[[Run], bool], *, model: str = "", incident: int = 0, state: runs.Which = "open",
    before: int = 0, most: int,
) -> list[Run]:  # fmt: skip
    """Return runs that somebody `may` see, newest first, at most so many: without reading all that there are."""
    found: list[Run] = []
    with engine.database.read() as connection:
        while len(found) < most:
            chunk = runs.listed(connection, model=model, incident=incident, state=state, before=before, limit=_CHUNK)
            found.extend(each for each in chunk if may(each))
            if len(chunk) < _CHUNK:
                break
            before = number_in(chunk[-1])
    return found[:most]


def number_in(run: Run) -> int:
    """Return the number in the id of a run."""
    return int(run.id.removeprefix("RUN-"))


def place(run: Run) -> tuple[int]:
    """Return where a run stands among others: the newest first."""
    return (-number_in(run),)


def views(engine: Engine, shown: Sequence[Run], at: datetime) -> list[RunView]:
    """Return runs as they are shown."""
    models = {each.model for each in shown if consenting.asking(each)}
    with engine.database.read() as connection:
        asked = [one for each in models for one in approvals.listed(connection, model=each, kind=consenting.KIND)]
    waiting = {(each.run, each.step, each.visit): each for each in asked}
    return [_view(engine, each, waiting, at) for each in shown]


def run_view(engine: Engine, run: Run, at: datetime) -> RunView:
    """Return one run as it is shown."""
    with engine.database.read() as connection:
        request = consenting.request_at(connection, run)
    waiting = {(request.run, request.step, request.visit): request} if request is not None else {}
    return _view(engine, run, waiting, at)


def briefs(connection: Connection, engine: Engine, incident: int, at: datetime) -> list[RunBrief]:
    """Return the runs about an incident in one line each, newest first."""
    return [brief(engine, each, at) for each in runs.listed(connection, incident=incident, state="all")]


def open_briefs(
    connection: Connection, engine: Engine, incidents: Collection[int], at: datetime
) -> dict[int, list[RunBrief]]:
    """Return the runs about incidents that are under way in one line each, by incident."""
    found: dict[int, list[RunBrief]] = defaultdict(list)
    for each in runs.about(connection, incidents):
        found[each.incident].append(brief(engine, each, at))
    return found


def brief(engine: Engine, run: Run, at: datetime) -> RunBrief:
    """Return a run in one line."""
    return RunBrief(id=run.id, runbook=run.runbook.runbook, state=run.state, summary=summary(engine, run, at))


def _view(engine: Engine, run: Run, waiting: Mapping[tuple[str, str, int], Approval], at: datetime) -> RunView:
    can = can_of(run)
    return RunView(
        id=run.id,
        runbook=run.runbook.runbook,
        description=run.runbook.description,
        model=run.model,
        incident=run.incident,
        mode=run.mode,
        state=run.state,
        started_by=run.started_by,
        started_at=run.started_at,
        because=run.because,
        rule=run.rule,
        parameters=dict(run.parameters),
        labels=dict(run.labels),
        number=number_of(run),
        total=len(run.runbook.steps),
        summary=summary(engine, run, at),
        steps=step_views(engine, run, waiting, at),
        can=can,
        who_may=list(who_may(engine, "runbook.cancel", run.model)) if can else [],
        next_at=run.next_at,
        ended_at=run.ended_at,
        said=run.said,
        version=run.version,
    )


def all_runbooks(engine: Engine) -> list[RunbookView]:
    """Return every runbook by name."""
    return [runbook_view(engine, each.document) for _, each in sorted(engine.plan.runbooks.items())]


def runbook_views(engine: Engine, model: str) -> list[RunbookView]:
    """Return the runbooks for a model, those that can be started for it before the others.

    :raises NotFound: when no card declares the model.
    """
    found = [runbook_view(engine, each.document, model) for _, each in sorted(engine.plan.runbooks.items())]
    return sorted(found, key=lambda each: bool(each.refused))


def runbook_view(engine: Engine, runbook: Runbook, model: str = "") -> RunbookView:
    """Return a runbook as it is shown; for a model with why it cannot be started, if it cannot."""
    written = engine.plan.runbooks.get(runbook.runbook)
    return RunbookView(
        runbook=runbook.runbook,
        description=runbook.description,
        applies_to=" ".join((runbook.applies_to or "").split()),
        parameters={name: each.model_dump(mode="json") for name, each in runbook.parameters.items()},
        steps=begun(runbook),
        source=written.source.file if written is not None else "",
        refused=_refused(engine, runbook, model) if model else "",
    )


def _refused(engine: Engine, runbook: Runbook, model: str) -> str:
    """Return why a runbook cannot be started for a model now, "" where it can."""
    why = why_not(runbook, declared(engine, model))
    if why:
        return why
    with engine.database.read() as connection:
        open_ = runs.open_of(connection, model, runbook.runbook)
    return f"{open_.id} is under way" if open_ is not None else ""


def can_of(run: Run) -> list[str]:
    """Return what people can do with the whole run now."""
    if not run.is_open:
        return []
    held = ["resume"] if run.state == "paused" else ["pause"] if run.state in ("running", "waiting", "undoing") else []
    return held if run.cancelling else [*held, "cancel"]
