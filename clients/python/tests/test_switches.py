"""What a serving process sees of its engine."""

from __future__ import annotations

import json
import logging
import threading
from typing import Any

import pytest
from model_governance_openfeature.keeper import Keeper
from model_governance_openfeature.link import Link
from model_governance_openfeature.options import Options
from switch_server import SwitchServer, live, setting, switch
from waiting import Open, until


def test_a_pull_is_seen_as_it_is_announced(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1))
    held = opened(server.url, poll=3600)
    until(lambda: server.opened)
    assert (held.serve("m"), held.mode("m")) == (True, "live")
    server.set(m=switch(2, setting("shadow")))
    until(lambda: not held.serve("m"))
    decision = held.decide("m")
    assert (decision.mode, decision.fallback, decision.because, decision.seq) == ("shadow", "baseline", "drill", 2)


def test_a_pull_is_seen_by_asking_now_and_then_when_nothing_is_announced(server: SwitchServer, opened: Open) -> None:
    server.streams = False
    server.set(m=live(1))
    held = opened(server.url)
    assert held.serve("m")
    server.set(m=switch(2, setting("stopped")))
    until(lambda: not held.serve("m"))
    assert not server.opened


def test_a_stream_that_is_cut_or_falls_silent_is_opened_again(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1))
    held = opened(server.url, silence=0.3, poll=0.5)
    until(lambda: server.opened)
    server.cut()
    until(lambda: len(server.opened) > 1)
    assert server.opened[1] == "1", "and it says what it heard last"
    server.heartbeats = False
    until(lambda: len(server.opened) > 2)
    assert held.serve("m")


def test_versions_and_labels_are_told_apart(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped", version="8"), setting("fallback", site="JFK"), serving="7"))
    held = opened(server.url)
    assert held.mode("m", version="8") == "stopped"
    assert held.serve("m", version="7", labels={"site": "LGA"})
    assert not held.serve("m", version="7", labels={"site": "JFK"})
    assert held.mode("m", labels={"site": "LGA"}) == "live", "a request that names no version is of the one that serves"
    assert held.mode("m") == "fallback", "what a request does not say of its labels, it may be"


def test_an_engine_with_another_history_is_followed(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(900, setting("stopped")))
    held = opened(server.url)
    server.replace({"m": live(3)})
    until(lambda: held.serve("m"))
    assert held.seq == 3


def test_a_switch_that_the_engine_no_longer_knows_stays_pulled(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped")), n=live(1))
    held = opened(server.url)
    server.replace({"n": live(2)})
    until(lambda: held.seq == 2)
    assert held.decide("m")[:3] == (False, "stopped", "STALE")
    assert held.decide("n").reason == "STATIC"


def test_a_flag_in_error_stays_as_it_was(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url)
    flags = [{"key": f"m.{kind}", "errorCode": "GENERAL"} for kind in ("serve", "mode", "switch")]
    server.digest, server.mangled = False, lambda _: json.dumps({"flags": flags, "metadata": {"seq": 2}}).encode()
    server.set(m=live(2))
    until(lambda: held.seq == 2)
    assert not held.serve("m")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'{"flags": {}}',
        b'{"flags": [{"key": "m.serve", "value": "false"}]}',
        b'{"flags": [7]}',
        b'{"flags": [',
        b"<html>502</html>",
        b"[" * 100_000,
        b'{"flags": [], "metadata": {"seq": "x"}}',
    ],
)
def test_an_answer_that_makes_no_sense_changes_nothing(
    server: SwitchServer, opened: Open, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url)
    with caplog.at_level(logging.WARNING):
        server.digest, server.mangled = False, lambda _: body
        server.set(m=live(2))
        until(lambda: "is not reached" in caplog.text)
        assert (held.serve("m"), held.seq) == (False, 1)
    server.mangled = lambda body: body
    until(lambda: held.serve("m"))


def test_a_byte_changed_on_the_way_changes_nothing(
    server: SwitchServer, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url)
    with caplog.at_level(logging.WARNING):
        server.mangled = lambda body: body.replace(b"false", b"true ").replace(b'"stopped"', b'"live"   ')
        server.set(m=switch(2, setting("stopped")))
        until(lambda: "digest" in caplog.text)
    assert (held.serve("m"), held.seq) == (False, 1)


def test_a_setting_of_a_newer_engine_is_left_to_it(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("quarantine")))
    held = opened(server.url)
    assert (held.serve("m"), held.mode("m")) == (False, "fallback"), "as the engine itself answered"


def test_a_model_of_which_the_engine_knows_nothing_is_unknown(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1))
    held = opened(server.url, on_unknown="fallback")
    assert held.find("flihgt-delay") is None
    assert not held.decide("flihgt-delay").known
    assert not held.serve("flihgt-delay")


def test_only_the_models_named_are_asked_for(server: SwitchServer, opened: Open) -> None:
    opened(server.url, models=["flight-delay", "a&b"])
    assert server.asked[0] == "/ofrep/v1/evaluate/flags?model=a%26b&model=flight-delay"


