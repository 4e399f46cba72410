"""What is known of a question's past."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from governance.core.metric import Query, Sample


@dataclass(frozen=True, slots=True)
class Past:
    """The samples of one question in the order of their times, and since when it has been asked (None: never)."""

    samples: tuple[Sample, ...] = ()
    begun: datetime | None = None


NOTHING = Past()


def series_key(query: Query) -> str:
    """Return the name of a question's history: the first 20 hex digits of a SHA-256 over what it asks.

    Features and slices that a card adds later do not begin a new history of what it asked before.
    """
    log = query.log
    table = (log.source, log.table, log.columns, log.labels, log.reference) if log else None
    asked = (
        query.source,
        query.measure,
        query.text,
        table,
        query.window,
        query.offset,
        query.by,
        query.of,
        query.q,
        query.where,
        query.against,
        query.parameters,
        query.extract,
    )
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:20]
