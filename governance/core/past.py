"""What is known of a question's past."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance.core.metric import Query, Sample


@dataclass(frozen=True, slots=True)
class Tally:
    """How many samples of a stretch have a value, how many of these are 0, and the time of the newest."""

    judged: int = 0
    bad: int = 0
    newest: datetime | None = None

    def with_one(self, sample: Sample) -> Tally:
        """Return the tally with the newest sample counted too."""
        if sample.value is None:
            return self
        return Tally(self.judged + 1, self.bad + (not sample.value), sample.time)


@dataclass(frozen=True, slots=True)
class Past:
    """The samples of one question in the order of their times, and since when it has been asked (None: never).

    Of an SLO's series, a month of minutes, there are only the tallies of the windows that are asked for.
    """

    samples: tuple[Sample, ...] = ()
    begun: datetime | None = None
    tallies: Mapping[timedelta, Tally] = field(default_factory=dict)


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
