"""Waiting until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable

from model_governance_openfeature import Switches

Open = Callable[..., Switches]
"""Opens switches that are closed after the test."""


def until(holds: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until it holds; fail when it does not for so long."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)
