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
    head = f"{message.at:%Y-%m-%d %H:%M}Z  {mark:<11} INC-{message.incident} {message.model} {word}: {message.title}"
    shown = [] if message.reason == "resolved" else [f"{'':19}- {each}" for each in message.findings[1:5]]
    more = len(message.findings) - 5
    if more > 0 and message.reason != "resolved":
        shown.append(f"{'':19}- and {more} more")
    shown.extend(f"{'':19}→ {each}" for each in message.proposals[:2] if message.reason == "first")
    return "\n".join(printable(line) for line in [head, *shown])  # nothing from outside steers the terminal
