"""Runs that are due on a schedule: the rollback of a card, and runbooks that say how often they are run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.core.authored import Authored
from governance.core.card import Card
from governance.core.duration import format_duration
from governance.core.evidence import Evidence, EvidenceKind
from governance.core.run import Mode
from governance.core.runbook import Runbook

EARLY, SPREAD = 0.15, 0.10
"""A rollback is drilled so much of its interval before it is overdue, less up to that much: each model its own part.

So a drill that fails can be mended before the card is broken, and models that were drilled together drift apart.
"""
PREFIX = "drill "
"""How the names begin under which the last starts are remembered."""
AGAIN = timedelta(days=1)
"""When a drill that proved nothing is tried anew, or after its interval where that is shorter."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One schedule of one model. `proves` is what counts as the last time, None where only its start does."""

    model: str
    runbook: str
    every: timedelta
    mode: Mode
    proves: EvidenceKind | None
    early: float = 0.0

    @property
    def name(self) -> str:
        """Under which its last start is remembered."""
        return f"{PREFIX}{self.model} {self.runbook}"

    @property
    def because(self) -> str:
        """Why it is started."""
        what = "its rollback is practised" if self.early else "it is run on a schedule"
        return f"{what} every {format_duration(self.every)}"

    def due(self, started: datetime | None, evidence: Evidence) -> datetime | None:
        """Return when it is due, None for at once: it was never started, and never proved."""
        proved = evidence.once.get(self.proves) if self.proves is not None else None
        next_ = proved + self.every * (1 - self.early) if proved is not None else None
        if started is None:
            return next_
        patience = min(self.every, AGAIN) if self.mode == "dry_run" and self.proves is not None else self.every
        return max(started + patience, next_) if next_ is not None else started + patience


def drills_of(
    cards: Iterable[Card], runbooks: Mapping[str, Authored[Runbook]], is_for: Callable[[Runbook, Card], bool]
) -> Iterator[Drill]:
    """Yield every schedule of a fleet; `is_for` tells whether a runbook is for a model.

    A runbook that both a card and its own `every` ask for is run as often as the card says.
    """
    scheduled = [each.document for each in runbooks.values() if each.document.every is not None]
    for card in cards:
        own = _rollback(card)
        if own is not None:
            yield own
        for runbook in scheduled:
            if runbook.every is not None and (own is None or own.runbook != runbook.runbook) and is_for(runbook, card):
                mode: Mode = "dry_run" if runbook.dry_run else "live"
                yield Drill(card.model, runbook.runbook, runbook.every, mode, runbook.proves)


def _rollback(card: Card) -> Drill | None:
    rollback = card.rollback
    if rollback is None or rollback.drill_every is None or rollback.then is None or rollback.then.runbook is None:
        return None
    name = rollback.then.runbook
    early = EARLY - SPREAD * _part(card.model, name)
    return Drill(card.model, name, rollback.drill_every, "dry_run", "drilled", early)


def _part(*names: str) -> float:
    """Return a number from 0 to 1 that is always the same for these names, and another for others."""
    digest = hashlib.sha256("/".join(names).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32
