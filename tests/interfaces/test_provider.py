"""Our own OpenFeature provider against the real engine, in fair weather and in foul."""

from __future__ import annotations

import gc
import signal
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fault_proxy import FAULTS, Fault, FaultProxy
from interfaces.serving import Served, prepared
from interfaces.switches import MODELS, evaluated, known, locked, switched
from model_governance_openfeature import Switches
from waiting import until

from governance.core.switch import Scope
from governance.engine.switching import offline_pull

Open = Callable[..., Switches]


def garbled(part: bytes) -> bytes:
    """Turn each pull into its opposite, in JSON of the same length."""
    said = {b'"value":false': b'"value":true ', b'"fallback"': b'"live"    ', b'"stopped"': b'"live"   '}
    for before, after in said.items():
        part = part.replace(before, after)
    return part


@pytest.fixture
def opened() -> Iterator[Open]:
    """Open switches that are closed after the test."""
    every: list[Switches] = []

    def open_(url: str, **settings: Any) -> Switches:
        every.append(Switches(url, **{"wait": 20.0, "timeout": 20.0, "poll": 0.3, **settings}))
        return every[-1]

    yield open_
    for each in every:
        each.close()
    gc.collect()  # what is left open shows in the test that left it


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(prepared(tmp_path_factory.mktemp("provider") / "own", MODELS))
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    made = Served(prepared(tmp_path / "own", MODELS))
    yield made
    made.close()


def test_a_pull_is_seen_and_so_is_its_end(engine: Served, opened: Open) -> None:
    held = opened(engine.url, poll=3600)
    assert held.decide("fraud").known
    seq = switched(engine, "fraud", "shadow")
    until(lambda: held.mode("fraud") == "shadow")
    decision = held.decide("fraud")
    assert (decision.serve, decision.fallback, decision.because, decision.seq) == (False, "rules", "a test", seq)
    switched(engine, "fraud", "live")
    until(lambda: held.serve("fraud"))


def test_every_request_is_decided_as_the_engine_decides_it(engine: Served, opened: Open) -> None:
    switched(engine, "churn", "throttle", share=0.5)
    switched(engine, "churn", "fallback", scope=Scope("4"))
    seq = switched(engine, "churn", "stopped", scope=Scope("", (("site", "JFK"),)))
    known(engine, "churn", seq)
    held = opened(engine.url)
    for version in ("", "3", "4"):
        for labels in ({}, {"site": "JFK"}, {"site": "LGA"}):
            for key in ("", *(f"k{number}" for number in range(8))):
                context = {"targetingKey": key, "version": version, **labels}
                there = evaluated(engine, "churn.serve", {name: value for name, value in context.items() if value})
                here = held.decide("churn", key, version, labels)
                said = (here.serve, here.variant, here.reason, here.mode)
                assert said == (there["value"], there["variant"], there["reason"], there["metadata"]["mode"]), context
    for scope in (Scope(), Scope("4"), Scope("", (("site", "JFK"),))):
        switched(engine, "churn", "live", scope=scope)


def test_a_database_that_is_down_takes_nothing_away(own: Served, opened: Open) -> None:
    known(own, "fraud", switched(own, "fraud"))
    with locked(own.directory):
        held = opened(own.url)
        assert held.decide("fraud")[:3] == (False, "fallback", "STATIC")


def test_an_engine_that_hangs_blocks_no_read_and_is_followed_when_it_goes_on(own: Served, opened: Open) -> None:
    known(own, "fraud", switched(own, "fraud"))
    held = opened(own.url, stale_after=1.0, timeout=0.5, silence=1.0)
    own.process.send_signal(signal.SIGSTOP)
    until(lambda: held.stale)
    assert held.decide("fraud")[:3] == (False, "fallback", "STALE")
    assert held.decide("loans")[:3] == (True, "live", "STALE")
    own.process.send_signal(signal.SIGCONT)
    switched(own, "fraud", "live")
    until(lambda: held.decide("fraud")[:3] == (True, "live", "STATIC"))


