"""Calls of Slack's Web API, each with what became of it: taken, refused, to be tried later, or not known.

Limits: https://docs.slack.dev/apis/web-api/rate-limits · errors: https://docs.slack.dev/reference/methods/chat.postMessage
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import getproxies

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from governance.outbound import Forbidden, Outbound
from governance.slack.blocks import Json
from governance.slack.message import Drawn

SECONDS = 10
"""How long one call may take."""
OFFICIAL = "https://slack.com/api/"
EVENT = "governance_post"
"""The type of the metadata by which a post of ours is found again."""
_PAGES, _PAGE = 10, 200
_CHANNEL = re.compile(r"[CGD][A-Z0-9]{2,}")
_WORD = re.compile(r"[a-z_]+")
_AWAY = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_SILENT = logging.getLogger("governance.slack.sdk")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False  # what goes wrong is told by our own words, once


class SlackTrouble(Exception):
    """A call that did not do what it should; its message is a sentence."""


class Later(SlackTrouble):
    """Slack took nothing and says when to come again."""

    def __init__(self, seconds: float) -> None:
        """Keep the seconds that Slack asked for."""
        super().__init__(f"Slack asks to wait {seconds:g} s")
        self.seconds = seconds


class Away(SlackTrouble):
    """Slack did not answer, or not as it should: whether it took the call is not known."""


class Refused(SlackTrouble):
    """Slack took nothing; `code` is its word for why."""

    def __init__(self, code: str, sentence: str) -> None:
        """Keep Slack's word."""
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True, slots=True)
class Place:
    """A message as Slack names it."""

    channel: str
    ts: str


