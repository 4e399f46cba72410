"""A list with a pane beside it that tells of what is under the cursor, with what is asked of the engine for it.

It is asked once the cursor rests, in a thread and one question at a time; what comes when the cursor has moved on is
thrown away. No key waits for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from textual import work
from textual.message import Message
from textual.timer import Timer

from governance.client import Client
from governance.errors import GovernanceError
from governance.views import FleetRow, IncidentView
from tui.facts import Facts, Subject, gathered
from tui.screens.responding import Responding
from tui.widgets.pane import Pane

if TYPE_CHECKING:
    from tui.screens.frame import Frame

    class _Base(Responding, Frame):
        """What it is mixed into."""
else:
    _Base = Responding

RESTS = 0.2
"""Seconds after which a cursor that has not moved rests: then it is told what is known."""
STAYS = 2
"""Times as long after which it is taken to stay, and the engine is asked: who goes on meanwhile waits for no answer."""
LEAST = 5.0
"""Seconds between two questions about the same, however often its model is judged."""
OLD = 15.0
"""Seconds after which is asked anew though nothing is known to have changed: a note changes no incident."""


class Picture(NamedTuple):
    """What is known of a subject without asking; where it is another, there is something to ask."""

    subject: Subject
    incident: IncidentView | None
    row: FleetRow | None
    version: str


class Found(Message):
    """An answer about a subject, or why there is none; the `last` ends the question."""

    def __init__(self, subject: Subject, found: Facts | None, why_not: str = "", *, last: bool = False) -> None:
        """Carry the answer."""
        super().__init__()
        self.subject, self.found, self.why_not, self.last = subject, found, why_not, last


class Beside(_Base):
    """The pane of a screen whose `row` and `incident` are under the cursor."""

    def __init__(self) -> None:
        super().__init__()
        self._facts: Facts | None = None
        self._subject: Subject | None = None
        self._asked: Picture | None = None
        self._asked_at = 0.0
        self._asking = False
        self._resting: Timer | None = None
        self._staying: Timer | None = None

    @property
    def waits(self) -> bool:
        """Whether it will tell or ask something by itself, or an answer is under way."""
        return self._resting is not None or self._staying is not None or self._asking

    def moved(self) -> None:
        """Tell of what is under the cursor once it rests: a key that is held down must not wait for it."""
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(RESTS, self.beside)

    def beside(self) -> None:
        """Draw the pane and the keys, and ask for what is not known yet."""
        self._resting = None
        if self.app.snapshot is None or not self.query(Pane):  # not laid out yet, or taken down
            return
        pane = self.query_one(Pane)
        if pane.display:
            other = self._about()
            self.told(pane)
            if other:
                self._stay()
            elif self._staying is None:
                self._ask_for()
        self.keys_changed()

    def _stay(self) -> None:
        """Ask about another subject once the cursor has stayed on it."""
        if self._staying is not None:
            self._staying.stop()
        self._staying = self.set_timer(RESTS * STAYS, self._stayed)

    def _stayed(self) -> None:
        self._staying = None
        row, subject = self.row, self._subject
        if subject is not None and (row is None or row.model == subject.model):
            self._ask_for()

    def told(self, pane: Pane) -> None:
        """Draw the pane."""
        known = self.app.snapshot
        if known is not None:
            pane.tell(known, self.incident, self.row, self.app.at(), self._facts)

    def _about(self) -> bool:
        """Note what is under the cursor, and tell whether it is something else: what was known of that is forgotten."""
        row, incident = self.row, self.incident
        model = row.model if row is not None else incident.model if incident is not None else ""
        subject = Subject(model, incident.id if incident is not None else None) if model else None
        if subject == self._subject:
            return False
        self._subject, self._facts = subject, None
        return True

    def _ask_for(self) -> None:
        known, subject = self.app.snapshot, self._subject
        if known is None or subject is None or self._asking or self.app.offline is not None:
            return
        now = Picture(subject, self.incident, self.row, known.fleet.policy_version)
        if not self._due(now):
            return
        self._asking, self._asked, self._asked_at = True, now, time.monotonic()
        self._ask_engine(subject, now.version, self._facts, self.app.client)

    def _due(self, now: Picture) -> bool:
        """Tell whether there is something to ask: at once of another subject or incident, else after a while."""
        before, ago = self._asked, time.monotonic() - self._asked_at
        if before is None or before.subject != now.subject:
            return True
        if self.app.paused is not None:
            return False
        if before.incident != now.incident or before.version != now.version:
            return True
        return ago >= (LEAST if before.row is not now.row else OLD)

    @work(thread=True, group="beside")
    def _ask_engine(self, subject: Subject, version: str, before: Facts | None, client: Client) -> None:
        why_not = ""
        try:
            for found in gathered(client, subject, self.app.at(), version, before):
                if self._subject != subject or not self.is_attached:
                    break
                self.post_message(Found(subject, found))
        except GovernanceError as error:
            why_not = str(error)
        if self.is_attached:
            self.post_message(Found(subject, None, why_not, last=True))

    def on_found(self, message: Found) -> None:
        """Take an answer, if it is about what is still under the cursor."""
        self._asking = self._asking and not message.last
        mine = message.subject == self._subject
        if mine and message.found is not None:
            self._facts = message.found
        elif mine and message.why_not:
            self._facts = Facts(message.subject, lacks=message.why_not)
        if self.app.frame is not self or not self.query(Pane):
            return
        if message.last and self._staying is None:
            self._ask_for()
        if mine and self.query_one(Pane).display and (message.why_not or _enough(message.found)):
            self.told(self.query_one(Pane))


def _enough(found: Facts | None) -> bool:
    """Tell whether it is worth to draw what has come: its parts come within a moment, and each draws all anew."""
    return found is not None and (found.policy is not None or bool(found.lacks))
