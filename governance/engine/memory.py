"""What a registry said last: while it fails, the version that served a moment ago still counts as serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from governance.core.metric import Answer, Query, Sample
from governance.core.past import series_key
from governance.engine.facts import registry_failure
from governance.engine.parts import Engine
from governance.store import samples

if TYPE_CHECKING:
    from sqlalchemy import Connection

FOR = timedelta(days=1)
"""How long it counts; that the registry fails is an incident of the engine all the while."""


def last_said(engine: Engine, answers: Mapping[Query, Answer], at: datetime) -> dict[Query, Answer]:
    """Return the answers of registries, with what those said last that have none to give now."""
    found = dict(answers)
    failing = {series_key(query): query for query, answer in answers.items() if registry_failure(answer)}
    if failing:
        with engine.database.read() as connection:
            stored = samples.between(connection, list(failing), at - FOR, at)
        for key, query in failing.items():
            clear = _last_clear(stored.get(key, ()))
            if clear is not None:
                found[query] = clear
    return found


def serving(connection: Connection, query: Query, at: datetime) -> str:
    """Return the version that a registry named last, "" where it is not known."""
    key = series_key(query)
    clear = _last_clear(samples.between(connection, [key], at - FOR, at).get(key, ()))
    return dict(clear.samples[0].labels)["version"] if clear is not None else ""


def _last_clear(stored: Sequence[Sample]) -> Answer | None:
    """Return the newest answer that names one version; what named none, or two, is remembered beside it."""
    for _, together in groupby(reversed(stored), attrgetter("time")):
        answer = Answer(tuple(together))
        if not registry_failure(answer):
            return answer
    return None