class Sender:
    """Posts, edits and finds messages with one bot token."""

    def __init__(self, token: str, address: str = OFFICIAL, *, loopback: bool = False, seconds: int = SECONDS) -> None:
        """Prepare; nothing is asked yet. `loopback`: the name in `address` may mean this machine."""
        self._client = WebClient(token, base_url=address, timeout=seconds, retry_handlers=[], logger=_SILENT)
        self._token, self._address, self._outbound = token, address, Outbound(loopback)
        self._ids: dict[str, str] = {}

    def post(self, channel: str, drawn: Drawn, key: str, *, thread: str = "", broadcast: bool = False) -> Place:
        """Post a message, marked with its key; in a `thread`, also to the channel with `broadcast`."""
        more: dict[str, Any] = {"thread_ts": thread, "reply_broadcast": broadcast} if thread else {}
        answer = self._asked(
            lambda: self._client.chat_postMessage(
                channel=channel,
                text=drawn.text,
                blocks=_marked(drawn.blocks, key) or None,
                metadata=_metadata(key),
                unfurl_links=False,
                unfurl_media=False,
                link_names=False,
                **more,
            )
        )
        return Place(str(answer.get("channel") or channel), str(answer.get("ts") or ""))

    def edit(self, place: Place, drawn: Drawn, key: str) -> None:
        """Put another state in a message's place."""
        self._asked(
            lambda: self._client.chat_update(
                channel=place.channel, ts=place.ts, text=drawn.text, blocks=drawn.blocks, metadata=_metadata(key)
            )
        )

    def find(self, channel: str, key: str, *, thread: str = "") -> Place | None:
        """Return the message of this key among the newest of a channel, or in a thread; None when Slack has none."""
        channel = self.channel_id(channel)
        for message in self._messages(channel, thread):
            if key in _keys(message):
                return Place(channel, str(message["ts"]))
        return None

    def channel_id(self, name: str) -> str:
        """Return the id of a channel that the app is in or could see, by its name; an id is one already.

        :raises Refused: when there is none of that name.
        """
        if _CHANNEL.fullmatch(name):
            return name
        wanted = name.removeprefix("#")
        if wanted not in self._ids:
            given = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": 1000}
            listed = self._paged(self._client.conversations_list, "channels", given)
            self._ids.update({str(each.get("name")): str(each.get("id")) for each in listed})
        if wanted not in self._ids:
            raise Refused("channel_not_found", f"Slack shows no channel {name}")
        return self._ids[wanted]

    def upload(self, place: Place, picture: bytes, name: str, title: str, alt: str) -> None:
        """Put a picture into a message's thread."""
        self._asked(
            lambda: self._client.files_upload_v2(
                content=picture, filename=name, title=title, alt_txt=alt, channel=place.channel, thread_ts=place.ts
            )
        )

    def open_direct(self, person: str) -> str:
        """Return the channel of direct messages with a person, by their id in Slack."""
        return str(self._asked(lambda: self._client.conversations_open(users=[person]))["channel"]["id"])

    def create_channel(self, name: str) -> str:
        """Make a public channel and return its id."""
        return str(self._asked(lambda: self._client.conversations_create(name=name))["channel"]["id"])

    def invite(self, channel: str, people: Iterable[str]) -> None:
        """Invite people, by their ids in Slack."""
        self._asked(lambda: self._client.conversations_invite(channel=channel, users=list(people)))

    def bookmark(self, channel: str, title: str, link: str) -> None:
        """Put a link above a channel."""
        self._asked(lambda: self._client.bookmarks_add(channel_id=channel, title=title, type="link", link=link))

    def permalink(self, place: Place) -> str:
        """Return the address of a message."""
        answer = self._asked(lambda: self._client.chat_getPermalink(channel=place.channel, message_ts=place.ts))
        return str(answer["permalink"])

    def archive(self, channel: str) -> None:
        """Close a channel; what was said in it stays."""
        self._asked(lambda: self._client.conversations_archive(channel=channel))

    def _messages(self, channel: str, thread: str) -> Iterator[Mapping[str, Any]]:
        given: dict[str, Any] = {"channel": channel, "limit": _PAGE, "include_all_metadata": True}
        if thread:
            yield from self._paged(self._client.conversations_replies, "messages", {**given, "ts": thread})
        else:
            yield from self._paged(self._client.conversations_history, "messages", given)

    def _paged(
        self, ask: Callable[..., SlackResponse], part: str, given: Mapping[str, Any]
    ) -> Iterator[Mapping[str, Any]]:
        cursor: dict[str, str] = {}
        for _ in range(_PAGES):
            answer = self._asked(partial(ask, **given, **cursor))
            yield from answer.get(part) or []
            following = str((answer.get("response_metadata") or {}).get("next_cursor") or "")
            if not following:
                return
            cursor = {"cursor": following}

    def _asked(self, call: Callable[[], SlackResponse]) -> Mapping[str, Any]:
        """Make a call.

        :raises SlackTrouble: when it was refused, must wait, or had no answer.
        """
        if not self._token:
            raise Refused("not_authed", "the environment variable with the bot token is not set")
        try:
            self._check_address()
            return cast("Mapping[str, Any]", call().data)
        except Forbidden as error:
            raise Refused("forbidden", str(error)) from error
        except SlackApiError as error:
            raise _refusal(error) from error
        except (SlackClientError, OSError, HTTPException, ValueError) as error:
            said = str(error) or type(error).__name__
            raise Away(f"Slack does not answer: {said.splitlines()[0][:200]}") from error

    def _check_address(self) -> None:
        """Refuse an address that means what no document may have us ask."""
        if self._address == OFFICIAL or getproxies():
            return
        parts = urlsplit(self._address)
        self._outbound.addresses(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def _refusal(error: SlackApiError) -> SlackTrouble:
    answer = error.response
    status = getattr(answer, "status_code", 0)
    data = getattr(answer, "data", None)
    code = str(data.get("error", "")) if isinstance(data, Mapping) else ""
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Later(_seconds(getattr(answer, "headers", {}) or {}))
    if status >= 500 or not _WORD.fullmatch(code) or code in _AWAY:
        return Away(f"Slack answers HTTP {status}{f' {code}' if _WORD.fullmatch(code) else ''}")
    needed = f" (it needs {data['needed']})" if isinstance(data, Mapping) and data.get("needed") else ""
    return Refused(code, f"Slack refuses: {code}{needed}")


def _seconds(headers: Mapping[str, Any]) -> float:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "1")
    try:
        return min(max(float(found[0] if isinstance(found, list) else found), 0.5), 3600.0)
    except ValueError:
        return 1.0


def _metadata(key: str) -> Json:
    return {"event_type": EVENT, "event_payload": {"key": key}}


def _marked(blocks: Sequence[Json], key: str) -> list[Json]:
    """Mark the first block with the key as well: there are servers that forget what stands beside a message."""
    return [{**each, "block_id": key} if not place else each for place, each in enumerate(blocks)]


def _keys(message: Mapping[str, Any]) -> set[str]:
    """Return the keys that a message may be marked with."""
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") if isinstance(metadata, Mapping) else None
    own = str(payload.get("key", "")) if isinstance(payload, Mapping) else ""
    return {own, *(str(each.get("block_id", "")) for each in message.get("blocks") or [])}
