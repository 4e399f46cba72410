"""Keep the card of each run in the thread of its incident: posted once, then edited in place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from governance.engine.parts import Engine
from governance.engine.running import showing
from governance.slack.message import Drawn, digest
from governance.slack.run_card import card
from governance.slack.sender import Away, Place, Sender, SlackTrouble
from governance.slack.shown import Shown
from governance.store import slack_cards
from governance.store.slack_cards import Card
from governance.store.slack_messages import Posted

MOST = 10
"""Runs of one incident that have a card: its newest."""


class Cards:
    """The cards of the runs about an incident, each brought up to date by one call at a time."""

    def __init__(self, engine: Engine, sender: Sender) -> None:
        """Prepare; what was posted is in the database."""
        self._engine, self._sender = engine, sender

    def __call__(self, posted: Posted, shown: Shown, now: datetime) -> bool:
        """Make the next call for a card that is not as it should be, the oldest run first."""
        runs = [each.id for each in shown.incident.runs[:MOST]]
        return any(self._shown(posted, run, now) for run in reversed(runs))

    def _shown(self, posted: Posted, run: str, now: datetime) -> bool:
        with self._engine.database.read() as connection:
            known = slack_cards.get(connection, posted.notifier, run)
        if known is None or known.thread != posted.ts:  # the message above was posted anew: its thread is another
            known = Card(posted.notifier, run, posted.ts)
        if known.attempt:
            return self._found(posted, known)
        drawn = card(showing.run_view(self._engine, showing.found(self._engine, run), now))
        if not known.ts:
            self._post(posted, known, drawn)
            return True
        if digest(drawn) == known.digest:
            return False
        self._sender.edit(Place(posted.channel, known.ts), drawn, run)
        self._save(replace(known, digest=digest(drawn)))
        return True

    def _post(self, posted: Posted, known: Card, drawn: Drawn) -> None:
        """Post, having noted it first: whoever hears nothing asks Slack what became of it."""
        self._save(replace(known, attempt=known.run))
        try:
            place = self._sender.post(posted.channel, drawn, known.run, thread=posted.ts)
        except Away:
            raise
        except SlackTrouble:  # it was not taken, for certain
            self._save(known)
            raise
        self._save(replace(known, ts=place.ts, digest=digest(drawn)))

    def _found(self, posted: Posted, known: Card) -> bool:
        found = self._sender.find(posted.channel, known.attempt, thread=posted.ts)
        self._save(replace(known, attempt="", ts=found.ts if found is not None else ""))
        return True

    def _save(self, changed: Card) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_cards.save(connection, changed)
