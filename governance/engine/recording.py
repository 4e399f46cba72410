"""Keep what was answered, so that a change of the policies can be tried on what happened before it is made.

Every five minutes at most, for a month: that is enough to see what another limit would have told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from governance.core.metric import Query
from governance.core.past import series_key
from governance.core.slo import SOURCE
from governance.engine.picture import Agenda, Picture

EVERY = timedelta(minutes=5)
"""How often the answers to a question that is asked more often are kept; others are kept each time."""
KEPT = timedelta(days=31)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def keep(picture: Picture, last: datetime | None) -> None:
    """Add to what is remembered of this cycle the answers that nothing looks back on; `last` is the cycle before."""
    begins = last is None or (picture.at - _EPOCH) // EVERY > (last - _EPOCH) // EVERY
    fresh = picture.recalled.fresh
    for each in picture.agenda:
        often = _often(each)
        for query in each.queries:
            answer = picture.answers.get(query)
            if answer is None or not answer.samples or query.source == SOURCE or (query in often and not begins):
                continue
            fresh.setdefault(series_key(query), list(answer.samples))


def _often(agenda: Agenda) -> set[Query]:
    """Return the questions that are asked more often than they are kept."""
    rules = {query for rule in agenda.rules if rule.needs.every < EVERY for query in rule.queries}
    return rules | {query for slo in agenda.budgets for query in agenda.policy.unwatched[slo.name].queries}
