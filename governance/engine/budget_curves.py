"""What is left of a model's error budgets, and how it came to that, from what is known already: no source is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from governance.core.cell import Cell
from governance.core.compiled import CompiledPolicy
from governance.core.control import Budget
from governance.core.evaluation import Evaluation
from governance.core.objective import budget_left
from governance.core.past import Tally, series_key
from governance.core.slo import CompiledSlo, Spent
from governance.store import samples

if TYPE_CHECKING:
    from sqlalchemy import Connection

PARTS = 14
"""Into how many stretches the window of an SLO over minutes is cut for its curve."""
Tallies = Mapping[str, tuple[Tally, ...]]
"""The minutes of each part of a window, oldest part first, by the key of the series."""


def parts_of(connection: Connection, slos: Iterable[CompiledSlo], at: datetime) -> Tallies:
    """Return the minutes of each part of the windows of SLOs, read in one question for each part."""
    windows = {series_key(each.series): each.spec.window for each in slos if each.good is not None}
    found: dict[str, list[Tally]] = defaultdict(list)
    for part in range(PARTS) if windows else ():
        asked = {
            key: (at - window * ((PARTS - part) / PARTS), at - window * ((PARTS - part - 1) / PARTS))
            for key, window in windows.items()
        }
        counted = samples.tallies(connection, asked)
        for key in windows:
            found[key].append(counted.get(key, Tally()))
    return {key: tuple(tallies) for key, tallies in found.items()}


def budgets(policy: CompiledPolicy, evaluation: Evaluation, tallies: Tallies, at: datetime) -> tuple[Budget, ...]:
    """Return the budget of each SLO of a model as of `at`, with its curve where one is known."""
    return tuple(_budget(policy, each, evaluation, tallies, at) for each in policy.slos.values())


def _budget(policy: CompiledPolicy, slo: CompiledSlo, evaluation: Evaluation, tallies: Tallies, at: datetime) -> Budget:
    spec, spent = slo.spec, evaluation.spent(slo, slo.spec.window)
    if isinstance(spent, Cell):
        return Budget(slo.name, spec.objective, spec.window, None, spent.detail or spent.reason or "not known")
    left = budget_left(spent.bad, spent.total, spec.objective)
    if slo.good is not None:
        burnt = _minutes_burnt(tallies.get(series_key(slo.series), ()), spec.window, at)
    else:
        burnt = _events_burnt(policy, slo, spent, evaluation, at)
    curve = tuple((time, budget_left(bad, spent.total, spec.objective)) for time, bad in burnt)
    return Budget(slo.name, spec.objective, spec.window, left, "", spent.time, (*curve, (at, left)))


def _minutes_burnt(tallies: tuple[Tally, ...], window: timedelta, at: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield how many minutes of the window were bad by the end of each part but the last."""
    bad = 0
    yield at - window, bad
    for number, each in enumerate(tallies[:-1], start=1):
        bad += each.bad
        yield at - window * ((PARTS - number) / PARTS), bad


def _events_burnt(
    policy: CompiledPolicy, slo: CompiledSlo, whole: Spent, evaluation: Evaluation, at: datetime
) -> Iterator[tuple[datetime, float]]:
    """Yield how many events of the window were bad by the instants that some rule asks about anyway."""
    yield at - slo.spec.window, 0.0
    for window in sorted(_asked(policy, slo), reverse=True):
        found = evaluation.spent(slo, window)
        if isinstance(found, Spent) and found.bad <= whole.bad:
            yield at - window, whole.bad - found.bad


def _asked(policy: CompiledPolicy, slo: CompiledSlo) -> set[timedelta]:
    found = {
        window
        for rule in policy.rules
        for reference in rule.references
        if reference.budget is not None and reference.budget.slo in ("", slo.name)
        for window in slo.windows(reference.budget)
    }
    return {each for each in found if policy.policy.card.cadence.every <= each < slo.spec.window}
