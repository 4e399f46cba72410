"""One thing that one account did in Slack, and the ways to answer it there."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.webhook import WebhookClient

from governance.slack.blocks import Json, section

_HOSTS = ("slack.com", "slack-gov.com")
_SECONDS = 10
_AWAY = (SlackClientError, OSError)
"""What calls to Slack raise when it refuses or is away."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was done: enough to answer there, also later; plain text, so that it can be kept.

    `trigger` opens a modal within 3 s; `view` is the modal that is open; `thread` the message that was clicked.
    """

    user: str
    name: str = ""
    trigger: str = ""
    channel: str = ""
    thread: str = ""
    response_url: str = ""
    view: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that one account did, with what it said, and the ways to answer."""

    client: WebClient
    origin: Origin
    said: Mapping[str, Any] = field(default_factory=dict)

    def at_view(self, view: str) -> Turn:
        """Return it as answered in another modal."""
        return replace(self, origin=replace(self.origin, view=view, trigger=""))

    def whisper(self, text: str, blocks: Sequence[Json] = ()) -> bool:
        """Say something that only this account sees, where it acted; return whether Slack took it."""
        shown = list(blocks) or [section(text)]
        if self._respond({"response_type": "ephemeral", "replace_original": False, "text": text, "blocks": shown}):
            return True
        channel, user = self.origin.channel, self.origin.user
        try:
            if channel:
                self.client.chat_postEphemeral(channel=channel, user=user, text=text, blocks=shown)
            else:  # a modal or the home tab: there is no channel to whisper in
                self.client.chat_postMessage(channel=user, text=text, blocks=shown)
        except _AWAY:
            return False
        return True

    def show(self, view: Json, text: str) -> str:
        """Show a modal, in the place of the open one, and return its id; where it cannot be shown, whisper the text."""
        try:
            if self.origin.view:
                self.client.views_update(view_id=self.origin.view, view=view)
                return self.origin.view
            if self.origin.trigger:
                opened = self.client.views_open(trigger_id=self.origin.trigger, view=view)
                return str((opened.get("view") or {}).get("id", ""))
        except _AWAY:  # the trigger has expired, or the person closed the modal
            pass
        self.whisper(text, [each for each in view["blocks"] if each["type"] in ("section", "context", "actions")])
        return ""

    def post(self, channel: str, thread: str, text: str, blocks: Sequence[Json]) -> None:
        """Say something in a thread, for all who follow it."""
        with suppress(*_AWAY):
            self.client.chat_postMessage(channel=channel, thread_ts=thread, text=text, blocks=list(blocks))

    def replace_message(self, text: str, blocks: Sequence[Json]) -> None:
        """Put something in the place of the message of ours that was clicked."""
        if self._respond({"replace_original": True, "text": text, "blocks": list(blocks)}):
            return
        self.update(self.origin.channel, self.origin.thread, text, blocks)

    def update(self, channel: str, message: str, text: str, blocks: Sequence[Json] = ()) -> None:
        """Put something in the place of another message of ours, if there is one."""
        if channel and message:
            with suppress(*_AWAY):
                shown = list(blocks) or [section(text)]
                self.client.chat_update(channel=channel, ts=message, text=text, blocks=shown)

    def _respond(self, body: Json) -> bool:
        url = self.origin.response_url
        if not url or not self._is_slack(url):
            return False
        try:
            return WebhookClient(url, timeout=_SECONDS).send_dict(body).status_code == 200
        except (*_AWAY, ValueError):
            return False

    def _is_slack(self, url: str) -> bool:
        """Tell whether an address is Slack's: what is answered is for nobody else."""
        try:
            host, ours = urlsplit(url).hostname or "", urlsplit(self.client.base_url).hostname
        except ValueError:
            return False
        return host == ours or any(host == each or host.endswith(f".{each}") for each in _HOSTS)


def origin_of(body: Mapping[str, Any]) -> Origin:
    """Return where a click, a submitted modal, a command or an event came from.

    :raises ValueError: when it does not say which account it was.
    """
    user, event = _part(body, "user"), _part(body, "event")
    container, view = _part(body, "container"), _part(body, "view")
    who = _text(user, "id") or _text(body, "user_id") or _text(event, "user")
    if not who:
        raise ValueError("it does not say which account it was")
    return Origin(
        user=who,
        name=_text(user, "name") or _text(user, "username") or _text(body, "user_name"),
        trigger=_text(body, "trigger_id"),
        channel=_text(_part(body, "channel"), "id") or _text(container, "channel_id") or _text(body, "channel_id"),
        thread=_text(container, "message_ts") or _text(_part(body, "message"), "ts"),
        response_url=_text(body, "response_url"),
        view=_text(view, "id") if _text(view, "type") != "home" else "",
    )


def metadata(said: object) -> Json:
    """Return what a modal of ours carries in `private_metadata`, nothing where it is none of ours."""
    try:
        found = json.loads(said) if isinstance(said, str) else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def refused_by_slack(error: Exception) -> str:
    """Return the word by which Slack refused a call, "" when it did not answer at all."""
    return str(error.response.get("error", "")) if isinstance(error, SlackApiError) else ""


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name)
    return found if isinstance(found, Mapping) else {}


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    return found if isinstance(found, str) else ""
