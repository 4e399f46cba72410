"""Who may read kill switches: a token reaches as far as it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from interfaces.serving import Served, ask, prepared
from interfaces.switches import FLAGS, MODELS, switched


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(prepared(tmp_path_factory.mktemp("identity") / "own", MODELS))
    yield made
    made.close()


def token(directory: Path, name: str, *arguments: str) -> dict[str, str]:
    done = ask(directory, "token", "create", "--for", name, "--kind", "service", "--as", "ana", *arguments)
    assert done.returncode == 0, done.stderr
    found = re.search(r"gov_[a-z2-7]{8}_[\w-]{43}", done.stdout)
    assert found is not None
    return {"Authorization": f"Bearer {found[0]}"}


def keys(answer: httpx.Response) -> list[str]:
    return [each["key"] for each in answer.json()["flags"]]


def test_a_token_reads_the_switches_of_its_models(engine: Served) -> None:
    all_of_them = token(engine.directory, "serving", "--scope", "switches")
    one = token(engine.directory, "fraud-serving", "--scope", "switches", "--model", "fraud")
    pushing = token(engine.directory, "pipeline", "--scope", "push")
    engine.until(lambda: engine.http.post(FLAGS, headers=all_of_them).status_code == 200)
    assert len(keys(engine.http.post(FLAGS, headers=all_of_them))) == 9
    assert keys(engine.http.post(FLAGS, headers=one)) == ["fraud.serve", "fraud.mode", "fraud.switch"]
    assert engine.http.post(f"{FLAGS}/fraud.serve", headers=one).status_code == 200
    other = engine.http.post(f"{FLAGS}/churn.serve", headers=one)
    assert (other.status_code, other.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    tags = {engine.http.post(f"{FLAGS}?model=fraud", headers=each).headers["etag"] for each in (one, all_of_them)}
    assert len(tags) == 1  # the same state and the same models
    assert engine.http.post(FLAGS, headers=one).headers["etag"] in tags
    for path in (FLAGS, f"{FLAGS}/fraud.serve"):
        refused = engine.http.post(path, headers=pushing)
        assert (refused.status_code, refused.json()["errorCode"]) == (403, "GENERAL")
        assert "switches" in refused.json()["errorDetails"]
        assert engine.http.post(path).status_code == 401
    assert engine.http.get("/ofrep/v1/events", headers=pushing).status_code == 403
    assert engine.http.get("/ofrep/v1/events").status_code == 401
    with engine.http.stream("GET", "/ofrep/v1/events", headers=one) as stream:
        assert stream.status_code == 200
    body = {"instance": "pod-1", "seq": 0, "models": ["fraud", "churn"]}
    assert engine.http.post("/v1/confirmations", json=body, headers=one).status_code == 200
    assert engine.http.post("/v1/confirmations", json=body, headers=pushing).status_code == 403
    reading = token(engine.directory, "dashboard", "--scope", "read")
    seen = {model: engine.http.get(f"/v1/switches/{model}", headers=reading).json() for model in ("fraud", "churn")}
    assert [seen[model]["confirmations"]["total"] for model in ("fraud", "churn")] == [1, 0]


def test_a_stream_tells_changes_of_the_models_of_its_token_until_that_ends(engine: Served) -> None:
    mine = token(engine.directory, "fraud-changes", "--scope", "switches", "--model", "fraud")
    engine.until(lambda: engine.http.post(FLAGS, headers=mine).status_code == 200)
    with engine.http.stream("GET", "/ofrep/v1/events?changes=true", headers=mine) as stream:
        read = stream.iter_lines()
        while next(read):
            pass

        def told() -> list[str] | None:
            """Return the flags of the change that comes next, None when clients are only told to ask."""
            line = next(line for line in read if line.startswith(("event: ", "data: ")))
            if not line.startswith("event: "):
                return None
            next(read)
            flags = [each["key"] for each in json.loads(next(read).removeprefix("data: "))["flags"]]
            next(line for line in read if line.startswith("data: "))
            return flags

        switched(engine, "churn")
        assert told() == []
        switched(engine, "fraud")
        assert told() == ["fraud.serve", "fraud.mode", "fraud.switch"]
        secret = mine["Authorization"].removeprefix("Bearer ")
        assert ask(engine.directory, "token", "revoke", secret.split("_")[1], "--as", "ana").returncode == 0
        engine.until(lambda: engine.http.post(FLAGS, headers=mine).status_code == 401)
        switched(engine, "fraud", "stopped")
        assert told() is None
