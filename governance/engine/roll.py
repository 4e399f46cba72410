"""Call the roll: which label sets of a rule are there, which are new, and which have vanished."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from governance.core.metric import Labels
from governance.engine.parts import Engine
from governance.store import instances
from governance.store.instances import Instance, Place

FORGET = timedelta(days=7)
"""A label set that has been away for so long is gone for good: a shop that closed, a version that was retired."""
_ROWS = 2_000


@dataclass(slots=True)
class Roll:
    """The label sets that are known, and what this cycle learns of them."""

    known: Mapping[Place, Mapping[Labels, datetime | None]]
    new: list[Instance] = field(default_factory=list)
    missing: list[Instance] = field(default_factory=list)
    back: list[Instance] = field(default_factory=list)
    gone: list[Instance] = field(default_factory=list)

    def call(
        self, place: Place, names: Collection[str], present: Collection[Labels], at: datetime
    ) -> tuple[list[Labels], list[Labels]]:
        """Return the label sets that are missed, and those that are forgotten from now on.

        `names` are the labels that the rule has today; a set with others is of another rule of that name.
        One that is missing for the first time may come late, so it is missed from the next cycle on. Where nothing is
        there at all, the whole metric is missing, and that is told once and not for each label set.
        """
        if not present:
            return [], []
        known = self.known.get(place, {})
        self.new.extend((*place, each) for each in present if each and each not in known)
        self.back.extend((*place, each) for each in present if known.get(each) is not None)
        missed: list[Labels] = []
        forgotten: list[Labels] = []
        for labels, since in known.items():
            if labels in present:
                continue
            if not {name for name, _ in labels} <= set(names):
                self.gone.append((*place, labels))
            elif since is None:
                self.missing.append((*place, labels))
            elif at - since >= FORGET:
                self.gone.append((*place, labels))
                forgotten.append(labels)
            elif since != at:
                missed.append(labels)
        return missed, forgotten

    def strike(self, declared: Collection[Place]) -> None:
        """Forget the label sets of rules that are no longer declared."""
        for place in self.known.keys() - set(declared):
            self.gone.extend((*place, labels) for labels in self.known[place])

    def write(self, engine: Engine, at: datetime) -> None:
        """Store what was learned, in short transactions; what is cut off is learned again."""
        for changed, since in ((self.missing, at), (self.back, None)):
            for chunk in _chunks(changed):
                with engine.database.transaction() as connection:
                    instances.mark(connection, chunk, since)
        for chunk in _chunks(self.new):
            with engine.database.transaction() as connection:
                instances.add(connection, chunk)
        for chunk in _chunks(self.gone):
            with engine.database.transaction() as connection:
                instances.remove(connection, chunk)


def _chunks(found: list[Instance]) -> list[list[Instance]]:
    return [found[first : first + _ROWS] for first in range(0, len(found), _ROWS)]
