"""What Slack is still to be told: found in the log and the effects, told in order, and never twice.

Slack is a projection. It may be slow, or away for hours: this only makes it late, and no other notifier waits for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from governance.actions.slack import Slack
from governance.core.decision import Entry
from governance.core.effect import Effect
from governance.engine.entries import ENGINE
from governance.engine.parts import Engine
from governance.slack import receipts
from governance.slack.pace import Pace
from governance.slack.projection import Extra, Projection, settle_page
from governance.slack.sender import Away, Later, Refused, Sender, SlackTrouble
from governance.slack.showing import channel_of
from governance.slack.thread import page, reached
from governance.store import decision_log, effects, incidents, slack_messages
from governance.store.slack_messages import Outbox as State
from governance.store.slack_messages import Posted

PART = 500
"""Entries of the log that are read at once."""
REFUSED = 60.0
"""Seconds after which a channel that refused us is tried again: somebody may have invited the app."""
TOKEN = frozenset(
    {
        "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission",
        "missing_scope", "org_login_required", "ekm_access_denied", "access_denied", "forbidden",
    }
)  # fmt: skip
"""Refusals of everything that we ask."""
CHANNEL = frozenset({"channel_not_found", "not_in_channel", "is_archived", "restricted_action"})
"""Refusals of one channel."""
GONE = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_too_long", "msg_blocks_too_long"})
_DO = {
    "channel_not_found": "make the channel, or correct its name (org.yaml: notifiers, or owners.channel of the card)",
    "not_in_channel": "invite the app: /invite in that channel",
    "is_archived": "open the channel again, or name another",
    "missing_scope": "install the app again with docs/slack-manifest.yaml",
}
_LOUD = ("incident.opened", "incident.worsened", "incident.reopened", "incident.resolved", "incident.escalated")


class Outbox:
    """The work of one Slack notifier; `step` does what may be done now."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        slack: Slack,
        sender: Sender,
        complain: Callable[[str], None],
        pace: Pace | None = None,
        extras: Sequence[Extra] = (),
    ) -> None:
        """Begin; what was under way is found in the database."""
        self._engine, self._name, self._slack, self._sender = engine, name, slack, sender
        self._pace = pace or Pace()
        self._projection = Projection(engine, name, sender, extras)
        self._complain, self._trouble = complain, ""
        self._seq: int | None = None

    def step(self, now: datetime) -> bool:
        """Look what is new, make at most one call for each channel, and tell whether anything is left to do."""
        self._look()
        due = self._due()
        self._begin(due)
        if self._pace.waits:
            return True
        with self._engine.database.read() as connection:
            waiting = slack_messages.behind(connection, self._name, {each.incident for each in due})
        left = self._direct(due, now)
        by_incident: dict[int, list[Effect]] = defaultdict(list)
        for each in due:
            by_incident[each.incident].append(each)
        for posted in sorted(waiting, key=lambda each: _place(each, by_incident[each.incident])):
            mine = by_incident[posted.incident]
            if self._pace.waits:
                return True
            if not self._projection.ready(posted, [each for each in mine if each.to], now):
                left = True
            elif self._pace.free(posted.place):
                left = self._advanced(posted, mine, now) or left
            else:
                left = True
        return left

    def _advanced(self, posted: Posted, due: Sequence[Effect], now: datetime) -> bool:
        try:
            if not self._projection.advance(posted, due, now):
                return False
        except SlackTrouble as error:
            self._failed(error, posted, due, now)
        else:
            self._pace.used(posted.place)
            self._well(now)
        return True

    def _direct(self, due: Sequence[Effect], now: datetime) -> bool:
        """Tell people what belongs to no incident, such as a hand-over, by direct message."""
        left = False
        for effect in (each for each in due if not each.incident):
            known, _ = reached(effect)
            places = known or [effect.place or self._slack.config.channel]
            if not all(self._pace.free(each) for each in places) or self._pace.waits:
                left = True
                continue
            try:
                for each in places:
                    self._call(effect, each, known=bool(known))
            except SlackTrouble as error:
                self._failed(error, None, [effect], now)
                left = True
            else:
                settle_page(self._engine, effect, "by direct message" if known else f"in {places[0]}", now)
                self._well(now)
        return left

    def _call(self, effect: Effect, place: str, *, known: bool) -> None:
        channel = self._sender.open_direct(place) if known else place
        key = f"{effect.key}.{place}"
        if effect.attempts and self._sent(channel, key):
            return
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            effects.save(connection, [replace(effect, attempts=effect.attempts + 1)])
        self._sender.post(channel, page(effect), key)
        self._pace.used(place)

    def _sent(self, channel: str, key: str) -> bool:
        """Tell whether Slack has that message; where we may not read, a second one is better than none."""
        try:
            return self._sender.find(channel, key) is not None
        except Refused:
            return False

    def _failed(self, error: SlackTrouble, posted: Posted | None, due: Sequence[Effect], now: datetime) -> None:
        """Wait as long as the trouble asks for, and say once what is wrong and what to do."""
        if isinstance(error, Later):
            self._pace.wait(error.seconds)
            return
        if isinstance(error, Away):
            self._pace.fail()
            self._say(str(error), now)
            receipts.waiting(self._engine, self._due(), str(error))
        elif isinstance(error, Refused):
            self._refused(error, posted, due, now)

    def _refused(self, error: Refused, posted: Posted | None, due: Sequence[Effect], now: datetime) -> None:
        do = f"; {_DO[error.code]}" if error.code in _DO else ""
        if error.code in TOKEN:
            self._pace.wait(REFUSED)
            self._say(f"{error}{do}", now)
            receipts.waiting(self._engine, self._due(), f"{error}{do}")
            return
        if posted is None:
            receipts.failed(self._engine, due, str(error), now)
            return
        if error.code in GONE and posted.ts:
            self._repost(posted)
            return
        if error.code in BLOCKS and self._projection.redraw_plain(posted.incident):
            return
        self._pace.hold(posted.place, REFUSED)
        said = f"{error} for {posted.place}{do}"
        self._say(said, now)
        receipts.waiting(self._engine, due, said)
        if error.code in CHANNEL and not posted.ts and posted.place != self._slack.config.channel:
            self._save(replace(posted, place=self._slack.config.channel))  # nobody must miss it for a card's mistake

    def _repost(self, posted: Posted) -> None:
        """Post the message anew: somebody deleted it, and it must be seen while it is open."""
        with self._engine.database.read() as connection:
            status = incidents.get(connection, posted.incident).status
        if status == "resolved":
            self._save(replace(posted, done=posted.wanted))
        else:
            self._save(replace(posted, channel="", ts="", digest="", done=-2))

    def _look(self) -> None:
        """Note what the log says of incidents since the last look."""
        seq = self._begun()
        while True:
            found = decision_log.tail(self._engine.database, PART, since_seq=seq)
            if not found:
                break
            seq = found[-1].seq
            self._note(found, seq)
            if len(found) < PART:
                break
        self._seq = seq

    def _begun(self) -> int:
        if self._seq is not None:
            return self._seq
        with self._engine.database.read() as connection:
            state = slack_messages.outbox(connection, self._name)
        if state is None:  # what was before is not told: nobody wants the past of a year in a channel
            state = State(decision_log.count(self._engine.database) - 1)
            self._write(state)
        self._trouble = state.trouble
        return state.seq

    def _note(self, found: Sequence[Entry], seq: int) -> None:
        touched = [each for each in found if not each.decision.kind.startswith("notification.")]
        pairs = [(number, each) for each in touched for number in self._about(each)]
        if not pairs:
            return
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            for number, entry in pairs:
                slack_messages.want(connection, self._name, [number], entry.seq, urgent=_urgent(entry))
            state = slack_messages.outbox(connection, self._name) or State(seq)
            slack_messages.set_outbox(connection, self._name, replace(state, seq=seq))

    def _about(self, entry: Entry) -> Iterable[int]:
        """Return the incidents that an entry concerns: its own, or those of a model whose switch it is about."""
        subject = entry.decision.subject
        if subject.get("incident", "").isdecimal():
            return [int(subject["incident"])]
        if not entry.decision.kind.startswith("switch.") or "model" not in subject:
            return []
        with self._engine.database.read() as connection:
            return [each.id for each in incidents.listed(connection, status="open", model=subject["model"])]

    def _due(self) -> list[Effect]:
        with self._engine.database.read() as connection:
            return effects.pending_of(connection, self._name)

    def _begin(self, due: Sequence[Effect]) -> None:
        """Write a row for each incident that is to be told here for the first time."""
        models = {each.incident: each.message.model for each in due if each.incident}
        if not models:
            return
        head = decision_log.count(self._engine.database) - 1
        with self._engine.database.read() as connection:
            known = slack_messages.known(connection, self._name, models)
        fresh = [
            Posted(self._name, number, channel_of(self._engine, model, self._slack.config.channel), wanted=max(head, 0))
            for number, model in models.items()
            if number not in known
        ]
        if fresh:
            with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
                slack_messages.begin(connection, fresh)

    def _say(self, trouble: str, now: datetime) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            self._complain(f"Slack ({self._name}): {trouble}")
            self._write(State(self._seq if self._seq is not None else -1, trouble, now))

    def _well(self, now: datetime) -> None:
        if self._trouble:
            self._trouble = ""
            self._complain(f"Slack ({self._name}) is told again")
            self._write(State(self._seq if self._seq is not None else -1, "", now))

    def _write(self, state: State) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.set_outbox(connection, self._name, state)

    def _save(self, posted: Posted) -> None:
        with self._engine.database.giving_way(), self._engine.database.transaction() as connection:
            slack_messages.save(connection, posted)


def _urgent(entry: Entry) -> bool:
    decision = entry.decision
    return decision.actor != ENGINE or decision.kind in _LOUD or decision.kind.startswith(("switch.", "runbook."))


def _place(posted: Posted, due: Sequence[Effect]) -> tuple[bool, bool, bool, bool, int, int]:
    """Return where a message stands among those that wait: people who are called first, then what is critical."""
    calls = any(each.to for each in due)
    grave = any(each.message.severity == "critical" for each in due)
    return (not calls, not grave, not posted.urgent, bool(posted.ts), posted.wanted, posted.incident)
