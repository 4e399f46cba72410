"""The thread below an incident's message: its timeline, line by line, and the pages of people."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC

from governance.core.effect import Effect
from governance.slack.blocks import FALLBACK, TEXT, escaped, moment, section
from governance.slack.message import MARKS, Drawn
from governance.views import TimelineLine

LINES = 20
"""Lines of one reply: after an outage many wait, and Slack takes one message a second."""
_LINE = 700
_QUIET = ("notification.", "incident.opened", "runbook.step_begun")
"""Kinds that the thread leaves out: `gov why` tells who was notified, the message the rest, a card what begins."""
_LOUD = {"incident.worsened": "worsened", "incident.reopened": "reopened", "incident.resolved": "resolved"}
_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class Reply:
    """One message of the thread: the last entry that it tells of, and whether the channel sees it too."""

    drawn: Drawn
    last: int
    broadcast: bool


def told(lines: Sequence[TimelineLine]) -> list[TimelineLine]:
    """Return the lines that the thread tells."""
    return [each for each in lines if not each.kind.startswith(_QUIET)]


def loud(lines: Sequence[TimelineLine], effects: Sequence[Effect]) -> int | None:
    """Return the entry that the channel must see too, None for none: a change of severity, a re-opening, the end.

    Of several that waited only the last: the channel sees what is so now. What was withheld is not told aloud.
    """
    due = {(each.message.reason, each.message.at) for each in effects if each.state in ("due", "sent") and not each.to}
    found = [
        each.seq for each in lines if each.kind == "incident.severity_set" or (_LOUD.get(each.kind, ""), each.at) in due
    ]
    return found[-1] if found else None


def replies(lines: Sequence[TimelineLine], aloud: int | None) -> Iterator[Reply]:
    """Return the replies that tell these lines in their order; the one told aloud stands alone."""
    group: list[TimelineLine] = []
    for each in told(lines):
        if each.seq == aloud or not _fits(group, each):
            yield from _reply(group)
            group = []
        group.append(each)
        if each.seq == aloud:
            yield Reply(_drawn(group), each.seq, broadcast=True)
            group = []
    yield from _reply(group)


def page(effect: Effect) -> Drawn:
    """Return the message that calls people: their mentions, why they are called, and what for."""
    message = effect.message
    who = " ".join(mention(each.slack, each.person) for each in effect.to)
    mark = f"{MARKS.get(message.severity, '⚪')} {message.severity}"
    about = f"{mark} · INC-{effect.incident} · {message.model}: {message.title}" if effect.incident else message.title
    why = f" ({escaped(effect.rule, _LINE)})" if effect.rule else ""
    more = [escaped(each, _LINE) for each in message.findings] if message.reason == "notice" else []
    text = "\n".join([f"{who} {escaped(about, _LINE)}{why}".strip(), *more])
    return Drawn(text, [section(text)])


def mention(slack: str, person: str) -> str:
    """Return the mention of somebody, or only their name where their id in Slack is not known."""
    return f"<@{slack}>" if _PERSON.fullmatch(slack) else escaped(person, 100)


def reached(effect: Effect) -> tuple[list[str], list[str]]:
    """Return the ids in Slack of those whom a page can reach, and the names of the others."""
    known = [each.slack for each in effect.to if _PERSON.fullmatch(each.slack)]
    return known, [each.person for each in effect.to if not _PERSON.fullmatch(each.slack)]


def _fits(group: Collection[TimelineLine], more: TimelineLine) -> bool:
    used = sum(len(_line(each)) + 1 for each in group)
    return len(group) < LINES and used + len(_line(more)) <= TEXT


def _reply(group: Sequence[TimelineLine]) -> Iterator[Reply]:
    if group:
        yield Reply(_drawn(group), group[-1].seq, broadcast=False)


def _drawn(group: Sequence[TimelineLine]) -> Drawn:
    words = "\n".join(_words(each) for each in group)
    text = words if len(words) <= FALLBACK else f"{len(group)} changes, {_words(group[-1])}"
    return Drawn(text, [section("\n".join(_line(each) for each in group))])


def _line(line: TimelineLine) -> str:
    channel = f" ({escaped(line.channel, 20)})" if line.channel else ""
    said = escaped(line.text, _LINE)
    return f"{moment(line.at)} *{escaped(line.actor, 100)}*{channel} {said} · entry {line.seq}"


def _words(line: TimelineLine) -> str:
    return f"{line.at.astimezone(UTC):%H:%M} {escaped(line.actor, 100)}: {escaped(line.text, _LINE)}"
