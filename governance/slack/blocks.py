"""The parts of messages and modals within Slack's limits; text from outside stands in them as text and nothing else.

Limits: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from slack_sdk.models.blocks import MarkdownTextObject, PlainTextObject

from governance.core.problem import printable

Json = dict[str, Any]

HEADER, TEXT, FIELD, OPTION, BUTTON = 150, 3000, 2000, 75, 75
"""The most characters of a header, of a section, of a field, of an option, of a button."""
FIELDS, BLOCKS, ELEMENTS, FALLBACK = 10, 50, 25, 3900
"""The most fields of a section, blocks of a message, elements of a row of buttons, characters of `text`."""
CUT = "… (cut)"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Slack has no escape for these: a look-alike takes their place, but within a word, where they mean themselves.
_LOOKALIKES = {"*": "∗", "~": "∼", "`": "ˋ", "_": "ˍ"}
_MENTION = re.compile(r"@(?=channel|here|everyone|group)", re.IGNORECASE)
_OPENED = re.compile(r"<(?=\S)")
_JOINER = "\u2060"


def escaped(text: str, limit: int = TEXT) -> str:
    """Return text from outside for mrkdwn: one line, in which nothing is markup, a mention, a link or an entity.

    What is longer than `limit` characters, as Slack counts them, is cut and says so.
    """
    line = _one_line(text)
    return _cut([_safe(line, place) for place in range(len(line))], limit)


def literal(text: str, limit: int = TEXT) -> str:
    """Return text from outside for plain text, where only mentions could still be taken for what they are not."""
    return _cut(list(_OPENED.sub(lambda found: found[0] + _JOINER, _one_line(text))), limit)


def plain(text: str, limit: int = TEXT) -> PlainTextObject:
    """Return a plain text object: no markup, no emoji codes."""
    return PlainTextObject(text=literal(text, limit) or "–", emoji=False)


def mrkdwn(text: str) -> MarkdownTextObject:
    """Return a text object of what is escaped already; names and addresses in it are not made into links."""
    return MarkdownTextObject(text=text or "–", verbatim=True)


def section(text: str) -> Json:
    """Return a section of escaped text."""
    return {"type": "section", "text": mrkdwn(text).to_dict()}


def facts(pairs: Iterable[tuple[str, str]]) -> Json:
    """Return a section of up to ten fields, each a name of ours with an escaped value."""
    fields = [mrkdwn(f"*{name}*\n{value or '–'}").to_dict() for name, value in pairs]
    return {"type": "section", "fields": fields[:FIELDS]}


def header(text: str) -> Json:
    """Return a header."""
    return {"type": "header", "text": plain(text, HEADER).to_dict()}


def context(*texts: str) -> Json:
    """Return small print of escaped texts."""
    return {"type": "context", "elements": [mrkdwn(each).to_dict() for each in texts if each]}


def moment(at: datetime) -> str:
    """Return an instant that Slack shows in each reader's own time zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC>"


def within(blocks: Sequence[Json], limit: int = BLOCKS) -> list[Json]:
    """Return at most `limit` blocks; where some had to go, the last says how many."""
    if len(blocks) <= limit:
        return list(blocks)
    left = len(blocks) - limit + 1
    return [*blocks[: limit - 1], context(f"… and {left} more parts, cut: a message has {limit} at most")]


def _one_line(text: str) -> str:
    shown = printable(" ".join(text.split()))
    return _MENTION.sub(lambda found: found[0] + _JOINER, shown)


def _safe(line: str, place: int) -> str:
    character = line[place]
    if character in _ENTITIES:
        return _ENTITIES[character]
    if character not in _LOOKALIKES:
        return character
    inside = 0 < place < len(line) - 1 and line[place - 1].isalnum() and line[place + 1].isalnum()
    return character if character == "_" and inside else _LOOKALIKES[character]


def _cut(parts: Sequence[str], limit: int) -> str:
    whole = "".join(parts)
    if len(whole) <= limit:
        return whole
    room, kept = limit - len(CUT), list[str]()
    for each in parts:
        room -= len(each)
        if room < 0:
            break
        kept.append(each)
    while kept and kept[-1] == "_":  # within its word it meant itself
        kept.pop()
    return "".join(kept) + CUT
