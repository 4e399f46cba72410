"""The levels of an incident's escalation one by one: who was told when and answered, who could not be, who comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from governance.core.effect import Effect
from governance.core.escalation import Escalation
from governance.core.incident import Incident
from governance.core.responders import found
from governance.engine.parts import Engine
from governance.views import LevelView, ReachView

_REACHED = ("sent", "folded")
_LOST = ("failed", "withheld")


def levels(
    engine: Engine, clock: Escalation, incident: Incident, effects: Sequence[Effect], at: datetime
) -> list[LevelView]:
    """Return every level, the fallback last, as of an instant; `effects` are all of the incident."""
    count = len(clock.policy.levels) + bool(clock.policy.fallback)
    shown = [_level(engine, clock, number, effects, at) for number in range(1, count + 1)]
    answered = _answered(shown, incident)
    if answered is None:
        return shown
    said = {"answered_by": incident.acknowledged_by, "answered_at": incident.acknowledged_at}
    return [each.model_copy(update=said) if each.level == answered else each for each in shown]


def _level(engine: Engine, clock: Escalation, number: int, effects: Sequence[Effect], at: datetime) -> LevelView:
    targets = clock.targets(number)
    pages = _last(effects, number) if number <= clock.level else []
    comes = clock.next_at if clock.next_at is not None and not clock.halt else at
    whom = found(targets, engine.organisation, max(comes, at))
    return LevelView(
        level=number,
        state=_state(clock, number, told=bool(pages)),
        to=[str(each) for each in targets],
        who=[*(each.person for each in whom.people), *whom.notifiers],
        holes=[str(each) for each in whom.holes],
        fallback=number > len(clock.policy.levels),
        told_at=pages[0].message.at if pages else None,
        reached=list(_reached(pages, ", ".join(map(str, targets)))),
    )


def _last(effects: Sequence[Effect], number: int) -> list[Effect]:
    """Return the pages of a level as it was told last: all of them were decided at one instant."""
    pages = [each for each in effects if each.level == number]
    last = max((each.message.at for each in pages), default=None)
    return [each for each in pages if each.message.at == last]


def _state(clock: Escalation, number: int, *, told: bool) -> str:
    following = clock.following
    if following is not None and following[0] == number and clock.next_at is not None and not clock.halt:
        return "next"  # also the first of the next round, which was told before
    if told:
        return "told"
    levels = clock.policy.levels
    meant = clock.severity in levels[number - 1].severities if number <= len(levels) else clock.severity == "critical"
    return "passed" if number <= clock.level or not meant else "later"


def _reached(pages: Sequence[Effect], to: str) -> Iterator[ReachView]:
    """Yield each person and notifier once: told where one page came through, else waiting, else with the reason.

    Where nobody was there, it is `to` what the level names.
    """
    whom: dict[str, list[Effect]] = {}
    for page in pages:
        for name in [each.person for each in page.to] or [page.notifier or to]:
            whom.setdefault(name, []).append(page)
    for name, mine in whom.items():
        why = "; ".join(dict.fromkeys(each.receipt for each in mine if each.receipt))
        if any(each.state in _REACHED for each in mine):
            yield ReachView(who=name, state="told")
        elif all(each.state in _LOST for each in mine):
            yield ReachView(who=name, state="failed", why=why)
        else:
            yield ReachView(who=name, state="waits", why=why)


def _answered(shown: Sequence[LevelView], incident: Incident) -> int | None:
    """Return the level whose people had been told last when somebody took the incident, None where nobody has."""
    at = incident.acknowledged_at
    if at is None or not incident.acknowledged_by:
        return None
    before = [each for each in shown if each.told_at is not None and each.told_at <= at]
    mine = [each for each in before if incident.acknowledged_by in [one.who for one in each.reached]]
    return max(mine or before, key=lambda each: (each.told_at or at, each.level)).level if before else None
