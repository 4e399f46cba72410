"""The decision log: the newest entries at the end, followed as it grows; Enter opens an entry with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from textual import on
from textual.app import ComposeResult

from governance.client import Client
from governance.views import EntryView
from tui.filtering import Sieve, parsed
from tui.screens.entry import EntryScreen, said
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.widgets.table import Column, Table

FIELDS = ("kind", "actor", "model", "incident", "run", "seq", "channel")
FIRST = 500
"""Entries that are fetched at first."""
KEPT = 5000
"""Entries that are kept while they come in."""


class Entries(Table[EntryView]):
    """One line per entry."""

    COLUMNS = (
        Column("#", 5, ">", most=9),
        Column("TIME", 8),
        Column("WHO", 6, most=16),
        Column("WHAT", 12, most=26),
        Column("ABOUT", 8, most=24),
        Column("SAID", 10, grows=True),
        Column("BY", 5),
    )
    DROPPED = (6, 4)

    def name_of(self, row: EntryView) -> str:
        """Return the place in the log."""
        return str(row.seq)

    def text_of(self, row: EntryView, column: int) -> str:
        """Return what a column that fits its texts has."""
        return (str(row.seq), "", row.actor, row.kind, about(row))[column]

    def cells(self, row: EntryView, at: datetime) -> list[tuple[str, str]]:
        """Return what stands in the line of an entry."""
        refused = ".refused" in row.kind
        return [
            (str(row.seq), "dim"),
            (f"{row.at:%H:%M:%S}" if row.at.date() == at.date() else f"{row.at:%m-%d %H}h", "dim"),
            (row.actor, "strong" if row.actor != "engine" else "dim"),
            (row.kind, "critical" if refused else ""),
            (about(row), ""),
            (said(row), "dim"),
            (str(row.body.get("channel", "")), "dim"),
        ]


def about(row: EntryView) -> str:
    """Return what an entry is about, in a few words."""
    subject = row.subject
    incident = f"INC-{subject['incident']}" if subject.get("incident") else ""
    return " ".join(filter(None, (subject.get("model", ""), incident, subject.get("run", ""))))


class Log(Frame):
    """The log, followed or held."""

    CSS_PATH = ["frame.tcss"]
    VIEW = "log"
    KEYS = ("log", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[EntryView] = []
        self._following = True
        self._sieve: Sieve[EntryView] = Sieve()

    def body(self) -> ComposeResult:
        """Lay out the list."""
        yield Entries(id="list", classes="list")

    def begun(self) -> None:
        """Begin in the list."""
        self.at_rest()

    def at_rest(self) -> None:
        """Put the focus on the list."""
        self.query_one(Entries).focus()

    @property
    def chosen(self) -> EntryView | None:
        """The entry under the cursor."""
        return self.query_one(Entries).selected

    def here(self) -> Situation:
        """Return the entry under the cursor."""
        return self.situation(thing=str(self.chosen.seq) if self.chosen is not None else "")

    def load(self, client: Client) -> Any:
        """Fetch what came after the last entry that is here, or the newest ones."""
        last = self._entries[-1].seq if self._entries else None
        return client.log(after=last, limit=FIRST)

    def draw(self, at: datetime) -> None:
        """Draw the entries."""
        self._take_in()
        listed = self.query_one(Entries)
        shown: Sequence[EntryView] = self._sieve.kept(
            self._entries, parsed(self.words, FIELDS), lambda each: str(each.seq), _fields
        )
        some = f"{len(shown)} of the newest {len(self._entries)}" if self.words else f"the newest {len(self._entries)}"
        listed.border_title = f"Decision log [$muted]{some}[/]"
        state = "[$success]● follows[/]" if self._following else "[$warning]‖ held, f follows[/]"
        listed.border_subtitle = f"{state} · enter shows the proof"
        listed.show(shown, at)
        if self._following:
            listed.to_end()

    def _take_in(self) -> None:
        found: list[EntryView] = self.found or []
        self.found = None
        last = self._entries[-1].seq if self._entries else -1
        fresh = [each for each in found if each.seq > last]
        if fresh:
            self._entries = [*self._entries, *fresh][-KEPT:]
            if len(found) >= FIRST:
                self.call_later(self.reload)

    @on(Entries.Moved)
    def _moved(self) -> None:
        listed = self.query_one(Entries)
        following = listed.at_end
        if following != self._following:
            self._following = following
            self.paint()

    @on(Entries.Selected)
    def _selected(self) -> None:
        self.keys_changed()

    @on(Entries.Opened)
    def _opened(self) -> None:
        if self.chosen is not None:
            self.app.push_screen(EntryScreen(self.chosen.seq))

    def action_follow(self) -> None:
        """Stay at the newest entry, or hold still."""
        self._following = not self._following
        self.paint()

    def copied(self) -> str:
        """Return the entry in a line."""
        one = self.chosen
        return f"#{one.seq} {one.at:%Y-%m-%dT%H:%M:%SZ} {one.actor} {one.kind} {about(one)}" if one is not None else ""


def _fields(row: EntryView) -> dict[str, object]:
    subject = row.subject
    return {
        "kind": row.kind, "actor": row.actor, "model": subject.get("model", ""), "run": subject.get("run", ""),
        "incident": f"INC-{subject['incident']}" if subject.get("incident") else "", "seq": f"#{row.seq}",
        "channel": row.body.get("channel", ""), "said": said(row),
    }  # fmt: skip
