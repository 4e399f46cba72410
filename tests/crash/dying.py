"""How a process of a test is killed, and what it leaves to the next one: the time that it had come to."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Protocol

from governance.actions.webhook import Webhook
from governance.core.effect import Effect, Receipt


class Bounds(Protocol):
    """Knows where a process ends."""

    def boundary(self, what: str) -> None:
        """Pass a boundary, or not."""


class MortalHook:
    """Each message has a boundary before it is sent and one before its answer is recorded."""

    def __init__(self, address: str, fate: Bounds) -> None:
        self._webhook, self._fate = Webhook(address), fate

    def perform(self, effect: Effect) -> Receipt:
        """Send as the webhook does."""
        self._fate.boundary(f"before {effect.key}")
        receipt = self._webhook.perform(effect)
        self._fate.boundary(f"after {effect.key}")
        return receipt


def die() -> None:
    """Leave as `kill -9` makes one leave."""
    os.kill(os.getpid(), signal.SIGKILL)


def now(folder: Path) -> int:
    """Return the cycle, or the second, in which the lives so far have come."""
    clock = folder / "clock"
    return int(clock.read_text(encoding="utf-8")) if clock.exists() else 0


def set_clock(folder: Path, index: int) -> None:
    """Note it, in one piece whenever this process is killed."""
    staged = folder / "clock.next"
    staged.write_text(str(index), encoding="utf-8")
    staged.replace(folder / "clock")
