"""The two lines above every screen: how bad it is, who looks, and how old all of it is."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from tui.known import GLYPHS, WORDS, Offline, Snapshot, span
from tui.text import SEVERITIES

LATE = 90
"""Seconds after which the last cycle counts as late: the engine answers, but does it still judge?"""


class Header(Static):
    """Shows a snapshot and its age; the age stays when there is no room for the rest."""

    def show(self, snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime) -> None:
        """Draw anew as of an instant."""
        room = self.size.width - 2
        rights = [_right(snapshot, offline, heard, at, most=most) for most in (2, 1, 0)]
        lefts = [Content.from_markup("  ".join(each)) for each in (_left(snapshot), _left(snapshot, brief=True))]
        lefts.append(Content.from_markup("  ".join(_left(None))))
        # Who looks gives way first, then the words of the tallies; how old it is stays.
        pairs = [*((lefts[0], right) for right in rights), *((left, rights[2]) for left in lefts[1:])]
        said, right = next((each for each in pairs if each[0].cell_length + each[1].cell_length + 2 <= room), pairs[-1])
        pad = max(room - said.cell_length - right.cell_length, 1)
        self.update(Content.assemble(said, " " * pad, right), layout=False)  # one line stays one line


def _left(snapshot: Snapshot | None, *, brief: bool = False) -> list[str]:
    """Return how bad it is, in words or (brief) in glyphs and numbers alone."""
    found = ["[b $primary]◆ gov[/]"]
    if snapshot is None:
        return found
    if not brief:
        found.append(f"[b]{_plain(snapshot.fleet.environment)}[/]")
    tallies = snapshot.fleet.tallies
    for name, colour in SEVERITIES.items():
        count = tallies.get(name, 0)
        if count:
            word = "" if brief else f" {WORDS.get(name, name)}"
            found.append(f"[{colour}]{GLYPHS[name]} {count}{word}[/]")
    if tallies.get("not_live"):
        found.append(f"[b $critical on $critical-ground]■ {tallies['not_live']}{'' if brief else ' not live'}[/]")
    if snapshot.fleet.policies:
        found.append(f"[b $warning]! policies[/]{'' if brief else f' [$warning]{_plain(snapshot.fleet.policies)}[/]'}")
    return found


def _right(
    snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime, *, most: int
) -> Content:
    """Return who looks and how old it is: all of it (`most` 2), the name and the age (1), the age alone (0)."""
    who = ""
    if snapshot is not None and most:
        role = snapshot.who.roles[0] if snapshot.who.roles else snapshot.who.kind
        who = f"{_plain(snapshot.who.actor)}{f' [$muted]{_plain(role)}[/]' if most > 1 else ''}  "
    if offline is not None:
        state = f"[{SEVERITIES['critical']}]✗ offline {span(offline.since, at)}[/]"
    elif snapshot is None or heard is None:
        state = "[$warning]… connecting[/]"
    else:
        state = f"[$success]● live[/] {_age(snapshot, at, brief=most < 2)}"
    return Content.from_markup(f"{who}{state}  {at:%H:%M:%S}Z")


def _age(snapshot: Snapshot, at: datetime, *, brief: bool) -> str:
    judged = snapshot.fleet.judged_at
    late = judged is None or (at - judged).total_seconds() > LATE
    said = f"{span(judged, at)}" if brief else f"judged {span(judged, at)}{' ago' if judged else ''}"
    return f"[{'b $warning' if late else '$muted'}]{said}[/]"


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
