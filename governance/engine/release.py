"""Tell what late cycles found, if it is still true: nobody is woken for what ended while the engine was away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from governance.core.digest import BURST, waiting
from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, effects, incidents

ENDED = "late: it had ended before it could be told"
SUMMED = "late: told in one message with what came after"


_INCIDENTS = 50
"""How many incidents are decided on in one transaction, as people's acts wait for it."""


def release(engine: Engine, at: datetime) -> None:
    """Decide on every held notification: the newest of an incident that is still open is sent, the others are not.

    The resolution of an incident that people were told of before always gets through.
    """
    with engine.database.read() as connection:
        numbers = list(dict.fromkeys(each.incident for each in effects.held(connection)))
    if not numbers:
        return
    with engine.database.giving_way():
        for first in range(0, len(numbers), _INCIDENTS):
            with engine.database.transaction() as connection:
                chosen = numbers[first : first + _INCIDENTS]
                decided = [
                    each
                    for number in chosen
                    for each in _released(
                        incidents.get(connection, number), effects.of_incident(connection, number), at
                    )
                ]
                effects.save(connection, waiting(decided) if len(numbers) > BURST else decided)
                withheld = [entries.of_delivery(each, at) for each in decided if each.state == "withheld"]
                decision_log.append(connection, withheld)
        decision_log.seal(engine.database, at)


def _released(incident: Incident, known: Sequence[Effect], at: datetime) -> Iterator[Effect]:
    """Return what becomes of the held notifications of one incident; `known` are all that it ever had."""
    by_notifier: dict[str, list[Effect]] = defaultdict(list)
    for each in sorted(known, key=attrgetter("version", "key")):
        if not each.level:  # a page is decided on the present
            by_notifier[each.notifier].append(each)
    for others in by_notifier.values():
        held = [each for each in others if each.state == "held"]
        if not held:
            continue
        said = [each for each in others if each.state in ("sent", "waiting", "folded") or each.next_at]
        before = [each for each in said if each.version < held[0].version]
        told = bool(before) and before[-1].message.reason != "resolved"
        yield from _decided(incident, held, at, told=told)
        if incident.status == "resolved" and not told:  # nobody hears of the end of what nobody was told of
            ends = [each for each in others if each.next_at]
            yield from (replace(each, state="withheld", next_at=None, receipt=ENDED) for each in ends)


def _decided(incident: Incident, held: Sequence[Effect], at: datetime, *, told: bool) -> Iterator[Effect]:
    """Return what becomes of the held notifications of one incident to one notifier, oldest first."""
    open_ = incident.status != "resolved"
    chosen = [each for each in held if (each.message.reason != "resolved") == open_]
    sent = chosen[-1] if chosen and (open_ or told) else None
    for each in held:
        if each is sent:
            yield replace(each, state="due", next_at=at)
        else:
            yield replace(each, state="withheld", receipt=SUMMED if sent else ENDED)
