"""Whatever happens on the way to the engine: no switch is restored by it, none is pulled by it, and none is missed."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from fault_proxy import FAULTS, Fault, FaultProxy
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""httpcore leaves a socket that is given up in the moment it connects to the garbage collector, which closes it."""
TROUBLE = 1.0
"""Seconds for which a fault lasts."""


@pytest.fixture
def proxy(server: SwitchServer) -> Iterator[FaultProxy]:
    made = FaultProxy(server.port)
    yield made
    made.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_changes_what_holds(server: SwitchServer, proxy: FaultProxy, opened: Open, fault: Fault) -> None:
    server.set(pulled=switch(1, setting("fallback")), well=live(1))
    held = opened(proxy.url, timeout=0.3, silence=0.5)
    until(lambda: server.opened)
    proxy.fault = fault
    end, reads = time.monotonic() + TROUBLE, 0
    while time.monotonic() < end:
        seq = server.seq + 1
        server.set(pulled=switch(seq, setting("fallback" if seq % 2 else "stopped")))
        for _ in range(50):
            reads += 1
            assert not held.serve("pulled")
            assert held.serve("well")
            time.sleep(0.0005)
    proxy.fault = "none"
    until(lambda: held.seq == server.seq)
    assert held.decide("well").reason == "STATIC"
    assert reads > 100


@pytest.mark.parametrize("fault", ["black hole", "drip", "refuse", "reset", "corrupt"])
def test_a_start_in_trouble_goes_on_with_the_snapshot(
    server: SwitchServer, proxy: FaultProxy, opened: Open, fault: Fault, tmp_path: object
) -> None:
    path = f"{tmp_path}/switches"
    server.set(pulled=switch(1, setting("fallback")), well=live(1))
    first = opened(proxy.url, snapshot=path)
    until(lambda: _exists(path))
    first.close()
    proxy.fault, proxy.seconds = fault, 0.1
    server.set(pulled=switch(2, setting("stopped")))
    held = opened(proxy.url, snapshot=path, wait=0.2, timeout=0.3)
    assert held.decide("pulled")[:3] == (False, "fallback", "STALE")
    assert held.decide("well")[:3] == (True, "live", "STALE")
    proxy.fault = "none"
    until(lambda: held.decide("pulled")[:3] == (False, "stopped", "STATIC"))


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(
    server: SwitchServer, proxy: FaultProxy, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(m=live(1))
    proxy.fault = "drip"
    with caplog.at_level(logging.WARNING):
        opened(proxy.url, timeout=0.3, wait=0.1)
        until(lambda: "no answer within 0.3 s" in caplog.text)


def _exists(path: str) -> bool:
    try:
        with open(path, "rb"):  # noqa: PTH123 - a name as a program gives it
            return True
    except FileNotFoundError:
        return False
