"""What the app knows of the engine, and how old that is; nothing here draws."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

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


class Kept:
    """The fleet in the engine's order, into which what changed is merged; rows that did not change are the very same.

    All that is looked at for each change is what it changes: to sort and count ten thousand anew each second takes as
    long as reading the five hundred that changed.
    """

    def __init__(self, whole: FleetView) -> None:
        """Begin with all rows."""
        self._rows = {row.model: row for row in whole.items}
        self._places = sorted(map(_place, whole.items))
        severities = Counter(row.severity for row in whole.items)
        self._tallies = {name: severities[name] for name in RANKS}
        self._tallies["not_live"] = sum(_away(row) for row in whole.items)
        self.view = whole.model_copy(update={"tallies": dict(self._tallies)})

    def merge(self, changed: FleetView) -> FleetView:
        """Take rows in the place of earlier ones, and return the fleet as it is now."""
        for row in changed.items:
            before, place = self._rows.get(row.model), _place(row)
            self._rows[row.model] = row
            self._count(row, 1)
            if before is not None:
                self._count(before, -1)
                if _place(before) == place:
                    continue
                del self._places[bisect_left(self._places, _place(before))]
            insort(self._places, place)
        items = [self._rows[model] for _, _, model in self._places]
        self.view = changed.model_copy(update={"items": items, "tallies": dict(self._tallies), "whole": True})
        return self.view

    def _count(self, row: FleetRow, by: int) -> None:
        self._tallies[row.severity] = self._tallies.get(row.severity, 0) + by
        self._tallies["not_live"] += by * _away(row)


def _place(row: FleetRow) -> tuple[int, int, str]:
    """Return where a row stands among the others."""
    return RANKS.get(row.severity, 0), row.tier, row.model


def _away(row: FleetRow) -> bool:
    """Tell whether the switch of a model is not live; the engine itself has none."""
    return row.mode not in ("live", "")


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
