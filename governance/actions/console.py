"""Tell people on the terminal that the engine runs in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar, TextIO

from pydantic import BaseModel, ConfigDict

from governance.core.effect import Effect, Receipt
from governance.core.problem import printable

_MARKS = {"critical": "▲ critical", "warning": "◆ warning", "info": "· info"}


class ConsoleConfig(BaseModel):
    """The console needs no settings."""

    model_config = ConfigDict(extra="forbid")


class Console:
    """Prints one line per message and one per finding."""

    Config: ClassVar[type[BaseModel]] = ConsoleConfig
    REACHES: ClassVar[frozenset[str]] = frozenset({"place", "people"})

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    @classmethod
    def configured(cls, config: ConsoleConfig, directory: Path) -> Console:  # noqa: ARG003 (the shape that plug-ins share)
        """Build the action from its settings."""
        return cls()

    def perform(self, effect: Effect) -> Receipt:
        """Print the message."""
        stream = self._stream or sys.stdout
        print(rendered(effect), file=stream, flush=True)
        return Receipt(delivered=True, detail="printed")


def rendered(effect: Effect) -> str:
    """Return a message as lines of text."""
    message = effect.message
    mark = "✓ resolved" if message.reason == "resolved" else _MARKS[message.severity]
    word = {"new_findings": "more findings", "first": "opened"}.get(message.reason, message.reason)
    about = f"INC-{message.incident} {message.model} {word}" if message.incident else word
    people = f" → {', '.join(each.person for each in effect.to)}" if effect.to else ""
    head = f"{message.at:%Y-%m-%d %H:%M}Z  {mark:<11} {about}{people}: {message.title}"
    told = message.findings[1 if message.incident else 0 :]  # the title is one
    rest = message.also if message.reason == "resolved" else told
    shown = [f"{'':19}- {each}" for each in rest[:4]]
    if len(rest) > 4:
        shown.append(f"{'':19}- and {len(rest) - 4} more")
    most = None if message.also else 2  # of many incidents each may ask a person for something else
    shown.extend(f"{'':19}→ {each}" for each in message.proposals[:most] if message.reason == "first")
    return "\n".join(printable(line) for line in [head, *shown])  # nothing from outside steers the terminal
