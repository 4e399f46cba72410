"""The routes of OFREP: what they answer to requests good and bad, and what goes on while the database is down."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from interfaces.inside import inside
from interfaces.serving import Served, gov, prepared
from interfaces.switches import FLAGS, JSON, MODELS, evaluated, known, locked, switched

from governance.core.switch import Scope


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(prepared(tmp_path_factory.mktemp("ofrep") / "own", MODELS))
    yield made
    made.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    made = Served(prepared(tmp_path / "own", MODELS))
    yield made
    made.close()


def bulk(served: Served, body: Any = None, query: str = "", **headers: str) -> httpx.Response:
    return served.http.post(FLAGS + query, content=json.dumps(body or {}), headers={**JSON, **headers})


def test_a_client_that_asks_for_everything_reads_each_model(tmp_path: Path) -> None:
    api = inside(tmp_path / "own")
    said = "no serving process has asked for this switch"
    assert said in str(api.client.get("/v1/switches/loans").json()["warnings"])
    assert api.client.post("/ofrep/v1/evaluate/flags", json={}).status_code == 200
    shown = api.client.get("/v1/switches/loans").json()
    assert said not in str(shown["warnings"])
    assert shown["confirmations"]["last_read"] == "2026-01-31T12:00:00Z"
    api.clock.on(minutes=10)
    assert said in str(api.client.get("/v1/switches/loans").json()["warnings"])
    api.engine.database.close()


def test_a_pull_by_another_process_is_read_and_so_is_the_end_of_it(engine: Served) -> None:
    assert evaluated(engine, "churn.serve")["value"] is True
    seq = switched(engine, "churn", "stopped")
    known(engine, "churn", seq)
    found = evaluated(engine, "churn.serve", {"targetingKey": "u"})
    assert found == {
        "key": "churn.serve", "value": False, "variant": "stopped", "reason": "STATIC",
        "metadata": {"seq": seq, "mode": "stopped", "reason": "a test", "fallback": "rules"},
    }  # fmt: skip
    assert evaluated(engine, "churn.mode")["value"] == "stopped"
    assert evaluated(engine, "churn.switch")["value"]["settings"][0]["mode"] == "stopped"
    known(engine, "churn", switched(engine, "churn", "live"))
    assert evaluated(engine, "churn.serve")["value"] is True


def test_a_pull_on_the_command_line_is_read_at_once(own: Served) -> None:
    done = gov(own.directory, "switch", "pull", "fraud", "fallback", "--because", "drift", "--as", "ana")
    assert done.returncode == 0, done.stderr
    own.until(lambda: evaluated(own, "fraud.serve")["value"] is False)
    assert evaluated(own, "fraud.serve")["metadata"] == {
        "seq": 1, "mode": "fallback", "reason": "drift", "fallback": "rules",
    }  # fmt: skip


def test_numbers_with_a_fraction_are_written_with_a_point(engine: Served) -> None:
    known(engine, "churn", switched(engine, "churn", "throttle", share=1.0))
    answer = engine.http.post(f"{FLAGS}/churn.switch", content=b"{}")
    assert '"share":1.0,' in answer.text
    known(engine, "churn", switched(engine, "churn", "live"))
    assert '"share":0.0,' in engine.http.post(f"{FLAGS}/churn.switch", content=b"{}").text


def test_every_known_model_is_in_the_bulk_answer_also_those_never_pulled(engine: Served) -> None:
    found = bulk(engine).json()
    assert [each["key"] for each in found["flags"]] == [
        f"{model}.{kind}" for model in ("churn", "fraud", "loans") for kind in ("serve", "mode", "switch")
    ]
    assert found["eventStreams"] == [
        {"type": "sse", "endpoint": {"requestUri": "/ofrep/v1/events"}, "inactivityDelaySec": 120}
    ]
    answer = bulk(engine)
    digest = base64.b64encode(hashlib.sha256(answer.content).digest()).decode()
    assert answer.headers["content-digest"] == f"sha-256=:{digest}:"
    only = bulk(engine, query="?model=fraud&model=none").json()
    assert [each["key"] for each in only["flags"]] == ["fraud.serve", "fraud.mode", "fraud.switch"]


def test_an_answer_is_only_for_who_asks_the_same_of_the_same_state(engine: Served) -> None:
    known(engine, "fraud", switched(engine, "fraud", "fallback", scope=Scope("4")))
    asked = [{"context": {"version": version}} for version in ("3", "4", "3", 4)]
    served = [
        [each["value"] for each in bulk(engine, body).json()["flags"] if each["key"] == "fraud.serve"] for body in asked
    ]
    assert served == [[True], [False], [True], [False]]
    known(engine, "fraud", switched(engine, "fraud", "live", scope=Scope("4")))
    assert bulk(engine, asked[1]).json()["flags"] != bulk(engine, asked[1], "?model=fraud").json()["flags"]
    assert bulk(engine, asked[1], "?model=fraud").json()["flags"][0]["value"] is True


def test_the_tag_changes_with_the_state_the_context_and_what_is_asked_for(engine: Served) -> None:
    first = bulk(engine, {"context": {"targetingKey": "u", "a": 1}})
    tag = first.headers["etag"]
    same = {"context": {"a": 1, "targetingKey": "u"}}
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        again = bulk(engine, same, **{"If-None-Match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    for body, query in (({}, ""), ({"context": {"targetingKey": "u", "a": 2}}, ""), (same, "?model=fraud")):
        other = bulk(engine, body, query, **{"If-None-Match": tag})
        assert (other.status_code, other.headers["etag"] != tag) == (200, True)
    known(engine, "fraud", switched(engine, "fraud", "throttle", share=0.5))
    assert bulk(engine, same, **{"If-None-Match": tag}).status_code == 200
    known(engine, "fraud", switched(engine, "fraud", "live"))


def test_a_version_or_label_may_be_pulled_alone(engine: Served) -> None:
    known(engine, "fraud", switched(engine, "fraud", "fallback", scope=Scope("4")))
    known(engine, "fraud", switched(engine, "fraud", "stopped", scope=Scope(labels=(("region", "eu"),))))
    answers = [
        evaluated(engine, "fraud.mode", {"version": version, "region": region})["value"]
        for version, region in (("3", "us"), ("4", "us"), ("3", "eu"), ("4", "eu"))
    ]
    assert answers == ["live", "fallback", "stopped", "stopped"]
    assert evaluated(engine, "fraud.mode", {"region": "us"})["value"] == "live"  # the card says that 3 serves
    for scope in (Scope("4"), Scope(labels=(("region", "eu"),))):
        known(engine, "fraud", switched(engine, "fraud", "live", scope=scope))


def test_a_model_whose_card_is_gone_keeps_its_switch(own: Served) -> None:
    known(own, "churn", switched(own, "churn", "stopped"))
    own.stop()
    (own.directory / "policies" / "churn.yaml").unlink()
    again = Served(own.directory)
    try:
        assert evaluated(again, "churn.serve")["value"] is False
    finally:
        again.close()


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"nope", "PARSE_ERROR", "the body is no JSON"),
        (b'{"context":', "PARSE_ERROR", "the body is no JSON"),
        (b'{"context": {"a": NaN}}', "PARSE_ERROR", "NaN is no number of JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "PARSE_ERROR", "the body is no JSON"),
        (b"[" * 100_000, "PARSE_ERROR", "the body is no JSON"),
        (b"\xff\xfe{}", "PARSE_ERROR", "the body is no JSON"),
        (b"[]", "PARSE_ERROR", "must be a JSON object"),
        (b"null", "PARSE_ERROR", "must be a JSON object"),
        (b'"text"', "PARSE_ERROR", "must be a JSON object"),
        (b"1", "PARSE_ERROR", "must be a JSON object"),
        (b'{"context": []}', "INVALID_CONTEXT", "`context` must be an object"),
        (b'{"context": "u"}', "INVALID_CONTEXT", "`context` must be an object"),
        (b'{"context": {"targetingKey": {}}}', "INVALID_CONTEXT", "`targetingKey` of the context must be text"),
        (b'{"context": {"version": []}}', "INVALID_CONTEXT", "`version` of the context must be text"),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_words_of_the_protocol(
    engine: Served, body: bytes, code: str, said: str
) -> None:
    one = engine.http.post(f"{FLAGS}/loans.serve", content=body, headers=JSON)
    assert (one.status_code, one.json()["key"], one.json()["errorCode"]) == (400, "loans.serve", code)
    assert said in one.json()["errorDetails"]
    every = engine.http.post(FLAGS, content=body, headers=JSON)
    assert (every.status_code, every.json()["errorCode"]) == (400, code)
    assert said in every.json()["errorDetails"]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"x": 1}', b'{"context": null}', b'{"context": {"targetingKey": null}}']
)
def test_a_request_may_say_nothing_of_itself(engine: Served, body: bytes) -> None:
    assert engine.http.post(f"{FLAGS}/loans.serve", content=body).json()["value"] is True


def test_surrogates_and_long_keys_have_a_bucket_too(engine: Served) -> None:
    known(engine, "churn", switched(engine, "churn", "throttle", share=0.5))
    for key in ("\ud800", "k" * 100_000, "\x00", "ключ"):
        found = evaluated(engine, "churn.serve", {"targetingKey": key})
        assert (found["reason"], type(found["value"])) == ("SPLIT", bool)
        assert bulk(engine, {"context": {"targetingKey": key}}).status_code == 200
    known(engine, "churn", switched(engine, "churn", "live"))


@pytest.mark.parametrize("key", ["lones.serve", "loans", "loans.other", "serve", ".serve", "engine.serve", ""])
def test_an_unknown_flag_is_said_to_be_unknown(engine: Served, key: str) -> None:
    answer = engine.http.post(f"{FLAGS}/{key}", content=b"{}")
    assert (answer.status_code, answer.json()["key"], answer.json()["errorCode"]) == (404, key, "FLAG_NOT_FOUND")
    assert "no such flag" in answer.json()["errorDetails"]


def test_only_what_the_protocol_knows_is_answered(engine: Served) -> None:
    assert engine.http.get(f"{FLAGS}/loans.serve").status_code == 405
    assert engine.http.get(FLAGS).status_code == 405
    assert engine.http.post("/ofrep/v1/events").status_code == 405


def test_the_first_event_of_every_connection_lets_a_client_ask_again(engine: Served) -> None:
    for last in ("", "7"):
        with engine.http.stream("GET", "/ofrep/v1/events", headers={"Last-Event-ID": last}) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            read = stream.iter_lines()
            first = [next(read) for _ in range(3)]
            assert first[0].startswith("retry: ")
            assert first[1].startswith("id: ")
            assert json.loads(first[2].removeprefix("data: "))["type"] == "refetchEvaluation"


def test_a_pull_is_told_on_the_stream_and_silence_is_broken_by_a_comment(engine: Served) -> None:
    with engine.http.stream("GET", "/ofrep/v1/events") as stream:
        read = stream.iter_lines()
        while next(read):
            pass
        seq = switched(engine, "churn", "shadow")
        assert next(read) == f"id: {seq}"
        data = json.loads(next(read).removeprefix("data: "))
        assert (data["type"], data["seq"]) == ("refetchEvaluation", seq)
        assert evaluated(engine, "churn.mode")["value"] == "shadow"  # what was told can be read
        assert (next(read), next(read)) == ("", f": {seq}")
    known(engine, "churn", switched(engine, "churn", "live"))


def test_a_client_that_asks_for_changes_is_led_from_state_to_state(engine: Served) -> None:
    with engine.http.stream("GET", "/ofrep/v1/events?changes=true&model=churn") as stream:
        read = stream.iter_lines()
        while next(read):
            pass
        before = bulk(engine, query="?model=churn").json()["metadata"]["state"]
        for model, mode in (("churn", "shadow"), ("fraud", "stopped"), ("churn", "live"), ("fraud", "live")):
            seq = switched(engine, model, mode)  # type: ignore[arg-type]
            assert next(read) == "event: switches"
            digest, text = (next(read).removeprefix("data: ") for _ in range(2))
            assert digest == base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            said = json.loads(text)
            now = bulk(engine, query="?model=churn")
            assert (said["since"], said["state"], said["seq"]) == (before, now.json()["metadata"]["state"], seq)
            assert said["etag"] == now.headers["etag"]
            assert said["flags"] == (now.json()["flags"] if model == "churn" else [])
            assert [next(read), next(read)] == ["", f"id: {seq}"], "and every client is told to ask, as ever"
            told = json.loads(next(read).removeprefix("data: "))
            assert told["etag"] == f'"{said["state"]}"'
            before = said["state"]
            assert next(read) == ""


def test_streams_end_when_the_engine_stops(own: Served) -> None:
    with own.http.stream("GET", "/ofrep/v1/events") as stream:
        read = stream.iter_lines()
        next(read)
        assert own.stop() == 0
        assert [line for line in read if line.startswith("event")] == []  # it ends, and in good order
    assert "Traceback" not in own.printed


def test_reads_go_on_while_the_database_is_locked_or_gone(own: Served) -> None:
    known(own, "fraud", switched(own, "fraud", "throttle", share=0.3))
    before = [evaluated(own, "fraud.serve", {"targetingKey": str(n)})["value"] for n in range(50)]
    database = own.directory / ".gov" / "governance.db"
    with locked(own.directory):
        assert [evaluated(own, "fraud.serve", {"targetingKey": str(n)})["value"] for n in range(50)] == before
    aside = database.rename(database.with_suffix(".aside"))
    own.until(lambda: "cannot be watched" in own.printed)
    assert [evaluated(own, "fraud.serve", {"targetingKey": str(n)})["value"] for n in range(50)] == before
    assert bulk(own).status_code == 200
    aside.rename(database)
    seq = switched(own, "fraud", "stopped")
    known(own, "fraud", seq)
    assert evaluated(own, "fraud.serve", {"targetingKey": "1"})["value"] is False


def test_who_holds_which_state_is_taken(engine: Served) -> None:
    body = {"instance": "pod-1", "seq": 3, "models": ["loans", "unknown"]}
    answer = engine.http.post("/v1/confirmations", json=body)
    assert answer.status_code == 200
    assert answer.json().keys() == {"seq"}
    wrong = [{"instance": ""}, {"instance": "a\nb"}, {"seq": -1}, {"seq": "3"}, {"models": "loans"}, {"x": 1}]
    assert {engine.http.post("/v1/confirmations", json={**body, **each}).status_code for each in wrong} == {422}


def test_the_description_of_the_api_has_these_routes(engine: Served) -> None:
    paths = engine.http.get("/v1/openapi.json").json()["paths"]
    assert paths[FLAGS].keys() == paths[FLAGS + "/{key}"].keys() == {"post"}
    assert paths["/ofrep/v1/events"].keys() == {"get"}
