"""What has a name that one can go to; nothing here draws."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tui.known import GLYPHS, Snapshot
from tui.text import safe
from tui.widgets.tabs import VIEWS

_KINDS = {"APR": ("approval", "approval"), "WVR": ("waiver", "waiver"), "SIL": ("silence", "silence")}
MOST = 12
"""Places that are offered at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go: what kind of thing, its name, and how it is offered, as markup."""

    kind: str
    name: str
    shown: str


def places(known: Snapshot | None, text: str) -> list[Place]:
    """Return what a person may mean, what they typed in full before what only has it."""
    return list(islice(_all(known, text.strip()), MOST))


def _all(known: Snapshot | None, text: str) -> Iterator[Place]:
    word = text.lower()
    yield from numbered(known, text)
    if known is not None:
        rows = known.fleet.items
        exact = [row for row in rows if row.model == word]
        begin = (row for row in rows if row.model.startswith(word) and row.model != word)
        have = (row for row in rows if word in row.model and not row.model.startswith(word))
        if word:
            for row in (*exact, *islice(begin, MOST), *islice(have, MOST)):
                mark = GLYPHS.get(row.severity, "?")
                yield Place("model", row.model, f"{mark} [b]{safe(row.model)}[/] [$muted]model of {safe(row.team)}[/]")
    for view, name, _ in VIEWS:
        if word in name.lower():
            yield Place("view", view, f"  [b]{name}[/] [$muted]view[/]")
    if known is not None:
        for each in known.incidents.values():
            if word in f"inc-{each.id} {each.model} {each.title}".lower():
                yield incident_place(each.id, f"{safe(each.model)}: {safe(each.title)}", GLYPHS.get(each.severity, "?"))


def numbered(known: Snapshot | None, text: str) -> Iterator[Place]:
    """Yield what a number names: it may be of something that is closed, and so not known here."""
    found = re.fullmatch(r"(inc|run|apr|wvr|sil|entry|#)?[- ]?(\d{1,12})", text.lower())
    if found is None:
        return
    kind, number = found[1] or "inc", int(found[2])
    incident = known.incidents.get(number) if known is not None else None
    if kind == "inc" and incident is None:
        yield incident_place(number, "an incident that is not open", " ")
    elif kind == "run":
        yield Place("run", f"RUN-{number}", f"  [b]RUN-{number}[/] [$muted]run of a runbook[/]")
    elif kind in ("apr", "wvr", "sil"):
        yield _asked(known, f"{kind.upper()}-{number}")
    if found[1] in (None, "#", "entry"):
        yield Place("entry", str(number), f"  [b]#{number}[/] [$muted]entry of the decision log[/]")


def _asked(known: Snapshot | None, name: str) -> Place:
    """Return the place of a request, a waiver or a silence: a waiver that waits is a request like others."""
    waits = known is not None and any(each.id == name for each in known.approvals)
    kind, what = ("approval", "approval") if waits else _KINDS[name.partition("-")[0]]
    return Place(kind, name, f"  [b]{name}[/] [$muted]{what}[/]")


def incident_place(number: int, about: str, mark: str) -> Place:
    """Return the place of an incident."""
    return Place("incident", str(number), f"{mark} [b]INC-{number}[/] [$muted]{about}[/]")
