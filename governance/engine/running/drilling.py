"""Begin what is due on a schedule: drills of rollbacks, and runbooks that say how often they are run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from governance.core.drill import PREFIX, Drill
from governance.core.evidence import Evidence
from governance.core.runbook import Runbook
from governance.engine.parts import Engine
from governance.engine.running.beginning import begin
from governance.engine.running.proving import fail
from governance.errors import Conflict, InvalidDocument, NotFound
from governance.store import decision_log, evidence, progress, runs

MOST = 2
"""How many are begun at one beat, so that a fleet which is due at once is spread over the hours that follow."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def drill(engine: Engine, now: datetime) -> int:
    """Begin what is due, the longest overdue first, and return how many; what was missed is made up for once.

    Of one runbook there are never two runs at once on a model. What cannot even begin has failed.
    """
    if not engine.drills:
        return 0
    with engine.database.read() as connection:
        started = progress.named(connection, PREFIX)
        known = evidence.latest(connection)
    due = sorted(_due(engine.drills, started, known, now), key=lambda pair: (pair[0], pair[1].name))
    begun = 0
    for _, each in due:
        if begun == MOST:
            break
        begun += _begun(engine, each, now)
    if begun:
        decision_log.seal(engine.database, now)
        engine.runner.wake()
    return begun


def _due(
    drills: Iterable[Drill], started: Mapping[str, datetime], known: Mapping[str, Evidence], now: datetime
) -> Iterator[tuple[datetime, Drill]]:
    for each in drills:
        at = each.due(started.get(each.name), known.get(each.model, Evidence())) or _LONG_AGO
        if at <= now:
            yield at, each


def _begun(engine: Engine, due: Drill, now: datetime) -> bool:
    """Begin one, unless a run of the same runbook is open: then it is due as soon as that has ended."""
    try:
        with engine.database.transaction() as connection:
            if runs.open_of(connection, due.model, due.runbook) is not None:
                return False
            progress.set_last(connection, due.name, now)
            begin(connection, engine, _runbook(engine, due), due.model, at=now, because=due.because, mode=due.mode)
    except (Conflict, InvalidDocument, NotFound) as error:
        with engine.database.transaction() as connection:
            progress.set_last(connection, due.name, now)
            fail(connection, engine, due.model, due.runbook, f"it cannot be begun: {error}", now)
    return True


def _runbook(engine: Engine, due: Drill) -> Runbook:
    found = engine.plan.runbooks.get(due.runbook)
    if found is None:
        raise NotFound(f"there is no runbook '{due.runbook}'")
    return found.document
