"""The two lines above every screen: how bad it is, who looks, and how old all of it is."""

from __future__ import annotations

from datetime import datetime

from textual.content import Content
from textual.widgets import Static

from tui.known import GLYPHS, WORDS, Offline, Snapshot, span

_COLOURS = {"critical": "$error", "warning": "$warning", "info": "$secondary", "unknown": "$warning"}
LATE = 90
"""Seconds after which the last cycle counts as late: the engine answers, but does it still judge?"""


class Header(Static):
    """Shows a snapshot and its age; the age stays when there is no room for the rest."""

    def show(self, snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime) -> None:
        """Draw anew as of an instant."""
        right = _right(snapshot, offline, heard, at)
        room = self.size.width - 2
        for left in (_left(snapshot), _left(snapshot, brief=True), _left(None)):  # the longest that there is room for
            said = Content.from_markup("  ".join(left))
            if said.cell_length + right.cell_length + 2 <= room:
                break
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
    for name, colour in _COLOURS.items():
        count = tallies.get(name, 0)
        if count:
            bold = "b " if name == "critical" else ""
            word = "" if brief else f" {WORDS.get(name, name)}"
            found.append(f"[{bold}{colour}]{GLYPHS[name]} {count}{word}[/]")
    if tallies.get("not_live"):
        found.append(f"[$error]■ {tallies['not_live']}{'' if brief else ' not live'}[/]")
    if snapshot.fleet.policies:
        found.append(f"[b $warning]! policies[/]{'' if brief else f' [$warning]{_plain(snapshot.fleet.policies)}[/]'}")
    return found


def _right(snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime) -> Content:
    who = ""
    if snapshot is not None:
        role = snapshot.who.roles[0] if snapshot.who.roles else snapshot.who.kind
        who = f"{_plain(snapshot.who.actor)} [$muted]{_plain(role)}[/]  "
    if offline is not None:
        state = f"[b $error]✗ offline {span(offline.since, at)}[/]"
    elif snapshot is None or heard is None:
        state = "[$warning]… connecting[/]"
    else:
        state = f"[$success]● live[/] {_age(snapshot, at)}"
    return Content.from_markup(f"{who}{state}  {at:%H:%M:%S}Z")


def _age(snapshot: Snapshot, at: datetime) -> str:
    judged = snapshot.fleet.judged_at
    late = judged is None or (at - judged).total_seconds() > LATE
    return f"[{'b $warning' if late else '$muted'}]judged {span(judged, at)}{' ago' if judged else ''}[/]"


def _plain(text: str) -> str:
    return text.replace("[", "\\[")
