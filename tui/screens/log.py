"""The decision log: the newest entries at the end, followed as it grows; Enter opens an entry with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from textual import on, work
from textual.app import ComposeResult
from textual.message import Message

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import EntryView
from tui.filtering import Sieve, parsed
from tui.screens.entry import EntryScreen
from tui.screens.frame import Frame
from tui.situation import Situation
from tui.widgets.entries import Entries, Fold, Line, about, folded, said

FIELDS = ("kind", "actor", "model", "incident", "run", "seq", "channel")
FIRST = 500
"""Entries that are fetched at once."""
KEPT = 20_000
"""Entries that are kept while they come in."""


class Log(Frame):
    """The log, followed or held."""

    CSS_PATH = ["frame.tcss"]
    VIEW = "log"
    KEYS = ("log", "filter", "list")
    WORDS = f"words, or {' '.join(f'{each}:' for each in FIELDS)}; escape clears"

    class Older(Message):
        """Entries from before those that are here, or why they cannot be had."""

        def __init__(self, found: list[EntryView], why_not: str) -> None:
            super().__init__()
            self.found, self.why_not = found, why_not

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[EntryView] = []
        self._lines: Sequence[Line] = ()
        self._opened: set[int] = set()
        self._following = True
        self._seen = -1
        self._drawn_of: object = None
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
    def chosen(self) -> Line | None:
        """The line under the cursor."""
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
        listed.border_title = f"Decision log [$muted]{self._counted()}[/]"
        listed.border_subtitle = f"{self._state()} · enter proves, o reads older ones"
        listed.show(self._shown(), at)
        if self._following:
            listed.to_end()
            self._seen = self._entries[-1].seq if self._entries else -1

    def _shown(self) -> Sequence[Line]:
        """Return what is listed, the very list as long as nothing is different: all that fits, or all with folds."""
        ends = (self._entries[0].seq, self._entries[-1].seq) if self._entries else ()
        drawn_of = (self.words, ends)
        if drawn_of != self._drawn_of:
            self._drawn_of = drawn_of
            wanted = parsed(self.words, FIELDS)
            fits = self._sieve.kept(self._entries, wanted, lambda each: str(each.seq), _fields)
            self._lines = fits if wanted else folded(self._entries, self._opened)
        return self._lines

    def _counted(self) -> str:
        """Say which entries are here, and which of them are folded: nothing is hidden without a word."""
        if not self._entries:
            return "no entry yet"
        known = f"#{self._entries[0].seq}–#{self._entries[-1].seq}"
        if self.words:
            return f"{len(self._shown())} of {known} · o searches older ones"
        cycles = sum(each.count for each in self._shown() if isinstance(each, Fold) and not each.open)
        return f"{known} · {cycles} cycles folded, enter opens, / kind:cycle lists" if cycles else known

    def _state(self) -> str:
        if self._following:
            return "[$success]● follows[/]"
        newer = sum(each.seq > self._seen for each in self._entries[-FIRST:])
        more = f", {newer} newer" if newer else ""
        return f"[$warning]‖ held{more}, f follows[/]"

    def _take_in(self) -> None:
        found: list[EntryView] = self.found or []
        self.found = None
        last = self._entries[-1].seq if self._entries else -1
        fresh = [each for each in found if each.seq > last]
        if fresh:
            self._entries = [*self._entries, *fresh][-KEPT:]
            if len(found) >= FIRST and last >= 0:
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
    def _open(self) -> None:
        chosen = self.chosen
        if isinstance(chosen, Fold):
            self._opened ^= {chosen.seq}
            self._following = False  # what was opened stays in view
            self._drawn_of = None
            self.paint()
        elif chosen is not None:
            self.app.push_screen(EntryScreen(chosen.seq))

    def action_follow(self) -> None:
        """Stay at the newest entry, or hold still."""
        self._following = not self._following
        self.paint()

    def action_older(self) -> None:
        """Read entries from before those that are here."""
        first = self._entries[0].seq if self._entries else 0
        if first <= 0:
            self.app.say("that is all: the log begins with #0")
        else:
            self._following = False
            self._read_older(first, self.app.client)

    @work(thread=True, group="older", exclusive=True)
    def _read_older(self, before: int, client: Client) -> None:
        try:
            found, why_not = client.log(after=max(before - FIRST - 1, -1), limit=FIRST), ""
        except GovernanceError as error:
            found, why_not = [], str(error)
        if self.is_attached:
            self.post_message(self.Older(found, why_not))

    @on(Older)
    def _take_older(self, message: Log.Older) -> None:
        if message.why_not:
            self.app.say(message.why_not, "error")
        first = self._entries[0].seq if self._entries else 0
        self._entries = [*(each for each in message.found if each.seq < first), *self._entries]
        self.paint()

    def copied(self) -> str:
        """Return the line under the cursor."""
        one = self.chosen
        if isinstance(one, Fold):
            return f"#{one.first.seq}–#{one.last.seq} {one.count} cycles evaluated"
        return f"#{one.seq} {one.at:%Y-%m-%dT%H:%M:%SZ} {one.actor} {one.kind} {about(one)}" if one is not None else ""


def _fields(row: EntryView) -> dict[str, object]:
    subject = row.subject
    return {
        "kind": row.kind, "actor": row.actor, "model": subject.get("model", ""), "run": subject.get("run", ""),
        "incident": f"INC-{subject['incident']}" if subject.get("incident") else "", "seq": f"#{row.seq}",
        "channel": row.body.get("channel", ""), "said": said(row),
    }  # fmt: skip
