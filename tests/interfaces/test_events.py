"""Live events: the decision log as it grows, resumed where a listener was, over a real connection."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx
from interfaces.serving import Served, ask, sample


@contextmanager
def listening(served: Served, **more: Any) -> Iterator[Iterator[str]]:
    with served.http.stream("GET", "/v1/events", timeout=httpx.Timeout(20), **more) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.iter_lines()


def event(lines: Iterator[str], kind: str = "") -> dict[str, Any]:
    """Return the next event, of a kind."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            found[name] = value
        elif "data" in found and kind in ("", found["event"]):
            return {"id": int(found["id"]), "event": found["event"], **json.loads(found["data"])}
        elif not line:
            found = {}
    raise AssertionError("the stream ended")


def test_what_is_decided_is_told_at_once_and_resumed_where_it_was(served: Served) -> None:
    with listening(served) as lines:
        assert next(lines) == "retry: 1000"
        served.push(sample(0.9))
        opened = event(lines, "incident.opened")
        while opened["subject"]["model"] != "loans":
            opened = event(lines, "incident.opened")
    assert opened["actor"] == "engine"
    assert opened["id"] == opened["seq"]
    with listening(served, headers={"Last-Event-ID": str(opened["id"] - 1)}) as lines:
        assert event(lines) == opened
    with listening(served, params={"after": -1}) as lines:
        assert event(lines)["id"] == 0


def test_silence_is_a_sign_of_life(served: Served) -> None:
    with listening(served) as lines:
        began = time.monotonic()
        line = next(each for each in lines if each.startswith((":", "event")))
        assert line
        assert time.monotonic() - began < 15


def test_a_listener_does_not_keep_the_engine_from_stopping(served: Served) -> None:
    with listening(served) as lines:
        next(lines)
        began = time.monotonic()
        assert served.stop() == 0
        assert time.monotonic() - began < 15
        with suppress(httpx.HTTPError):  # cut off, or ended in good order
            assert not [each for each in lines if each.startswith("data")]


def test_a_listener_of_one_model_hears_of_that_one(served: Served) -> None:
    made = ask(
        served.directory, "token", "create", "--for", "ana", "--as", "ana", "--model", "loans", "--format", "json"
    )
    secret = json.loads(made.stdout)["secret"]
    mine = {"Authorization": f"Bearer {secret}", "Last-Event-ID": "0"}
    served.until(lambda: served.http.get("/v1/whoami").status_code == 401)
    served.http.headers["Authorization"] = f"Bearer {secret}"
    served.push(sample(0.9))
    with listening(served, headers=mine) as lines:
        assert event(lines)["subject"]["model"] == "loans"


def test_too_many_streams_of_one_caller_are_refused(served: Served) -> None:
    with ExitStack() as stack:
        codes, kept = [], []  # a stream whose lines nobody holds is closed
        for _ in range(53):
            answer = stack.enter_context(served.http.stream("GET", "/v1/events"))
            if answer.status_code == 200:
                kept.append(answer.iter_lines())
                next(kept[-1])
            codes.append(answer.status_code)
        assert codes.count(200) == 50
        assert codes[-1] == 503
    served.until(lambda: served.http.get("/v1/fleet").status_code == 200)
