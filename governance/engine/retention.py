"""Forget samples that nothing looks back on any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from governance.core.past import series_key
from governance.engine import pushing
from governance.engine.parts import Engine
from governance.engine.recording import KEPT
from governance.store import progress, samples

EVERY = timedelta(hours=1)
SLACK = timedelta(days=1)
"""How much longer than needed samples are kept: a change of a policy back and forth must not lose them."""
ROWS = 5_000
"""How many samples are deleted in one transaction, as people's acts wait for it."""


def forget(engine: Engine, at: datetime) -> int:
    """Delete, once an hour, the samples that no expression reaches, and return how many that were."""
    with engine.database.read() as connection:
        last = progress.last(connection, progress.FORGOTTEN)
    if last is not None and last <= at < last + EVERY:
        return 0
    if last is not None and at - last > SLACK:  # the clock may be wrong: an hour to put it right before much is deleted
        with engine.database.transaction() as connection:
            progress.set_last(connection, progress.FORGOTTEN, at)
        return 0
    limits: dict[str, datetime] = {}
    for policy in engine.plan.policies:
        for rule in policy.rules:
            counted = (
                (series, max(windows)) for needs in (rule.needs, rule.told) for series, windows in needs.minutes.items()
            )
            for query, back in (*rule.needs.past.items(), *rule.told.past.items(), *counted):
                key = series_key(query)
                limits[key] = min(limits.get(key, at - KEPT), at - query.offset - back - SLACK)
    total, deleted = 0, ROWS
    while deleted == ROWS:
        with engine.database.giving_way(), engine.database.transaction() as connection:
            deleted = samples.forget(connection, limits, at - KEPT, ROWS)
        total += deleted
    with engine.database.giving_way():
        while pushing.forget(engine, at, ROWS):
            pass
    with engine.database.giving_way(), engine.database.transaction() as connection:
        progress.set_last(connection, progress.FORGOTTEN, at)
    return total
