"""A channel of its own for each critical incident, where that is wanted: made, filled, marked, archived."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from governance.core.authority import members
from governance.engine.parts import Engine
from governance.engine.permission import card_of
from governance.slack.people import account
from governance.slack.sender import Away, Later, Place, Refused, Sender, SlackTrouble
from governance.slack.shown import Shown
from governance.store import slack_messages
from governance.store.slack_messages import Posted

_LONGEST = 80
_MOST = 100
"""People invited by one call. Source: https://docs.slack.dev/reference/methods/conversations.invite"""


class Rooms:
    """Brings an incident's channel one step further; what Slack refuses is said once, and the incident goes on."""

    def __init__(self, engine: Engine, sender: Sender, complain: Callable[[str], None]) -> None:
        """Prepare; `complain` is told of what Slack refuses."""
        self._engine, self._sender, self._complain = engine, sender, complain
        self._trouble = ""

    def __call__(self, posted: Posted, shown: Shown, now: datetime) -> bool:
        """Make the next call for the channel of an incident, if there is one to make."""
        del now
        step = self._next(posted, shown)
        if step is None:
            return False
        call, state = step
        try:
            self._save(replace(posted, room=call() or posted.room, room_state=state))
        except (Later, Away):
            raise
        except SlackTrouble as error:
            self._tell(f"the channel of INC-{posted.incident} is not {state}: {error}")
            self._save(replace(posted, room_state="archived" if state in ("created", "archived") else state))
        return True

    def _next(self, posted: Posted, shown: Shown) -> tuple[Callable[[], str], str] | None:
        """Return the next call, and the state that it leads to."""
        if not shown.is_open:
            left = posted.room and posted.room_state != "archived"
            return (lambda: self._archive(posted), "archived") if left else None
        if posted.room_state == "" and shown.incident.severity == "critical":
            return lambda: self._create(shown), "created"
        if posted.room_state == "created":
            return lambda: self._invite(posted, shown), "invited"
        if posted.room_state == "invited":
            return lambda: self._bookmark(posted), "marked"
        return None

    def _create(self, shown: Shown) -> str:
        name = room_name(shown)
        try:
            return self._sender.create_channel(name)
        except Refused as error:
            if error.code != "name_taken":
                raise
            return self._sender.channel_id(name)  # made before the answer was lost

    def _invite(self, posted: Posted, shown: Shown) -> str:
        people = self._people(shown)
        if people:
            self._sender.invite(posted.room, people[:_MOST])
        return posted.room

    def _bookmark(self, posted: Posted) -> str:
        link = self._sender.permalink(Place(posted.channel, posted.ts))
        self._sender.bookmark(posted.room, f"INC-{posted.incident}", link)
        return posted.room

    def _archive(self, posted: Posted) -> str:
        self._sender.archive(posted.room)
        return posted.room

    def _people(self, shown: Shown) -> list[str]:
        """Return the accounts of the team that owns the model, of the lead and of all who acted."""
        organisation, card = self._engine.organisation, card_of(self._engine, shown.incident.model)
        team = members(card.owners.team, organisation) if card is not None else frozenset()
        names = sorted({*team, shown.lead, *shown.incident.responders})
        found = (account(organisation.people[each].slack or "") for each in names if each in organisation.people)
        return [each for each in found if each]

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._complain(trouble)

    def _save(self, posted: Posted) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.save(connection, posted)


def room_name(shown: Shown) -> str:
    """Return the name of an incident's channel, such as inc-42-flight-delay: what Slack takes, and no more."""
    bare = re.sub(r"[^a-z0-9_-]+", "-", shown.incident.model.lower()).strip("-")
    return f"inc-{shown.incident.id}-{bare}"[:_LONGEST].rstrip("-")
