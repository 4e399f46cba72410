"""Several kill switches pulled by one request: preview, act, once under its key, and what serving processes read."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from interfaces.inside import CARDS, Inside, inside

from governance.engine.loop import step
from governance.engine.switching import together

ALL = {"mode": "fallback", "all": True}
MORE = {f"m{number}.yaml": CARDS["fraud.yaml"].replace("model: fraud", f"model: m{number}") for number in range(3)}


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own", {**CARDS, **MORE})


def shown(api: Inside, secret: str, which: dict[str, Any] = ALL) -> dict[str, Any]:
    """Return the body that pulls what a preview shows."""
    answer = api.as_(secret, "POST", "/v1/switches/pull/preview", json=which)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    return {**which, "because": "corrupt", "digest": found["digest"], "confirm": found["confirm"]}


def pull(api: Inside, secret: str, body: dict[str, Any], key: str = "k") -> Any:
    return api.as_(secret, "POST", "/v1/switches/pull", json=body, headers={"Idempotency-Key": key})


def mode(api: Inside, secret: str, model: str) -> str:
    path = f"/ofrep/v1/evaluate/flags/{model}.mode"
    return str(api.as_(secret, "POST", path, json={"context": {"targetingKey": "k"}}).json()["value"])


def test_what_was_shown_is_pulled_once_and_serving_processes_read_it_after_each_group(
    api: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "GROUP", 2)
    told: list[int] = []
    api.service.board.subscribe(lambda snapshot: told.append(snapshot.seq))
    bob = api.token("bob")
    body = shown(api, bob)
    assert body["confirm"] == "fallback 5"
    first = pull(api, bob, body)
    assert first.status_code == 200, first.text
    assert first.json()["said"] == "BATCH-1: 5 pulled"
    assert told == [2, 4, 5]
    became = api.as_(bob, "GET", "/v1/switches/batches/BATCH-1").json()
    assert became == first.json()
    reader = api.token("bob", scopes=("switches",))
    assert {mode(api, reader, each) for each in ("loans", "fraud", "m0", "m1", "m2")} == {"fallback"}
    again = pull(api, bob, body)
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert len(api.log("switch.pulled")) == 5
    other = pull(api, bob, body, "other")
    assert (other.status_code, "it would pull 5 models then and 0 now" in other.json()["detail"]) == (409, True)
    single = api.as_(bob, "GET", "/v1/switches/loans").json()
    assert single["settings"][0]["batch"] == "BATCH-1"


def test_what_is_refused_says_why_and_pulls_nothing(api: Inside) -> None:
    bob, vic = api.token("bob"), api.token("vic")
    body = shown(api, bob)
    for changed, status, said in (
        ({"confirm": "fallback"}, 403, "type fallback 5"),
        ({"mode": "stopped"}, 409, "a preview of other models, or of another mode"),
        ({"digest": "x"}, 422, "the digest is that of the preview"),
        ({"because": " "}, 422, "because"),
        ({"incident": 7}, 404, "no incident 7"),
        ({"all": False}, 422, "say which models"),
        ({"all": False, "models": ["lones"]}, 404, "no card declares 'lones'"),
        ({"all": False, "where": {"team": "x"}}, 404, "no model has team=x; there are t"),
        ({"mode": "throttle"}, 422, "a throttle needs the share"),
    ):
        answer = pull(api, bob, {**body, **changed})
        assert (answer.status_code, said in answer.text) == (status, True), (changed, answer.text)
    seen = api.as_(vic, "POST", "/v1/switches/pull/preview", json=ALL).json()
    assert (seen["pull"], seen["refused"], seen["items"][0]["who_may"]) == (0, 5, ["ana", "bob"])
    answer = pull(api, vic, {**body, "digest": seen["digest"], "confirm": seen["confirm"]})
    assert (answer.status_code, "these people may: ana, bob" in answer.text) == (403, True)
    assert api.as_(vic, "GET", "/v1/switches/batches/BATCH-1").status_code == 404
    assert api.log("switch") == []


def test_a_token_for_some_models_sees_and_pulls_those(api: Inside) -> None:
    some = api.token("bob", models=("loans", "m1"))
    body = shown(api, some)
    assert body["confirm"] == "fallback 2"
    done = pull(api, some, body).json()
    assert [each["model"] for each in done["items"]] == ["loans", "m1"]
    assert pull(api, some, {**body, "all": False, "models": ["fraud"]}, "other").status_code == 404


def killed(api: Inside, bob: str, body: dict[str, Any]) -> None:
    """Pull in a process that is killed when it has pulled four."""
    api.engine.database.close()  # a process has its own connections
    process = os.fork()
    if not process:
        api.service.board.subscribe(lambda snapshot: os.kill(os.getpid(), signal.SIGKILL) if snapshot.seq > 3 else None)
        pull(api, bob, body)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("how", ["when it was asked again", "by the engine itself after a restart"])
def test_killed_in_the_middle_it_is_finished_and_answered_when_it_is_asked_again(
    how: str, api: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together, "GROUP", 2)
    bob = api.token("bob")
    body = shown(api, bob)
    killed(api, bob, body)
    half = api.as_(bob, "GET", "/v1/switches").json()["items"]
    assert [each["mode"] for each in half] == ["fallback"] * 4 + ["live"]
    if how.startswith("by the engine"):
        step(api.engine, api.clock.now())
        assert {each["mode"] for each in api.as_(bob, "GET", "/v1/switches").json()["items"]} == {"fallback"}
    again = pull(api, bob, body)
    assert (again.status_code, again.headers.get("idempotent-replayed")) == (200, "true"), again.text
    done = again.json()
    assert (done["pulled"], done["resumed"], done["left"]) == (5, 1, 0)
    assert done["said"] == f"BATCH-1: 5 pulled; the engine had ended in the middle, and 1 was pulled {how}"
    assert pull(api, bob, body).content == again.content
    pulls = api.as_(bob, "GET", "/v1/log?kind=switch.pulled").json()["items"]
    assert sorted(each["subject"]["model"] for each in pulls) == ["fraud", "loans", "m0", "m1", "m2"]
    assert len(api.log("switch.batch_pulled")) == 1
