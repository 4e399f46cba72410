"""What the tests share: a small engine, switches that listen to it, and waiting until something is so."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from model_governance_openfeature import Switches
from switch_server import SwitchServer
from waiting import Open


@pytest.fixture
def server() -> Iterator[SwitchServer]:
    """An engine that governs nothing yet."""
    served = SwitchServer()
    yield served
    served.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Open switches that are closed after the test; they wait long for a first answer, as this machine may be slow."""
    for name in ("GOV_URL", "GOV_TOKEN", "GOV_OVERRIDE_KEY"):
        monkeypatch.delenv(name, raising=False)
    every: list[Switches] = []

    def open_(url: str | None, **settings: Any) -> Switches:
        every.append(Switches(url, **{"wait": 20.0, "timeout": 20.0, "poll": 0.2, **settings}))
        return every[-1]

    yield open_
    for each in every:
        each.close()
    gc.collect()  # what is left open shows in the test that left it
