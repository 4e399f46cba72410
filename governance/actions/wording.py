"""What notifiers that send text say: one line that tells what happened, and the rest below it."""

from __future__ import annotations

from governance.core.effect import Effect, Message, Reason
from governance.core.problem import printable

WORDS: dict[Reason, str] = {
    "first": "opened",
    "new_findings": "more findings",
    "worsened": "worsened",
    "reopened": "re-opened",
    "resolved": "resolved",
}
"""The reasons that read badly as they are written."""
MARKS = {"critical": "▲", "warning": "◆", "info": "·"}
_MOST = 20
"""Findings that a text names; the others are counted."""


def subject(message: Message) -> str:
    """Return what all messages of one incident have in common."""
    return line(f"INC-{message.incident} {message.model}" if message.incident else message.title)


def headline(message: Message) -> str:
    """Return what happened, in one line."""
    if not message.incident:
        return line(message.title)
    word = WORDS.get(message.reason, message.reason)
    mark = "✓" if message.reason == "resolved" else f"{MARKS[message.severity]} {message.severity}"
    return line(f"{mark} {word}: {message.title}")


def text(effect: Effect, link: str = "") -> str:
    """Return the whole message, its first line being the headline."""
    message = effect.message
    over = message.reason == "resolved"
    told = message.findings[1 if message.incident else 0 :]  # the title tells the first one
    others = message.also if over else told
    findings, more = others[:_MOST], len(others) - _MOST
    parts = [
        headline(message),
        "",
        *(f"- {line(each)}" for each in findings),
        *([f"- and {more} more"] if more > 0 else ()),
        *(f"→ {line(each)}" for each in message.proposals if not over),
        *([f"You are told by {line(effect.rule)}."] if effect.rule else ()),
        *([link] if link else ()),
        f"{subject(message)}{f' – {message.status}' if message.status else ''}, {message.at:%Y-%m-%d %H:%M} UTC",
    ]
    return "\n".join(parts) + "\n"


def linked(pattern: str, message: Message) -> str:
    """Return where an incident is seen, for an address with {incident} in it; "" where there is none."""
    return pattern.replace("{incident}", str(message.incident)) if pattern and message.incident else ""


def line(words: str) -> str:
    """Return text from anywhere as one line that steers nothing."""
    return " ".join(printable(words).split())
