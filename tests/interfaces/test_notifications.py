"""What could not be delivered is listed, and tried again by whoever may, over the API and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from contract.receiving import Receiver, Reply, receiving
from interfaces.inside import CARDS, Inside, inside

from governance.cli.main import run
from governance.core.effect import MAX_REFUSALS
from governance.engine.dispatch import dispatch
from governance.store import effects


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def api(receiver: Receiver, tmp_path: Path) -> Inside:
    """An engine whose hook refused the message of an incident until it was given up."""
    org = CARDS["org.yaml"] + f"notifiers: {{hook: {{kind: webhook, address: '{receiver.address}'}}}}\n"
    made = inside(tmp_path / "own", {**CARDS, "org.yaml": org})
    made.judge(0.9)
    receiver.script = [Reply(410)] * MAX_REFUSALS
    while receiver.script:
        deliver(made)
    return made


def deliver(api: Inside) -> None:
    dispatch(api.engine, api.clock.on(minutes=11))


def dead(api: Inside, **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = bob(api, "GET", "/v1/notifications", params=more).json()["items"]
    return found


def bob(api: Inside, method: str, path: str, **more: Any) -> Any:
    """Ask as a responder."""
    return api.as_(api.token("bob"), method, path, **more)


def test_what_was_given_up_is_delivered_once_it_is_tried_again(api: Inside, receiver: Receiver) -> None:
    (lost,) = dead(api)
    assert (lost["state"], lost["attempts"], lost["receipt"], lost["next_at"]) == ("failed", 8, "HTTP 410", None)
    deliver(api)
    assert len(receiver.got) == MAX_REFUSALS, "it is not tried by itself"
    body = {"key": lost["key"], "because": "the address is right now"}
    headers = {"Idempotency-Key": "again"}
    done = bob(api, "POST", "/v1/notifications/retry", json=body, headers=headers).json()
    assert [each["state"] for each in done["deliveries"]] == ["due"]
    same = bob(api, "POST", "/v1/notifications/retry", json=body, headers=headers)
    assert (same.json(), same.headers["Idempotent-Replayed"]) == (done, "true")
    assert [each["key"] for each in dead(api, state="due")] == [lost["key"]]
    deliver(api)
    assert {each.key for each in receiver.got} == {lost["key"]}
    assert len(receiver.got) == MAX_REFUSALS + 1
    assert dead(api) == dead(api, state="due") == []
    (entry,) = api.log("notification.retried")
    assert (entry["because"], entry["receipt"]) == ("the address is right now", "HTTP 410")
    assert [each["attempts"] for each in api.log("notification.sent")] == [9]


def test_what_is_refused_again_is_given_up_again(api: Inside, receiver: Receiver) -> None:
    receiver.script = [Reply(410)] * MAX_REFUSALS
    assert bob(api, "POST", "/v1/notifications/retry", json={"notifier": "hook"}).status_code == 200
    for _ in range(40):
        deliver(api)
    assert [each["attempts"] for each in dead(api)] == [2 * MAX_REFUSALS]
    assert [each["attempts"] for each in api.log("notification.failed")] == [MAX_REFUSALS, 2 * MAX_REFUSALS]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 422, "give one of `key`, `notifier` and `incident`"),
        ({"key": "9-9-hook"}, 404, "no notification '9-9-hook'"),
        ({"notifier": "mail"}, 404, "nothing for the notifier 'mail' was given up"),
        ({"incident": 77}, 404, "nothing of INC-77 was given up"),
        ({"incident": 1, "notifier": "hook"}, 422, "give one of `key`, `notifier` and `incident`"),
    ],
)
def test_what_cannot_be_tried_again(body: dict[str, str], status: int, said: str, api: Inside) -> None:
    answer = bob(api, "POST", "/v1/notifications/retry", json=body)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_all_of_an_incident_is_tried_again_by_whoever_is_told_that_they_may(api: Inside) -> None:
    (lost,) = dead(api)
    assert (dead(api, incident=lost["incident"]), dead(api, incident=77)) == ([lost], [])
    assert lost["may"]["allowed"]
    (seen,) = api.as_(api.token("vic"), "GET", "/v1/notifications").json()["items"]
    assert not seen["may"]["allowed"]
    assert "these people may: ana, bob" in seen["may"]["because"]
    done = bob(api, "POST", "/v1/notifications/retry", json={"incident": lost["incident"]}).json()
    assert [each["key"] for each in done["deliveries"]] == [lost["key"]]
    assert dead(api) == []


def test_only_what_was_given_up_and_only_by_responders(api: Inside) -> None:
    (lost,) = dead(api)
    vic = api.token("vic")
    refused = api.as_(vic, "POST", "/v1/notifications/retry", json={"key": lost["key"]})
    assert (refused.status_code, "have notifications tried again" in refused.text) == (403, True)
    with api.engine.database.transaction() as connection:
        effects.save(connection, [replace(effects.get(connection, lost["key"]), state="sent")])
    assert bob(api, "POST", "/v1/notifications/retry", json={"key": lost["key"]}).status_code == 409


def test_on_the_command_line(
    api: Inside, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (lost,) = dead(api)
    monkeypatch.setenv("GOV_HOME", str(tmp_path / "own" / ".gov"))
    monkeypatch.setenv("GOV_POLICIES", str(tmp_path / "own" / "policies"))
    assert run(["notifications", "list", "--format", "json"]) == 0
    assert [each["key"] for each in json.loads(capsys.readouterr().out)] == [lost["key"]]
    assert run(["notifications", "list"]) == 0
    shown = capsys.readouterr().out
    assert lost["key"] in shown
    assert "HTTP 410" in shown
    assert "gov notifications retry KEY" in shown
    assert run(["notifications", "retry"]) == 2
    assert run(["notifications", "retry", "--notifier", "hook", "--as", "out"]) == 3
    capsys.readouterr()
    assert run(["notifications", "retry", "--notifier", "hook", "--because", "mended", "--as", "bob"]) == 0
    assert capsys.readouterr().out.startswith("1 notification will be tried again; sealed as entry ")
    assert run(["notifications", "list"]) == 0
    assert capsys.readouterr().out == "no notification was given up\n"
    assert run(["notifications", "list", "--waiting"]) == 0
    assert lost["key"] in capsys.readouterr().out
    dispatch(api.engine, max(api.clock.now(), api.engine.clock.now()) + timedelta(days=400))
    assert receiver.got[-1].key == lost["key"]
