"""The lines of the decision log: one for each entry, and one for each row of cycles between what somebody decided."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from governance.views import EntryView
from tui.text import first_sentence
from tui.widgets.columns import Column
from tui.widgets.table import Table

CYCLE = "cycle.evaluated"
"""The entry that the engine makes each time it judges: what floods the log while nothing happens."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Cycles that follow one another, as one line; known by the first of them, as more may follow."""

    first: EntryView
    last: EntryView
    count: int
    open: bool

    @property
    def seq(self) -> int:
        """The place of the first."""
        return self.first.seq


Line = EntryView | Fold


def folded(entries: Sequence[EntryView], opened: Collection[int]) -> list[Line]:
    """Return the lines of entries: two or more cycles in a row are one, which what is `opened` has below it."""
    lines: list[Line] = []
    for cycle, group in groupby(entries, key=lambda each: each.kind == CYCLE):
        found = list(group)
        if not cycle or len(found) < 2:
            lines.extend(found)
            continue
        fold = Fold(found[0], found[-1], len(found), found[0].seq in opened)
        lines.extend([fold, *found] if fold.open else [fold])
    return lines


class Entries(Table[Line]):
    """One line per entry, or per row of cycles."""

    COLUMNS = (
        Column("#", 5, ">", most=9),
        Column("TIME", 8),
        Column("WHO", 6, most=16),
        Column("WHAT", 12, most=26),
        Column("ABOUT", 8, most=24),
        Column("SAID", 10, grows=True),
        Column("VIA", 5),
    )
    DROPPED = (6, 4)

    def name_of(self, row: Line) -> str:
        """Return the place in the log."""
        return f"fold {row.seq}" if isinstance(row, Fold) else str(row.seq)

    def text_of(self, row: Line, column: int) -> str:
        """Return what a column that fits its texts has."""
        if isinstance(row, Fold):
            return (str(row.seq), "", "engine", _cycles(row), "")[column]
        return (str(row.seq), "", row.actor, row.kind, about(row))[column]

    def cells(self, row: Line, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of an entry."""
        if isinstance(row, Fold):
            return _folded_cells(row, at)
        refused = ".refused" in row.kind
        return [
            (str(row.seq), "dim"), (_time(row.at, at), "dim"),
            (row.actor, "strong" if row.actor != "engine" else "dim"), (row.kind, "critical" if refused else ""),
            (about(row), ""), (first_sentence(said(row)), "" if row.actor != "engine" else "dim"),
            (str(row.body.get("channel", "")), "dim"),
        ]  # fmt: skip


def _folded_cells(row: Fold, at: datetime) -> list[tuple[str, str]]:
    told = f"#{row.first.seq}–#{row.last.seq} to {_time(row.last.at, at)}, the last: {said(row.last)}"
    return [
        (str(row.seq), "dim"), (_time(row.first.at, at), "dim"), ("engine", "dim"), (_cycles(row), "dim"),
        ("", ""), (told, "dim"), ("", ""),
    ]  # fmt: skip


def _cycles(row: Fold) -> str:
    return f"{'▾' if row.open else '▸'} {row.count} cycles evaluated"


def _time(at: datetime, now: datetime) -> str:
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%m-%d %H}h"


def about(row: EntryView) -> str:
    """Return what an entry is about, in a few words."""
    subject = row.subject
    incident = f"INC-{subject['incident']}" if subject.get("incident") else ""
    return " ".join(filter(None, (subject.get("model", ""), incident, subject.get("run", ""))))


def said(entry: EntryView) -> str:
    """Return the words of an entry that say the most, as they were written."""
    body = entry.body
    for name in ("because", "text", "title", "reason", "detail", "summary", "rule"):
        if isinstance(body.get(name), str) and body[name]:
            return str(body[name])
    verdicts = body.get("verdicts")
    if isinstance(verdicts, Mapping):
        late = ", late" if body.get("late") else ""
        return ", ".join(f"{count} {outcome.replace('_', ' ')}" for outcome, count in verdicts.items()) + late
    return "  ".join(f"{name} {value}" for name, value in body.items() if isinstance(value, (str, int, float)))
