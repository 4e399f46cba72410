"""What the app knows of the engine, and how old that is; nothing here draws."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

from governance.views import ApprovalView, FleetRow, FleetView, IncidentView, WhoamiView, in_words
from governance.views.on_call import OnCallView

GLYPHS = {"critical": "▲", "warning": "◆", "info": "▪", "none": "·", "unknown": "?"}
WORDS = {"none": "ok", "unknown": "no data"}
"""How a severity is written where its own name says less."""
MODES = {
    "live": "● live",
    "throttle": "◐ throttle",
    "shadow": "◌ shadow",
    "fallback": "◩ fallback",
    "stopped": "■ STOPPED",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that was fetched at one instant."""

    who: WhoamiView
    fleet: FleetView
    incidents: dict[int, IncidentView]
    approvals: tuple[ApprovalView, ...]
    at: datetime
    on_call: tuple[OnCallView, ...] = ()

    def row(self, model: str) -> FleetRow | None:
        """Return the row of a model, None when none of that name is governed."""
        return next((each for each in self.fleet.items if each.model == model), None)

    def incident_of(self, row: FleetRow) -> IncidentView | None:
        """Return the worst open incident of a model, None when it has none."""
        return next((self.incidents[each] for each in row.incidents if each in self.incidents), None)


RANKS = {name: rank for rank, name in enumerate(("critical", "warning", "unknown", "info", "none"))}
"""Severities of rows, the worst first, as the engine orders them."""


def merged(whole: FleetView, changed: FleetView) -> FleetView:
    """Return a fleet with what changed in it, in the engine's order; rows that did not change are the very same."""
    items = list(whole.items)
    places = {row.model: index for index, row in enumerate(items)}
    left: set[int] = set()
    moved: list[FleetRow] = []
    for each in changed.items:
        index = places.get(each.model)
        if index is not None and _place(items[index]) == _place(each):
            items[index] = each
        else:
            moved.append(each)
            left.update(() if index is None else (index,))
    if left:
        items = [row for index, row in enumerate(items) if index not in left]
    for each in moved:  # few: to sort all ten thousand anew takes longer than everything else here
        insort(items, each, key=_place)
    return changed.model_copy(update={"items": items, "tallies": _tallies(items)})


def _place(row: FleetRow) -> tuple[int, int, str]:
    """Return where a row stands among the others."""
    return RANKS.get(row.severity, 0), row.tier, row.model


def _tallies(items: Sequence[FleetRow]) -> dict[str, int]:
    """Count rows as the engine does, by severity and those whose switch is not live."""
    severities, modes = Counter(map(attrgetter("severity"), items)), Counter(map(attrgetter("mode"), items))
    return {**{name: severities[name] for name in RANKS}, "not_live": len(items) - modes["live"] - modes[""]}


@dataclass(frozen=True, slots=True)
class Offline:
    """The engine is not reached: since when, why, and in how many seconds it is tried again."""

    since: datetime
    why: str
    retry_in: float


def span(since: datetime | None, now: datetime) -> str:
    """Return how long ago something was, in the two largest units: "4 m 29 s"; "never" for None."""
    return "never" if since is None else in_words(now - since)


def brief(since: datetime, now: datetime) -> str:
    """Return how long ago something was, in its largest unit: "4m"."""
    seconds = max(int((now - since).total_seconds()), 0)
    size, unit = next((each for each in _UNITS if seconds >= each[0]), (1, "s"))
    return f"{seconds // size}{unit}"


_UNITS = ((365 * 86_400, "y"), (86_400, "d"), (3_600, "h"), (60, "m"))


def now() -> datetime:
    """Return the current instant in UTC."""
    return datetime.now(UTC)


def number(value: float | None) -> str:
    """Return a value in three significant digits, "–" where there is none."""
    return "–" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
