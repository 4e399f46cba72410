"""The last known state on disk: whole or not at all, and of this engine or none."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from model_governance_openfeature import Switches
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until

NOWHERE = "http://127.0.0.1:9"


def cold(path: Path, opened: Open, url: str = NOWHERE) -> Switches:
    """Start a process that never reaches its engine."""
    return opened(url, snapshot=path, timeout=0.2, wait=0.2)


@pytest.fixture
def kept(server: SwitchServer, opened: Open, tmp_path: Path) -> tuple[Path, str]:
    """A snapshot in which flight-delay is pulled, and the address of its engine, which has gone."""
    path = tmp_path / "switches"
    server.set(flight_delay=switch(3, setting("fallback")), other=live(1))
    held = opened(server.url, snapshot=path)
    until(path.exists)
    held.close()
    server.replace({})
    server.status = 503
    return path, server.url


def test_a_process_that_starts_without_its_engine_goes_on_with_what_was_known(
    kept: tuple[Path, str], opened: Open
) -> None:
    decision = cold(*[kept[0], opened], url=kept[1]).decide("flight-delay")
    assert (decision.serve, decision.mode, decision.reason, decision.seq) == (False, "fallback", "STALE", 3)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text[:-9], "checksum"),
        (lambda text: text.replace(b'"fallback"', b'"live"    '), "checksum"),
        (lambda _: b"", "no snapshot"),
        (lambda _: b"[]\n{}", "no snapshot"),
        (lambda _: os.urandom(200), "no snapshot"),
        (lambda text: text.replace(b"switches/1", b"switches/9"), "no snapshot"),
    ],
)
def test_a_damaged_snapshot_is_ignored_and_said_so(
    kept: tuple[Path, str], opened: Open, caplog: pytest.LogCaptureFixture, spoil: object, said: str
) -> None:
    path, url = kept
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]
    with caplog.at_level(logging.WARNING):
        started = cold(path, opened, url)
    assert not started.known
    assert f"{path} is ignored" in caplog.text
    assert said in caplog.text


def test_the_snapshot_of_another_engine_is_ignored(
    kept: tuple[Path, str], opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        started = cold(kept[0], opened)
    assert not started.known
    assert f"of the engine at {kept[1]}" in caplog.text


def test_with_neither_engine_nor_snapshot_on_unknown_answers(opened: Open, tmp_path: Path) -> None:
    decision = cold(tmp_path / "none", opened).decide("flight-delay")
    assert (decision.serve, decision.known, decision.reason) == (True, False, "DEFAULT")
    cautious = opened(NOWHERE, on_unknown="fallback", timeout=0.2, wait=0.2)
    assert (cautious.serve("flight-delay"), cautious.mode("flight-delay")) == (False, "fallback")


def test_what_the_engine_says_takes_the_place_of_the_snapshot(
    kept: tuple[Path, str], server: SwitchServer, opened: Open
) -> None:
    server.status = 200
    server.switches = {"flight-delay": live(9)}
    again = opened(kept[1], snapshot=kept[0])
    decision = again.decide("flight-delay")
    assert (decision.serve, decision.reason, decision.seq) == (True, "STATIC", 9)


def test_a_state_that_is_confirmed_as_unchanged_is_fresh(
    kept: tuple[Path, str], server: SwitchServer, opened: Open
) -> None:
    server.status = 200
    server.switches = {"flight-delay": switch(3, setting("fallback")), "other": live(1)}
    again = opened(kept[1], snapshot=kept[0])
    assert again.decide("flight-delay").reason == "STATIC"
    assert server.asked, "and the engine was asked"


def test_a_disk_that_refuses_takes_no_switch_away(
    server: SwitchServer, opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = tmp_path / "no such directory" / "switches"
    server.set(m=switch(1, setting("stopped")))
    with caplog.at_level(logging.WARNING):
        held = opened(server.url, snapshot=gone)
        until(lambda: "is not written" in caplog.text)
        server.set(m=live(2))
        until(lambda: held.serve("m"))
    assert caplog.text.count("is not written") == 1, "it is said once"


def test_a_place_that_can_be_neither_read_nor_written_takes_no_switch_away(
    server: SwitchServer, opened: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(m=switch(1, setting("stopped")))
    with caplog.at_level(logging.WARNING):
        held = opened(server.url, snapshot=tmp_path)
        assert not held.serve("m")
        until(lambda: "is not written" in caplog.text)
    assert f"The snapshot {tmp_path} is ignored" in caplog.text
    assert not [*tmp_path.parent.glob(f".{tmp_path.name}.*")], "nothing is left lying about"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere; run the tests as another user")
def test_a_directory_without_permission_takes_no_switch_away(
    server: SwitchServer, opened: Open, tmp_path: Path
) -> None:
    tmp_path.chmod(0o500)
    server.set(m=switch(1, setting("stopped")))
    assert not opened(server.url, snapshot=tmp_path / "switches").serve("m")
    tmp_path.chmod(0o700)


def test_processes_that_share_a_snapshot_leave_it_whole(server: SwitchServer, opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "switches"
    both = [opened(server.url, snapshot=path) for _ in range(2)]
    for seq in range(1, 30):
        server.set(m=switch(seq, setting("fallback" if seq % 2 else "stopped")))
        until(lambda seq=seq: all(each.seq == seq for each in both))  # type: ignore[misc]
    for each in both:
        each.close()
    until(lambda: [each.name for each in tmp_path.iterdir()] == ["switches"])
    server.status = 503
    assert cold(path, opened, server.url).mode("m") in ("fallback", "stopped")
