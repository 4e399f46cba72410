"""Evidence: what people recorded that was done, as against what a card declares; and how rules see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from governance.core.expression import Shape

EvidenceKind = Literal["trained", "reviewed", "drilled", "switch_drilled", "approved"]
"""`drilled`: the rollback was practised; `switch_drilled`: the kill switch was."""


@dataclass(frozen=True, slots=True)
class Record:
    """One thing done for a model at `at`, recorded by `actor` at `recorded_at`; `decision` is the id of its entry.

    Only a review has a `team` that made it, and a `regime` when it was made for one.
    """

    model: str
    kind: EvidenceKind
    at: datetime
    actor: str
    recorded_at: datetime
    decision: str
    version: str = ""
    note: str = ""
    team: str = ""
    regime: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """When each thing was last done for one model; None or absent is never.

    `reviewed` is by team, and by team/regime for the reviews made for a regime.
    """

    trained: datetime | None = None
    drilled: datetime | None = None
    approved: datetime | None = None
    reviewed: Mapping[str, datetime] = field(default_factory=dict)
    switch_drilled: datetime | None = None

    @property
    def once(self) -> dict[str, datetime]:
        """When each thing was last done that is not by team; what was never done is left out."""
        return {name: at for name in _ONCE if (at := getattr(self, name)) is not None}


_TIME = Shape.leaf("timestamp")
_ONCE = ("trained", "drilled", "switch_drilled", "approved")
EVIDENCE = Shape.record(
    {**dict.fromkeys(_ONCE, _TIME), "reviewed": Shape.map(_TIME)},
    optional=_ONCE,
)
"""What rules may name of the evidence; has() tells whether a thing was ever done."""


def last_done(records: Iterable[Record]) -> Evidence:
    """Sum up the records of one model; of several of a kind the one recorded last counts, so that it can be set right.

    `records` are in the order in which they were recorded.
    """
    times: dict[str, datetime] = {}
    reviewed: dict[str, datetime] = {}
    for each in records:
        if each.kind == "reviewed":
            reviewed |= dict.fromkeys(reviews(each.team, each.regime), each.at)
        else:
            times[each.kind] = each.at
    return Evidence(**times, reviewed=reviewed)


def reviews(team: str, regime: str) -> tuple[str, ...]:
    """Return the keys in `reviewed` that a review counts for."""
    return (team, f"{team}/{regime}") if regime else (team,)


def as_context(evidence: Evidence) -> dict[str, object]:
    """Return the evidence as expressions see it; what was never done is left out."""
    return {**evidence.once, "reviewed": dict(evidence.reviewed)}
