"""A write under an Idempotency-Key is done once, and answered as often as it is asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import Inside, inside

PULL = {"mode": "fallback", "because": "drift"}


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own")


def pull(api: Inside, secret: str, key: str | None, body: dict[str, Any] = PULL, model: str = "loans") -> Any:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return api.as_(secret, "POST", f"/v1/switches/{model}/pull", json=body, headers=headers)


def test_the_same_key_and_body_answer_the_same(api: Inside) -> None:
    bob = api.token("bob")
    first = pull(api, bob, "one")
    again = pull(api, bob, "one")
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert len(api.log("switch.pulled")) == 1


def test_another_body_or_path_under_the_key_is_refused(api: Inside) -> None:
    bob = api.token("bob")
    pull(api, bob, "one")
    for answer in (pull(api, bob, "one", {**PULL, "mode": "shadow"}), pull(api, bob, "one", model="fraud")):
        assert answer.status_code == 409
        assert "was used for another request" in answer.json()["detail"]
    assert len(api.log("switch.pulled")) == 1


def test_keys_of_others_are_others(api: Inside) -> None:
    bob, ana = api.token("bob"), api.token("ana")
    pull(api, bob, "one")
    assert pull(api, ana, "one").status_code == 200
    assert len(api.log("switch.pulled")) == 2


def test_a_key_is_kept_for_a_day(api: Inside) -> None:
    bob = api.token("bob")
    pull(api, bob, "one")
    api.clock.on(hours=24, seconds=1)
    assert pull(api, bob, "one").status_code == 200
    assert len(api.log("switch.pulled")) == 2


def test_what_was_refused_may_be_tried_again_under_its_key(api: Inside) -> None:
    bob = api.token("bob")
    stop = {"mode": "stopped", "because": "drift", "confirm": ""}
    assert pull(api, bob, "one", stop).status_code == 403
    assert pull(api, bob, "one", {**stop, "confirm": "loans"}).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü".encode("latin-1").decode("latin-1")])
def test_keys_that_are_none(api: Inside, key: str) -> None:
    bob = api.token("bob")
    headers = {"Idempotency-Key": key.encode("latin-1")}
    answer = api.as_(bob, "POST", "/v1/switches/loans/pull", json=PULL, headers=headers)
    assert answer.status_code == 400
    assert api.log("switch.pulled") == []


def test_asked_many_times_at_once_it_is_done_once(api: Inside) -> None:
    bob = api.token("bob")
    ready = threading.Barrier(8)

    def ask(_: int) -> Any:
        ready.wait()
        return pull(api, bob, "one")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert {each.status_code for each in answers} <= {200, 409}
    assert len({each.content for each in answers if each.status_code == 200}) == 1
    assert len(api.log("switch.pulled")) == 1


def test_too_many_writes_are_slowed_down_and_reading_is_not(api: Inside) -> None:
    bob, ana = api.token("bob"), api.token("ana")
    codes = [pull(api, bob, None, {"mode": "none"}).status_code for _ in range(320)]
    assert codes[0] == 422
    assert 429 in codes
    assert api.as_(bob, "GET", "/v1/fleet").status_code == 200
    assert pull(api, ana, None).status_code == 200
