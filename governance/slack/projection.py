"""Bring what Slack shows of one incident to what is so: one call at a time, so that others have their turn between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.core.effect import Effect
from governance.engine.parts import Engine
from governance.engine.timeline import timeline
from governance.slack import receipts
from governance.slack.message import Drawn, digest, drawn
from governance.slack.sender import Away, Place, Sender, SlackTrouble
from governance.slack.showing import showing
from governance.slack.shown import Shown
from governance.slack.thread import loud, page, reached, replies
from governance.store import effects, slack_messages
from governance.store.slack_messages import Posted
from governance.views import TimelineLine

CALM = timedelta(seconds=30)
"""How long what the engine changes waits for more of it; what a person does is shown at once."""
Extra = Callable[[Posted, Shown, datetime], bool]
"""Something more to show of an incident: makes at most one call and tells whether it did."""


@dataclass(slots=True)
class Burst:
    """What one go brings up to date: the entries up to `seq`; the message is edited once in it."""

    seq: int
    edited: bool = False


class Projection:
    """The messages of one notifier, each brought up to date call by call."""

    def __init__(self, engine: Engine, name: str, sender: Sender, extras: Sequence[Extra] = ()) -> None:
        """Begin with nothing under way; what was is in the database."""
        self._engine, self._name, self._sender, self._extras = engine, name, sender, extras
        self._bursts: dict[int, Burst] = {}
        self._plain: set[int] = set()

    def ready(self, posted: Posted, pages: Sequence[Effect], now: datetime) -> bool:
        """Tell whether a message may be worked on: noise of the engine waits until the last edit is some time ago."""
        if posted.urgent or posted.incident in self._bursts or pages or not posted.ts or posted.attempt:
            return True
        return posted.edited_at is None or not timedelta(0) <= now - posted.edited_at < CALM

    def advance(self, posted: Posted, due: Sequence[Effect], now: datetime) -> bool:
        """Make the next call for an incident and return True, or False when all is shown.

        :raises SlackTrouble: when the call did not do what it should; the next try goes on from there.
        """
        burst = self._bursts.get(posted.incident)
        if burst is None or (posted.urgent and posted.wanted > burst.seq):
            burst = self._bursts[posted.incident] = Burst(posted.wanted)
        if posted.attempt:
            self._found(posted)
            return True
        known = timeline(self._engine, posted.incident, min(posted.told, posted.done) if posted.ts else -1)
        shown = showing(self._engine, posted.incident, known or timeline(self._engine, posted.incident))
        lines = [each for each in known if posted.told < each.seq <= burst.seq]
        if (
            self._rooted(posted, shown, due, now)
            or self._paged(posted, due, now)
            or self._edited(posted, shown, burst)
            or self._told(posted, lines)
            or any(each(posted, shown, now) for each in self._extras)
        ):
            return True
        self._settled(posted, shown, burst, due, now)
        return False

    def redraw_plain(self, incident: int) -> bool:
        """Show an incident without blocks from now on, as Slack does not take them; False when that was so already."""
        if incident in self._plain:
            return False
        self._plain.add(incident)
        self._bursts.pop(incident, None)
        return True

    def _rooted(self, posted: Posted, shown: Shown, due: Sequence[Effect], now: datetime) -> bool:
        """Post the message where there is none yet."""
        if posted.ts:
            return False
        message = self._drawn(shown)
        place = self._post(posted, message, f"{posted.incident}.message")
        after = replace(posted, channel=place.channel, ts=place.ts, version=shown.incident.version, attempt="")
        self._save(replace(after, digest=digest(message), edited_at=now))
        self._bursts[posted.incident].edited = True
        self._receipts(after, due, now)
        return True

    def _paged(self, posted: Posted, due: Sequence[Effect], now: datetime) -> bool:
        """Call the people of the first page that waits, in the thread and aloud."""
        effect = next((each for each in due if each.to and each.incident == posted.incident), None)
        if effect is None:
            return False
        place = Place(posted.channel, posted.ts)
        found = self._sender.find(place.channel, effect.key, thread=place.ts) if effect.attempts else None
        if found is None:
            self._note_try(effect)
            self._sender.post(place.channel, page(effect), effect.key, thread=place.ts, broadcast=True)
        settle_page(self._engine, effect, f"in the thread of INC-{effect.incident} in {posted.place}", now)
        return True

    def _edited(self, posted: Posted, shown: Shown, burst: Burst) -> bool:
        message = self._drawn(shown)
        if burst.edited or digest(message) == posted.digest:
            return False
        self._sender.edit(Place(posted.channel, posted.ts), message, f"{posted.incident}.message")
        burst.edited = True
        self._save(replace(posted, version=shown.incident.version, digest=digest(message)))
        return True

    def _told(self, posted: Posted, lines: Sequence[TimelineLine]) -> bool:
        """Tell the next lines in the thread."""
        with self._engine.database.read() as connection:
            mine = [each for each in effects.of_incident(connection, posted.incident) if each.notifier == self._name]
        reply = next(replies(lines, loud(lines, mine)), None)
        if reply is None:
            return False
        key = f"{posted.incident}.{reply.last}"
        self._post(posted, reply.drawn, key, thread=posted.ts, broadcast=reply.broadcast)
        self._save(replace(posted, told=reply.last, attempt=""))
        return True

    def _settled(self, posted: Posted, shown: Shown, burst: Burst, due: Sequence[Effect], now: datetime) -> None:
        """Note that all is shown up to the entry that this go began with."""
        self._bursts.pop(posted.incident, None)
        after = replace(posted, done=burst.seq, told=max(posted.told, burst.seq), edited_at=now)
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.save(connection, after)
            slack_messages.calm(connection, replace(after, wanted=burst.seq))
        self._receipts(replace(after, version=max(after.version, shown.incident.version)), due, now)

    def _found(self, posted: Posted) -> None:
        """Ask Slack whether it took the post that had no answer, so that it is not made twice."""
        key = posted.attempt
        if posted.ts:
            found = self._sender.find(posted.channel, key, thread=posted.ts)
            last = int(key.rpartition(".")[2]) if found is not None else posted.told
            self._save(replace(posted, attempt="", told=max(posted.told, last)))
            return
        found = self._sender.find(posted.channel or posted.place, key)
        if found is None:
            self._save(replace(posted, attempt=""))
        else:
            self._save(replace(posted, attempt="", channel=found.channel, ts=found.ts))

    def _post(self, posted: Posted, message: Drawn, key: str, *, thread: str = "", broadcast: bool = False) -> Place:
        """Post, having noted it first: whoever dies or hears nothing in between asks Slack what became of it."""
        self._save(replace(posted, attempt=key))
        try:
            return self._sender.post(posted.channel or posted.place, message, key, thread=thread, broadcast=broadcast)
        except Away:
            raise
        except SlackTrouble:  # it was not taken, for certain
            self._save(replace(posted, attempt=""))
            raise

    def _note_try(self, effect: Effect) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            effects.save(connection, [replace(effect, attempts=effect.attempts + 1)])

    def _receipts(self, posted: Posted, due: Sequence[Effect], now: datetime) -> None:
        shows = [
            each for each in due if not each.to and each.incident == posted.incident and each.version <= posted.version
        ]
        receipts.sent(self._engine, shows, f"shown in {posted.place}, message {posted.ts}", now)

    def _drawn(self, shown: Shown) -> Drawn:
        message = drawn(shown)
        return Drawn(message.text, []) if shown.incident.id in self._plain else message

    def _save(self, posted: Posted) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.save(connection, posted)


def settle_page(engine: Engine, effect: Effect, where: str, now: datetime) -> None:
    """Note what became of a page: who was called, and who could not be."""
    known, unknown = reached(effect)
    missing = f"no id in Slack is known of {', '.join(unknown)} (org.yaml: people.<name>.slack, or /gov link)"
    if known:
        receipts.sent(engine, [effect], f"called {where}{f'; {missing}' if unknown else ''}", now)
    else:
        receipts.failed(engine, [effect], f"posted {where}, but {missing}", now)
