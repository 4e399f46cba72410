"""Override files: a pull while the engine is away, obeyed only when signed, only to tighten, only until entered."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from model_governance_openfeature import Switches
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until

KEY = "a key that only those on call have"
PULL = {
    "id": "5f0c",
    "model": "flight-delay",
    "mode": "fallback",
    "share": 1.0,
    "scope": {"version": "", "labels": {}},
    "reason": "engine down, delays nonsense",
    "set_by": "ann",
    "set_at": "2026-11-26T18:00:00Z",
    "fallback": "carrier-baseline",
}


def signed(key: str = KEY, **changes: Any) -> str:
    """Return the text of an override file."""
    said = {**PULL, **changes}
    signature = hmac.new(key.encode(), rfc8785.dumps(said), hashlib.sha256).hexdigest()
    return json.dumps({**said, "signature": signature})


@pytest.fixture
def held(server: SwitchServer, opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Switches:
    monkeypatch.setattr("model_governance_openfeature.link.FILES_EVERY", 0.02)
    server.set(flight_delay=live(1))
    started = opened(server.url)
    started.close()
    monkeypatch.setenv("GOV_OVERRIDE_KEY", KEY)
    return opened(server.url, overrides=tmp_path)


def test_is_obeyed_until_it_is_withdrawn(held: Switches, tmp_path: Path) -> None:
    assert held.serve("flight-delay")
    (tmp_path / "pull.json").write_text(signed())
    until(lambda: not held.serve("flight-delay"))
    assert held.decide("flight-delay").because == "engine down, delays nonsense"
    assert held.decide("flight-delay").fallback == "carrier-baseline"
    (tmp_path / "pull.json").unlink()
    until(lambda: held.serve("flight-delay"))


def test_is_obeyed_from_the_start_while_the_engine_is_down(opened: Open, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "pull.json").write_text(signed(scope={"version": "7", "labels": {}}))
    monkeypatch.setenv("GOV_OVERRIDE_KEY", KEY)
    held = opened("http://127.0.0.1:9", overrides=tmp_path / "pull.json", wait=0.2)
    assert not held.serve("flight-delay", version="7")
    assert held.serve("flight-delay", version="8"), "nothing is known of it, and on_unknown is live"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (signed(key="another key"), "signature"),
        (signed().replace("flight-delay", "flight-price"), "signature"),
        (json.dumps(PULL), "not signed"),
        (signed(mode="live"), "restore it at the engine"),
        (signed(mode="off"), "'off'"),
        (signed(id=""), "no id"),
        ("[]", "no JSON object"),
        ("{", "no JSON"),
        (signed()[:-1] + ', "mode": "live"}', "twice"),
        (signed(reason="x" * 70_000), "more than"),
    ],
)
def test_what_is_not_in_order_is_ignored_and_said_so(
    held: Switches, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        (tmp_path / "pull.json").write_text(text)
        until(lambda: any("pull.json is ignored" in each and said in each for each in caplog.text.splitlines()))
    assert held.serve("flight-delay")
    assert held.serve("flight-price")


def test_only_tightens(held: Switches, server: SwitchServer, tmp_path: Path) -> None:
    server.set(flight_delay=switch(2, setting("stopped")))
    until(lambda: held.mode("flight-delay") == "stopped")
    (tmp_path / "pull.json").write_text(signed(mode="throttle", share=0.1))
    (tmp_path / "other.json").write_text(signed(id="x", model="marker"))
    until(lambda: not held.serve("marker"))
    assert held.mode("flight-delay") == "stopped"


def test_ends_when_the_engine_has_entered_it(held: Switches, server: SwitchServer, tmp_path: Path) -> None:
    (tmp_path / "pull.json").write_text(signed())
    until(lambda: not held.serve("flight-delay"))
    server.set(flight_delay=switch(5, {**setting("fallback"), "override": "5f0c"}))
    until(lambda: held.seq == 5)
    assert held.decide("flight-delay").because == "drill", "the engine's own setting holds now"
    server.set(flight_delay=live(6))
    until(lambda: held.serve("flight-delay"), 10)


def test_ends_when_the_engine_lists_it(held: Switches, server: SwitchServer, tmp_path: Path) -> None:
    (tmp_path / "pull.json").write_text(signed())
    until(lambda: not held.serve("flight-delay"))
    server.metadata = {"overridesEntered": ["5f0c"]}
    server.announce()
    until(lambda: held.serve("flight-delay"))


def test_without_a_key_none_is_obeyed_and_that_is_said(
    server: SwitchServer, opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "pull.json").write_text(signed())
    server.set(flight_delay=live(1))
    with caplog.at_level(logging.WARNING):
        assert opened(server.url, overrides=tmp_path).serve("flight-delay")
    assert "set GOV_OVERRIDE_KEY" in caplog.text
