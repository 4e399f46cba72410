"""Tell what late cycles found, if it is still true: nobody is woken for what ended while the engine was away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from governance.core.effect import Effect
from governance.core.incident import Incident
from governance.engine import entries
from governance.engine.parts import Engine
from governance.store import decision_log, effects, incidents

ENDED = "late: it had ended before it could be told"
SUMMED = "late: told in one message with what came after"


def release(engine: Engine, at: datetime) -> None:
    """Decide on every held notification: the newest of an incident that is still open is sent, the others are not.

    The resolution of an incident that people were told of before always gets through.
    """
    with engine.database.read() as connection:
        if not effects.held(connection):
            return
    with engine.database.transaction() as connection:
        by_line: dict[tuple[int, str], list[Effect]] = defaultdict(list)
        for each in effects.held(connection):
            by_line[each.incident, each.notifier].append(each)
        decided: list[Effect] = []
        for (number, notifier), held in by_line.items():
            others = [each for each in effects.of_incident(connection, number) if each.notifier == notifier]
            said = [each for each in others if each.state == "sent" or each.next_at]
            before = [each for each in said if each.version < held[0].version]
            told = bool(before) and max(before, key=attrgetter("version")).message.reason != "resolved"
            incident = incidents.get(connection, number)
            decided.extend(_decided(incident, held, at, told=told))
            if incident.status == "resolved" and not told:  # nobody hears of the end of what nobody was told of
                ends = [each for each in others if each.next_at]
                decided.extend(replace(each, state="withheld", next_at=None, receipt=ENDED) for each in ends)
        effects.save(connection, decided)
        decision_log.append(connection, [entries.of_delivery(each, at) for each in decided if each.state == "withheld"])
    decision_log.seal(engine.database, at)


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