def test_an_engine_that_comes_back_with_another_state_is_followed(own: Served, opened: Open, tmp_path: Path) -> None:
    for _ in range(5):
        seq = switched(own, "fraud")
    known(own, "fraud", seq)
    held = opened(own.url)
    own.process.kill()
    own.process.wait()
    assert (held.serve("fraud"), held.serve("loans")) == (False, True)
    again = Served(prepared(tmp_path / "again", MODELS), port=own.port)
    try:
        until(lambda: held.serve("fraud"))
        switched(again, "loans", "stopped")
        until(lambda: held.mode("loans") == "stopped")
    finally:
        again.close()


def test_a_start_without_the_engine_goes_on_with_the_snapshot(own: Served, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "switches"
    known(own, "fraud", switched(own, "fraud"))
    opened(own.url, snapshot=path)
    until(path.exists)
    own.stop(signal.SIGKILL)
    held = opened(own.url, snapshot=path)
    assert held.decide("fraud")[:3] == (False, "fallback", "STALE")
    assert held.decide("loans")[:3] == (True, "live", "STALE")
    blind = opened(own.url, on_unknown="fallback")
    assert blind.decide("loans")[:3] == (False, "fallback", "DEFAULT")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # httpcore leaves a socket that is given
# up in the moment it connects to the garbage collector, which closes it
@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_on_the_way_changes_what_holds(engine: Served, opened: Open, fault: Fault) -> None:
    known(engine, "fraud", switched(engine, "fraud", "stopped"))
    proxy = FaultProxy(engine.port)
    proxy.corrupted = garbled
    try:
        held = opened(proxy.url, timeout=0.4, silence=5.0)
        proxy.fault = fault
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            seq = switched(engine, "fraud", "fallback")
            for _ in range(50):
                assert not held.serve("fraud")
                assert held.serve("loans")
                time.sleep(0.001)
        proxy.fault = "none"
        until(lambda: held.decide("fraud")[:3] == (False, "fallback", "STATIC") and held.decide("fraud").seq == seq)
    finally:
        proxy.close()


def test_an_offline_pull_holds_until_the_engine_has_entered_it(
    tmp_path: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "k" * 64
    monkeypatch.setenv("GOV_OVERRIDE_KEY", key)
    asked = {"share": 1.0, "because": "engine down", "actor": "ana", "confirmed": "", "fallback": "rules"}
    file = offline_pull(tmp_path, "fraud", "fallback", Scope(), at=datetime.now(UTC), **asked)  # type: ignore[arg-type]
    given = f"import os; os.environ['GOV_OVERRIDE_KEY'] = {key!r}"
    own = Served(prepared(tmp_path / "own", MODELS), before=given)
    try:
        held = opened(own.url, overrides=file.parent)
        assert held.decide("fraud")[:2] == (False, "fallback")
        assert held.seq == 0, "the engine knows nothing of it"
        adopted = own.directory / ".gov" / "overrides"
        adopted.mkdir(exist_ok=True)
        (adopted / file.name).write_bytes(file.read_bytes())
        until(lambda: held.seq == 1)
        assert held.decide("fraud")[:2] == (False, "fallback")
        switched(own, "fraud", "live")
        until(lambda: held.serve("fraud"))
        assert file.exists(), "and the file that lies about pulls nothing any more"
        until(lambda: opened(own.url, overrides=file.parent).serve("fraud"))  # nor where nothing was heard of it
    finally:
        own.close()


def test_the_engine_takes_what_is_confirmed(engine: Served, opened: Open) -> None:
    body = {"instance": opened(engine.url).instance, "seq": 0, "models": ["fraud"]}
    assert engine.http.post("/v1/confirmations", json=body).is_success


def test_an_address_where_nothing_listens_is_no_obstacle(opened: Open) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        held = opened(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert held.serve("fraud")
