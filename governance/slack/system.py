"""Post in Slack as a step of a runbook, with the app of the organisation's Slack notifier.

Sources: https://docs.slack.dev/reference/methods/chat.postMessage · https://docs.slack.dev/messaging/message-metadata
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.error import URLError

from pydantic import BaseModel, Field

from governance.actions.slack import Slack
from governance.core.document import Document
from governance.core.operation import parsed
from governance.core.performance import Outcome, Request
from governance.core.problem import printable
from governance.ports import Action

if TYPE_CHECKING:
    from governance.slack.message import Drawn
    from governance.slack.sender import Sender, SlackTrouble

_SAID = 300
_LEAST = 20
"""Characters that a line is given at least; what follows is left out."""
_UNREADABLE = frozenset({"missing_scope", "not_in_channel", "no_permission", "not_allowed_token_type"})
"""Refusals of reading; who may not read may still be allowed to post."""


class SlackSystemConfig(Document):
    """Which notifier of kind slack it posts by; without a name the only one, or the first."""

    notifier: str = ""


class SlackPost(Document):
    """Post a text in a channel, or in that of the notifier; nothing in it is markup or a mention."""

    text: Annotated[str, Field(min_length=1, max_length=3_000)]
    channel: Annotated[str, Field(pattern=r"^#?[^\s#]{1,80}$")] | None = None


@dataclass(frozen=True, slots=True)
class SlackSystem:
    """Posts once for each key: the message carries it, and is looked for before it is posted again."""

    Config: ClassVar[type[BaseModel]] = SlackSystemConfig
    OPERATIONS: ClassVar[dict[str, type[BaseModel]]] = {"post": SlackPost}
    OUTPUTS: ClassVar[dict[str, dict[str, str]]] = {"post": {"channel": "string", "ts": "string"}}
    REPEATS: ClassVar[frozenset[str]] = frozenset()
    notifier: str = ""
    slack: Slack | None = None
    seconds: int = 10

    @classmethod
    def configured(cls, config: SlackSystemConfig, directory: Path) -> SlackSystem:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the system from its settings; it posts once it knows the notifiers."""
        return cls(config.notifier)

    def using(self, notifiers: Mapping[str, Action]) -> SlackSystem:
        """Return the system as it posts by one of these; itself where that is the one it posts by already."""
        known = {name: each for name, each in notifiers.items() if isinstance(each, Slack)}
        found = known.get(self.notifier) if self.notifier else next(iter(known.values()), None)
        return self if found is self.slack else SlackSystem(self.notifier, found, self.seconds)

    def perform(self, request: Request) -> Outcome:
        """Post it, unless it is there; an answer that was lost leaves open whether it is."""
        from governance.slack.sender import SlackTrouble

        asked = self._asked(request)
        if isinstance(asked, Outcome):
            return asked
        try:
            there = self._looked(asked, request.key)
        except SlackTrouble as error:
            return self._outcome(error, sent=False)
        if there is not None:
            return there
        try:
            place = asked.sender.post(asked.channel, drawn(asked.text), _key(request.key))
        except SlackTrouble as error:
            return self._outcome(error, sent=True)
        return Outcome("done", f"posted in {asked.channel}", {"channel": place.channel, "ts": place.ts})

    def dry_run(self, request: Request) -> Outcome:
        """Look whether the channel is there, and post nothing."""
        from governance.slack.sender import SlackTrouble

        asked = self._asked(request)
        if isinstance(asked, Outcome):
            return asked
        try:
            self._looked(asked, request.key)
        except SlackTrouble as error:
            return self._outcome(error, sent=False)
        return Outcome("done", f"it would be posted in {asked.channel}", {"channel": asked.channel, "ts": ""})

    def read_back(self, request: Request) -> Outcome | None:
        """Look for the message with this key among the newest of the channel, where the app may read it."""
        from governance.slack.sender import SlackTrouble

        asked = self._asked(request)
        if isinstance(asked, Outcome):
            return None
        try:
            found = asked.sender.find(asked.channel, _key(request.key))
        except SlackTrouble:
            return None
        if found is None:
            return Outcome("failed", f"it is not in {asked.channel}")
        return Outcome("done", f"it is in {asked.channel}", {"channel": found.channel, "ts": found.ts})

    def _asked(self, request: Request) -> _Asked | Outcome:
        from governance.slack.sender import Sender

        wanted = parsed(SlackPost, request)
        if isinstance(wanted, Outcome):
            return wanted
        if self.slack is None:
            named = f" '{self.notifier}'" if self.notifier else ""
            return Outcome("failed", f"org.yaml has no notifier{named} of kind slack to post by", again=False)
        config, token = self.slack.config, self.slack.bot_token
        if not token:
            return Outcome("failed", f"the environment variable {config.bot_token_env} is not set", again=False)
        sender = Sender(token, config.address, loopback=config.loopback, seconds=self.seconds)
        return _Asked(sender, wanted.channel or config.channel, wanted.text)

    def _looked(self, asked: _Asked, key: str) -> Outcome | None:
        """Return the message that is there already; None also where the app may not read the channel.

        :raises SlackTrouble: when Slack does not answer, or there is no such channel.
        """
        from governance.slack.sender import Refused

        try:
            found = asked.sender.find(asked.channel, _key(key))
        except Refused as error:
            if error.code in _UNREADABLE:
                return None
            raise
        if found is None:
            return None
        return Outcome("done", f"it is in {asked.channel} already", {"channel": found.channel, "ts": found.ts})

    def _outcome(self, error: SlackTrouble, *, sent: bool) -> Outcome:
        """Return what a trouble means: nothing was taken, or after it was sent nobody knows."""
        from governance.slack.sender import Later, Refused

        token = self.slack.bot_token if self.slack is not None else ""
        said = printable(str(error).replace(token, "…") if token else str(error))[:_SAID]
        if isinstance(error, Later):
            return Outcome("failed", said, wait=timedelta(seconds=error.seconds))
        if isinstance(error, Refused):
            return Outcome("failed", said, again=False)
        if _nobody_listened(error):
            return Outcome("failed", f"no connection: {said}")
        return Outcome("unknown" if sent else "failed", said)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is posted where, and by whom."""

    sender: Sender
    channel: str
    text: str


def drawn(text: str) -> Drawn:
    """Return a text as Slack takes it, its lines kept and everything in them literal."""
    from governance.slack.blocks import TEXT, escaped, section
    from governance.slack.message import Drawn

    lines, left = list[str](), TEXT
    for line in text.splitlines():
        if left < _LEAST:
            break
        lines.append(escaped(line, left))
        left -= len(lines[-1]) + 1
    said = "\n".join(lines)
    return Drawn(said, [section(said)])


def _key(key: str) -> str:
    """Return the key of a message, which is that of no notification."""
    return f"act-{key}"


def _nobody_listened(error: SlackTrouble) -> bool:
    """Tell whether the connection itself failed: nothing has left then."""
    cause = error.__cause__
    return (
        isinstance(cause, URLError)
        and isinstance(cause.reason, (ConnectionRefusedError, OSError))
        and (not isinstance(cause.reason, (TimeoutError, ConnectionResetError, BrokenPipeError)))
    )