def test_says_what_is_wrong_with_a_token_and_shows_none(
    server: SwitchServer, opened: Open, caplog: pytest.LogCaptureFixture
) -> None:
    server.token = "gov_right"
    with caplog.at_level(logging.DEBUG):
        held = opened(server.url, token="gov_wrong")
    assert "401" in caplog.text
    assert "GOV_TOKEN" in caplog.text
    assert "gov_wrong" not in caplog.text + repr(held._keeper.options)


def test_the_token_is_for_the_engine_alone(server: SwitchServer, opened: Open) -> None:
    other = SwitchServer()
    other.token = server.token = "gov_right"
    server.set(m=live(1))
    elsewhere = {**server.answer(), "eventStreams": [{"type": "sse", "url": f"{other.url}/ofrep/v1/events"}]}
    server.digest, server.mangled = False, lambda _: json.dumps(elsewhere).encode()
    opened(server.url, token="gov_right")
    until(lambda: other._connections)
    assert not other.opened, "it was asked without the token, and refused"
    other.close()


def test_address_and_token_come_from_the_environment(
    server: SwitchServer, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.token = "gov_right"
    server.set(m=switch(1, setting("stopped")))
    monkeypatch.setenv("GOV_URL", server.url + "/")
    monkeypatch.setenv("GOV_TOKEN", "gov_right")
    assert opened(None).mode("m") == "stopped"


@pytest.mark.parametrize(
    ("url", "settings", "said"),
    [
        ("", {}, "GOV_URL"),
        ("localhost:8321", {}, "http://host"),
        ("http://e", {"on_unknown": "dead"}, "'live' or 'fallback'"),
        ("http://e", {"poll": 0}, "poll is 0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(opened: Open, url: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        opened(url, **settings)


def test_confirms_what_it_holds_of_the_models_it_serves(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1), n=live(1))
    held = opened(server.url, confirm=0.5)
    held.serve("m")
    until(lambda: server.confirmed)
    assert server.confirmed[0] == {"instance": held.instance, "seq": 1, "models": ["m"]}
    server.set(n=switch(2, setting("stopped")))
    until(lambda: server.confirmed[-1]["seq"] == 2)
    known = len(server.confirmed)
    until(lambda: len(server.confirmed) > known + 1)


def test_a_state_that_is_old_says_so_and_holds(server: SwitchServer, opened: Open) -> None:
    now = [1000.0]
    server.set(m=switch(1, setting("stopped")))
    heard: list[str] = []
    held = opened(server.url, clock=lambda: now[0])
    held.listen(lambda event, _: heard.append(event))
    server.status = 503
    assert held.decide("m").reason == "STATIC"
    now[0] += 3600  # the machine was suspended
    until(lambda: held.stale and "stale" in heard)
    assert held.decide("m")[:3] == (False, "stopped", "STALE")
    server.status = 200
    until(lambda: not held.stale and "fresh" in heard)
    assert held.decide("m")[:3] == (False, "stopped", "STATIC")


def test_a_listener_that_fails_ends_nothing(server: SwitchServer, opened: Open) -> None:
    server.set(m=live(1))
    held = opened(server.url)
    heard: list[list[str]] = []
    held.listen(lambda *_: {}["missing"])
    held.listen(lambda _, flags: heard.append(flags))
    for seq in (2, 3):
        server.set(m=switch(seq, setting("stopped" if seq == 2 else "shadow")))
        until(lambda seq=seq: held.seq == seq and len(heard) == seq - 1)  # type: ignore[misc]
    assert heard[0] == ["m.mode", "m.serve", "m.switch"]


def test_a_thousand_threads_never_read_a_state_that_was_not(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url)
    over, wrong = threading.Event(), []

    def read() -> None:
        while not over.is_set():
            decision = held.decide("m", key="k")
            if decision.serve or decision.mode not in ("stopped", "fallback") or not decision.known:
                wrong.append(decision)
            over.wait(0.05)

    threads = [threading.Thread(target=read) for _ in range(1000)]
    for thread in threads:
        thread.start()
    for seq in range(2, 12):
        server.set(m=switch(seq, setting("fallback" if seq % 2 else "stopped")))
        until(lambda seq=seq: held.seq == seq)  # type: ignore[misc]
    over.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_closed_switches_stay_readable_and_can_be_opened_again(server: SwitchServer, opened: Open) -> None:
    server.set(m=switch(1, setting("stopped")))
    held = opened(server.url)
    held.close()
    held.close()
    server.set(m=live(2))
    assert not held.serve("m")
    held.start()
    until(lambda: held.serve("m"))


def test_processes_ask_at_different_times_and_less_often_the_longer_it_fails(server: SwitchServer) -> None:
    pauses = []
    for chance in (0.0, 0.999):
        keeper = Keeper(Options(server.url, poll=10.0, chance=lambda chance=chance: chance))  # type: ignore[misc]
        link = Link(keeper)
        pauses.append([link._pause(failures) for failures in range(8)])
        keeper.stop()
    early, late = pauses
    assert (early[0], round(late[0])) == (8.0, 12)
    assert early[1:] == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0]
    assert all(one < other <= 12 for one, other in zip(early, late, strict=True))
