"""Changes that are told on the stream itself: taken over when they lead on from what is held, else asked for."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from model_governance_openfeature.answer import applied, held_of
from model_governance_openfeature.switch import Unreadable
from model_governance_openfeature.switches import Switches
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until


def settled(server: SwitchServer, held: Switches) -> int:
    """Wait until everything asked for has come, and return how often that was."""
    until(lambda: server.opened and held.decide("m").reason == "STATIC")
    while True:
        asked = len(server.asked)
        threading.Event().wait(0.15)
        if asked == len(server.asked):
            return asked


def test_a_pull_is_taken_over_without_asking(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1), n=live(1))
    held = opened(server.url, poll=3600, confirm=0.2)
    held.serve("m")
    asked = settled(server, held)
    heard: list[list[str]] = []
    held.listen(lambda _, flags: heard.append(flags))
    for seq in range(2, 6):
        server.set(m=switch(seq, setting("shadow" if seq % 2 else "stopped")))
        until(lambda seq=seq: held.seq == seq)  # type: ignore[misc]
    assert (held.serve("m"), held.mode("m"), held.serve("n")) == (False, "shadow", True)
    assert settled(server, held) == asked
    assert heard[0] == ["m.mode", "m.serve", "m.switch"]
    until(lambda: server.confirmed[-1]["seq"] == 5)


def test_what_was_taken_over_is_kept_for_a_start_without_the_engine(
    server: SwitchServer, opened: Open, tmp_path: Path
) -> None:
    server.set(m=live(1))
    held = opened(server.url, poll=3600, snapshot=f"{tmp_path}/switches")
    settled(server, held)
    server.set(m=switch(2, setting("stopped")))
    until(lambda: held.seq == 2)
    until(lambda: "stopped" in (tmp_path / "switches").read_text())
    held.close()
    server.close()
    again = opened(server.url, wait=0.1, snapshot=f"{tmp_path}/switches")
    assert again.decide("m")[:3] == (False, "stopped", "STALE")


@pytest.mark.parametrize("wrong", [b"", b"{}", b"null", b"[[[[", b"\xff\xfe"])
def test_a_change_that_was_garbled_is_asked_for(server: SwitchServer, opened: Open, wrong: bytes) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url, poll=3600)
    asked = settled(server, held)
    server.mangled_change = lambda _: wrong
    server.set(m=switch(2, setting("fallback")))
    until(lambda: held.seq == 2)
    assert (held.mode("m"), settled(server, held)) == ("fallback", asked + 1)


def test_a_pull_turned_into_its_opposite_on_the_way_is_not_believed(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url, poll=3600)
    settled(server, held)
    server.mangled_change = server.mangled = lambda body: body.replace(b"false", b"true ").replace(
        b"stopped", b"live   "
    )
    server.set(m=switch(2, setting("stopped")))
    settled(server, held)
    assert (held.serve("m"), held.mode("m"), held.seq) == (False, "stopped", 1)
    server.mangled = lambda body: body
    server.announce()
    until(lambda: held.seq == 2)


def test_an_engine_with_another_history_is_followed(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(900, setting("stopped")), n=live(1))
    held = opened(server.url, poll=3600)
    settled(server, held)
    server.replace({"m": live(3)})
    until(lambda: held.serve("m"))
    assert held.seq == 3
    server.set(m=switch(4, setting("stopped")))
    until(lambda: not held.serve("m"))


def test_an_engine_that_tells_no_changes_is_asked(server: SwitchServer, opened: Open) -> None:
    server.changes = False
    server.set(m=live(1))
    held = opened(server.url, poll=3600)
    asked = settled(server, held)
    server.set(m=switch(2, setting("stopped")))
    until(lambda: not held.serve("m"))
    assert settled(server, held) == asked + 1


def test_a_stream_elsewhere_is_not_believed(server: SwitchServer, opened: Open) -> None:
    other = SwitchServer()
    other.set(m=switch(1, setting("stopped")))
    server.set(m=switch(1, setting("stopped")))
    elsewhere = {
        **server.answer(),
        "eventStreams": [{"type": "sse", "url": f"{other.url}/ofrep/v1/events?changes=true"}],
    }
    server.digest, server.mangled = False, lambda _: json.dumps(elsewhere).encode()
    held = opened(server.url, poll=3600)
    until(lambda: other.opened)
    other.set(m=live(2))
    threading.Event().wait(0.3)
    assert not held.serve("m")
    other.close()


def test_only_what_leads_on_from_the_state_held_is_taken() -> None:
    server = SwitchServer(switches={"m": live(1)})
    try:
        first = held_of(server.answer())
        before, server.switches = server.switches, {"m": switch(2, setting("stopped")), "n": live(0)}
        middle, lines = server.switches, [line[6:] for line in server.change(before).decode().splitlines()[1:3]]
        second = applied(first, lines)
        assert (second.seq, second.flags.keys()) == (2, {f"{m}.{k}" for m in "mn" for k in ("serve", "mode", "switch")})
        assert second.flags == held_of(server.answer()).flags
        server.switches = {"m": switch(3, setting("shadow")), "n": live(0)}
        later = [line[6:] for line in server.change(middle).decode().splitlines()[1:3]]
        for held, told in ((first, later), (second, lines), (first, lines[:1]), (first, [*lines, ""])):
            with pytest.raises(Unreadable):
                applied(held, told)
    finally:
        server.close()
