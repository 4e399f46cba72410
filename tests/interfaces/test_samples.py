"""POST /v1/samples: what is taken, once; and what is refused, in words."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from interfaces.serving import Served, sample

JSON = {"Content-Type": "application/json"}


def posted(served: Served, content: Any, headers: dict[str, str] | None = None) -> httpx.Response:
    key = {"Idempotency-Key": "k-" + datetime.now(UTC).isoformat()}
    return served.http.post("/v1/samples", content=content, headers={**JSON, **key, **(headers or {})})


def refused(answer: httpx.Response, status: int, said: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert said in problem["detail"]
    return problem


def count(served: Served) -> float:
    return served.figures().get('gov_pushed_samples_total{source="pushed"}', 0)


def soon(**by: float) -> str:
    return (datetime.now(UTC) + timedelta(**by)).isoformat()


def test_the_same_push_is_stored_once(shared: Served) -> None:
    one, before = sample(0.1), count(shared)
    assert shared.push(one, key="once").json() == {"stored": 1, "replayed": False}
    assert shared.push(one, key="once").json() == {"stored": 1, "replayed": True}
    assert count(shared) == before + 1
    refused(shared.push(sample(0.2), key="once"), 409, "'once' was used for other samples")


def test_the_same_push_at_once_from_many_is_stored_once(shared: Served) -> None:
    one, before = sample(0.1, metric="raced"), count(shared)
    with ThreadPoolExecutor(8) as pool:
        answers = [each.json() for each in pool.map(lambda _: shared.push(one, key="raced"), range(8))]
    assert sorted(each["replayed"] for each in answers) == [False, *[True] * 7]
    assert {each["stored"] for each in answers} == {1}
    assert count(shared) == before + 1


def test_what_was_pushed_is_known_after_a_restart(served: Served) -> None:
    one = sample(0.1)
    served.push(one, key="kept")
    served.stop()
    again = Served(served.directory)
    assert again.push(one, key="kept").json()["replayed"] is True
    again.close()


def test_labels_and_nothing_to_measure_are_taken(shared: Served) -> None:
    made = [sample(0.1, metric="by_origin", labels={"origin": origin}, count=7) for origin in ("JFK", "LGA")]
    assert shared.push(*made, sample(None, metric="nothing")).json()["stored"] == 3


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        ({"model": "lones"}, 404, "did you mean 'loans'?"),
        ({"metric": ""}, 422, "samples.0.metric"),
        ({"metric": "a\x1bb"}, 422, "samples.0.metric"),
        ({"metric": 1}, 422, "samples.0.metric"),
        ({"value": "0.5"}, 422, "samples.0.value"),
        ({"value": True}, 422, "samples.0.value"),
        ({"value": float("nan")}, 422, "samples.0.value: Input should be a finite number"),
        ({"value": float("inf")}, 422, "samples.0.value: Input should be a finite number"),
        ({"value": 10**400}, 422, "samples.0.value"),
        ({"count": -1}, 422, "samples.0.count"),
        ({"count": 2**63}, 422, "samples.0.count"),
        ({"count": 1.5}, 422, "samples.0.count"),
        ({"time": "2026-01-05T00:00:00"}, 422, "samples.0.time: Input should have timezone info"),
        ({"time": "yesterday"}, 422, "samples.0.time"),
        ({"time": 1767571200}, 422, "must be a time such as 2026-01-31T12:00:00Z"),
        ({"time": "0001-01-01T00:00:00+14:00"}, 422, "samples.0.time"),
        ({"time": soon(hours=1)}, 422, "is later than now"),
        ({"time": soon(days=-31)}, 422, "older than the 30d for which the source keeps it"),
        ({"labels": {"no name": "x"}}, 422, "samples.0.labels: 'no name' is no name"),
        ({"labels": {"origin": "x" * 201}}, 422, "at most 200 printable characters"),
        ({"labels": {"origin": None}}, 422, "samples.0.labels.origin"),
        ({"labels": {f"l{n}": "x" for n in range(17)}}, 422, "at most 16"),
        ({"labels": [1]}, 422, "samples.0.labels"),
        ({"labels": {"origin": "JFK"}}, 422, "labels: origin are given, the card's metric declares none"),
        ({"metric": "by_origin"}, 422, "labels: none are given, the card's metric declares origin"),
        ({"unit": "s"}, 422, "samples.0.unit"),
    ],
    ids=lambda value: "" if isinstance(value, dict) else None,
)
def test_a_wrong_sample_is_refused_with_its_field(
    shared: Served, change: dict[str, Any], status: int, said: str
) -> None:
    before = count(shared)
    refused(posted(shared, json.dumps({"source": "pushed", "samples": [{**sample(), **change}]})), status, said)
    assert count(shared) == before


def test_all_or_nothing(shared: Served) -> None:
    before, good = count(shared), sample(0.1)
    problem = refused(shared.push(good, {**good, "value": "x"}, {**good, "time": 1}), 422, "samples.1.value")
    assert [each["field"] for each in problem["errors"]] == ["samples.1.value", "samples.2.time"]
    refused(shared.push(good, good), 422, "'error_rate' is given twice")
    refused(shared.push(), 422, "1 to 10,000 samples")
    assert count(shared) == before


def test_too_many_samples(shared: Served) -> None:
    made = [{"model": "loans", "metric": f"m{n}", "time": "2026-01-05T00:00Z", "value": 1} for n in range(10_001)]
    refused(shared.push(*made), 422, "1 to 10,000 samples, this one has 10,001")


@pytest.mark.parametrize(
    ("content", "headers", "status", "said"),
    [
        (b'{"source": "pushed", ', {}, 400, "the body is no JSON: Expecting property name"),
        (b"\xff\xfe", {}, 400, "body"),
        (b"[" * 100_000, {}, 400, "body"),
        (b"", {}, 422, "body"),
        (b"[]", {}, 422, "must be a JSON object"),
        (b'{"source": "pushed"}', {}, 422, "samples: Field required"),
        (b'{"source": "pushed", "samples": {}}', {}, 422, "samples"),
        (b'{"source": "\\ud800", "samples": []}', {}, 404, "no source '\\ud800'"),
        (b'{"source": "nowhere", "samples": []}', {}, 404, "no source 'nowhere' of kind push; known: pushed"),
        (b'{"source": "engine", "samples": []}', {}, 404, "no source 'engine' of kind push; known: pushed"),
        (b'{"source": "pushed", "samples": []}', {"Content-Type": "text/plain"}, 422, "application/json"),
        (b'{"source": "pushed", "samples": []}', {"Idempotency-Key": "two words"}, 422, "idempotency key"),
        (b'{"source": "pushed", "samples": []}', {"Idempotency-Key": "k" * 201}, 422, "idempotency key"),
        (
            b'{"source": "pushed", "samples": []}',
            {"Host": "governance.example"},
            421,
            "does not answer under that name",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_wrong_request_is_refused(
    shared: Served, content: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    refused(posted(shared, content, headers), status, said)


def test_a_key_is_required(shared: Served) -> None:
    answer = shared.http.post(
        "/v1/samples", content=json.dumps({"source": "pushed", "samples": [sample()]}), headers=JSON
    )
    refused(answer, 400, "idempotency-key: Field required")


def test_a_body_that_is_too_large_is_not_read_to_its_end(shared: Served) -> None:
    taken = 0

    def pieces() -> Any:  # without a length, so that only counting tells
        nonlocal taken
        for _ in range(4000):
            taken += 1
            yield b" " * 65536

    refused(posted(shared, b" " * (2**20 + 1)), 413, "at most 1,048,576 bytes")
    with suppress(httpx.TransportError):  # it hangs up while we are still sending, which says the same
        refused(posted(shared, pieces()), 413, "at most 1,048,576 bytes")
    assert taken < 4000
    assert shared.push(sample(0.1)).status_code == 200


def test_other_paths_and_methods_are_problems_too(shared: Served) -> None:
    refused(shared.http.get("/v1/nothing"), 404, "Not Found")
    refused(shared.http.get("/v1/samples"), 405, "Method Not Allowed")


def test_the_description_names_the_route_and_its_errors(shared: Served) -> None:
    described = shared.http.get("/v1/openapi.json").json()["paths"]["/v1/samples"]["post"]
    assert {"name": "idempotency-key", "in": "header", "required": True}.items() <= described["parameters"][0].items()
    assert set(described["responses"]) == {"200", "4XX", "5XX"}
    assert list(described["responses"]["4XX"]["content"]) == ["application/problem+json"]
