"""The two lines above every screen: how bad it is, who looks, and how old all of it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from textual.content import Content
from textual.widgets import Static

from tui.known import GLYPHS, WORDS, Offline, Snapshot, span
from tui.text import SEVERITIES, safe

LATE = 90
"""Seconds after which the last cycle counts as late: the engine answers, but does it still judge?"""


class Said(NamedTuple):
    """What the head says; each of `NARROWER` is as wide as the one before it, or less."""

    role: bool = False
    judged: bool = False
    who: bool = False
    environment: bool = False
    words: bool = False
    clock: bool = False
    tallies: bool = True
    gap: int = 2


NARROWER = (
    Said(role=True, judged=True, who=True, environment=True, words=True, clock=True),
    Said(judged=True, who=True, environment=True, words=True, clock=True),
    Said(who=True, environment=True, words=True, clock=True),
    Said(environment=True, words=True, clock=True),
    Said(words=True, clock=True),
    Said(words=True, clock=True, gap=1),
    Said(words=True, gap=1),
    Said(clock=True),
    Said(gap=1),
    Said(tallies=False),
)
"""Who looks gives way first, then the clock, then the words of the tallies; how old it is stays."""


class Header(Static):
    """Shows a snapshot and its age; the age stays when there is no room for the rest."""

    def show(self, snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime) -> None:
        """Draw anew as of an instant."""
        room = self.content_size.width
        for each in NARROWER:
            left, right = _left(snapshot, each), _right(snapshot, offline, heard, at, each)
            pad = room - left.cell_length - right.cell_length
            if pad >= each.gap:
                break
        self.update(Content.assemble(left, " " * max(pad, 1), right), layout=False)  # one line stays one line


def _left(snapshot: Snapshot | None, say: Said) -> Content:
    """Return how bad it is, in words or in glyphs and numbers alone."""
    found = ["[b $primary]◆ gov[/]"]
    if snapshot is not None and say.environment:
        found.append(f"[b]{safe(snapshot.fleet.environment)}[/]")
    if snapshot is not None and say.tallies:
        found += _tallies(snapshot, say)
    return Content.from_markup((" " * say.gap).join(found))


def _tallies(snapshot: Snapshot, say: Said) -> Iterator[str]:
    tallies, policies = snapshot.fleet.tallies, snapshot.fleet.policies
    for name, colour in SEVERITIES.items():
        count = tallies.get(name, 0)
        if count:
            yield f"[{colour}]{GLYPHS[name]} {count}{f' {WORDS.get(name, name)}' if say.words else ''}[/]"
    if tallies.get("not_live"):
        yield f"[b $critical on $critical-ground]■ {tallies['not_live']}{' not live' if say.words else ''}[/]"
    if policies:
        yield f"[b $warning]! policies[/]{f' [$warning]{safe(policies)}[/]' if say.environment else ''}"


def _right(
    snapshot: Snapshot | None, offline: Offline | None, heard: datetime | None, at: datetime, say: Said
) -> Content:
    """Return who looks, how old what is seen is, and what time it is."""
    found = []
    if snapshot is not None and say.who:
        role = snapshot.who.roles[0] if snapshot.who.roles else snapshot.who.kind
        found.append(f"{safe(snapshot.who.actor)}{f' [$muted]{safe(role)}[/]' if say.role else ''}")
    if offline is not None:
        found.append(f"[{SEVERITIES['critical']}]✗ offline {span(offline.since, at)}[/]")
    elif snapshot is None or heard is None:
        found.append("[$warning]… connecting[/]")
    else:
        found.append(f"[$success]● live[/] {_age(snapshot, at, brief=not say.judged)}")
    if say.clock:
        found.append(f"{at:%H:%M:%S}Z")
    return Content.from_markup("  ".join(found))


def _age(snapshot: Snapshot, at: datetime, *, brief: bool) -> str:
    judged = snapshot.fleet.judged_at
    late = judged is None or (at - judged).total_seconds() > LATE
    said = f"{span(judged, at)}" if brief else f"judged {span(judged, at)}{' ago' if judged else ''}"
    return f"[{'b $warning' if late else '$muted'}]{said}[/]"
