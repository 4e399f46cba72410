"""What a serving process can say about how it holds its switches."""

from __future__ import annotations

import os
import random
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from model_governance_openfeature.daemon import now

OnUnknown = Literal["live", "fallback"]


@dataclass(frozen=True)
class Options:
    """All durations are in seconds; `chance` returns numbers in [0, 1), and `clock` seconds that never go back."""

    url: str
    token: str = field(default="", repr=False)
    snapshot: Path | None = None
    overrides: Path | None = None
    override_key: bytes = field(default=b"", repr=False)
    on_unknown: OnUnknown = "live"
    models: frozenset[str] = frozenset()
    instance: str = ""
    wait: float = 1.0
    poll: float = 10.0
    stale_after: float = 15.0
    silence: float = 10.0
    timeout: float = 2.0
    confirm: float = 20.0
    trust: ssl.SSLContext | None = None
    clock: Callable[[], float] = now
    chance: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        """Refuse what cannot work.

        :raises ValueError: saying what to give instead.
        """
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"The engine's address is {self.url!r}; give url=, or set GOV_URL, as http://host:8750")
        if self.on_unknown not in ("live", "fallback"):
            raise ValueError(f"on_unknown is {self.on_unknown!r}; it is 'live' or 'fallback'")
        for name in ("poll", "stale_after", "silence", "timeout", "confirm"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it is a number of seconds above 0")

    @property
    def engine(self) -> str:
        """What the state is of: an engine, and which of its models."""
        return " ".join([self.url, *sorted(self.models)])

    def named(self) -> str:
        """Return the name of this process among the instances; another one in each child."""
        return f"{self.instance or socket.gethostname()}/{os.getpid()}/{os.urandom(3).hex()}"
