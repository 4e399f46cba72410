"""What CEL finds in JSON, and what paths and settings are refused."""

from datetime import UTC, datetime, timedelta

import pytest
from contract.sources.fault_server import FaultServer
from pydantic import ValidationError

from governance.core.metric import Query, labels
from governance.sources.http import Http, HttpConfig

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)
NUMBER = "body.auc"


@pytest.fixture
def server():
    made = FaultServer()
    made.told["/told"] = {"auc": 0.75}
    yield made
    made.close()


def ask(server, extract, *, text="told", at=NOON, now=NOON, offset=timedelta(0), **more):
    source = Http(HttpConfig(**{"address": server.address, **more}), now=lambda: now)
    query = Query("s", text=text, extract=extract, offset=offset)
    return source.sample([query], at=at)[query]


def told(server, body, extract, **more):
    server.told["/told"] = body
    return ask(server, extract, **more)


@pytest.mark.parametrize(
    ("body", "extract", "value"),
    [
        ({"auc": 0.75}, "body.auc", 0.75),
        ({"n": 3}, "body.n", 3.0),
        (7, "body", 7.0),
        ({"a": [{"b": 1}, {"b": 2}]}, "body.a[1].b * 10", 20.0),
        ({"m": {"flight-delay": 5}}, "body.m['flight-delay']", 5.0),
        ({"at": "2024-03-10T11:00:00Z"}, "seconds(now - timestamp(body.at))", 3600.0),
    ],
)
def test_a_number(server, body, extract, value):
    (sample,) = told(server, body, extract).samples
    assert (sample.value, sample.time, sample.labels) == (value, NOON, ())


@pytest.mark.parametrize(
    ("time", "instant"),
    [
        ("2024-03-10T11:30:00Z", NOON - timedelta(minutes=30)),
        ("2024-03-10T13:30:00+02:00", NOON - timedelta(minutes=30)),
        (NOON.timestamp() - 60, NOON - timedelta(minutes=1)),
        (int(NOON.timestamp()), NOON),
    ],
)
def test_samples_with_times_of_their_own(server, time, instant):
    body = [{"value": 1, "labels": {"origin": "JFK", "seat": 4}, "time": time}]
    (sample,) = told(server, body, "body").samples
    assert (sample.value, sample.time, sample.labels) == (1.0, instant, labels(origin="JFK", seat="4"))


def test_a_timestamp_of_cel(server):
    extract = "[{'value': 1.5, 'time': timestamp(body.at) - duration('1h')}]"
    (sample,) = told(server, {"at": "2024-03-10T11:00:00Z"}, extract).samples
    assert sample.time == NOON - timedelta(hours=2)


def test_a_null_is_no_data(server):
    (sample,) = told(server, [{"value": None, "labels": {"origin": "JFK"}}], "body").samples
    assert (sample.value, sample.reason, sample.labels) == (None, "no_data", labels(origin="JFK"))


@pytest.mark.parametrize(
    ("body", "extract", "sentence"),
    [
        ({"a": {}}, "body.a.b", "extract 'body.a.b' finds nothing in the answer: no field 'b'"),
        ({"a": None}, "body.a", "no field 'a'"),
        ({"a": True}, "body.a", "not True"),
        ({"a": "0.75"}, "body.a", "not '0.75'"),
        ({"a": 1}, "body", "extract must give a number"),
        ([1, 2], "body", "an item of its list is 1"),
        ([{"value": 1, "label": {}}], "body", "an item of its list is"),
        ([{"value": False}], "body", "not False"),
        ([{"value": 1, "labels": ["a"]}], "body", "`labels` must be a map"),
        ([{"value": 1, "labels": {"a": {}}}], "body", "a label must be a text"),
        ([{"value": 1, "time": "yesterday"}], "body", "not 'yesterday'"),
        ([{"value": 1, "time": "2024-03-10T11:00:00"}], "body", "with its zone"),
        ([{"value": 1, "time": 1e300}], "body", "seconds since 1970"),
        ([{"value": 1, "time": True}], "body", "seconds since 1970"),
        ([{"value": 1, "time": "2024-03-10T12:02:00Z"}], "body", "later than was asked"),
        ({"a": 1}, "bdy.a", "bdy"),
        ({"a": 1}, "", "needs `extract`"),
        (b"[" * 100_000, "body", "is no JSON"),
        (b"1" * 10_000, "body", "is no JSON"),
        (b"\xff\xfe\x00", "body", "is no JSON"),
        (b"", "body", "is no JSON: nothing"),
        ((302, {}), "body", "HTTP 302"),
    ],
)
def test_what_is_no_answer_says_why(server, body, extract, sentence):
    answer = told(server, body, extract)
    assert sentence in answer.failure
    assert not answer.samples
    assert len(answer.failure) < 400


def test_an_integer_beyond_doubles_is_no_value(server):
    (sample,) = told(server, {"a": 10**400}, "body.a").samples
    assert (sample.value, sample.reason) == (None, "no_data")


def test_an_answer_too_large_to_take(server, monkeypatch):
    monkeypatch.setattr("governance.sources.remote.exchange.LARGEST", 1 << 20)
    assert "is larger than 1 MiB" in told(server, b" " * ((1 << 20) + 1), "body").failure


def test_only_the_present(server):
    assert ask(server, NUMBER, at=NOON, now=NOON + timedelta(minutes=5)).samples
    assert "answers only for the present" in ask(server, NUMBER, now=NOON + timedelta(minutes=6)).failure
    assert "answers only for the present" in ask(server, NUMBER, offset=timedelta(hours=1)).failure


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("told", "/base/told"),
        ("/told?a=1&b=2", "/base/told"),
        ("two words", "/base/two%20words"),
        ("told#part", "/base/told"),
        ("a/./b..c", "/base/a/./b..c"),
    ],
)
def test_paths_lie_below_the_address(server, text, path):
    server.told[path] = {"auc": 1}
    assert ask(server, NUMBER, text=text, address=f"{server.address}/base/").samples
    assert server.asked[-1].path == path


@pytest.mark.parametrize(
    "text",
    [
        "http://elsewhere/x",
        "//elsewhere/x",
        "\\\\elsewhere",
        "../x",
        "a/../../x",
        "a/%2e%2e/x",
        "%252e%252e/x",
        "",
        "file:x",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(server, text):
    answer = ask(server, NUMBER, text=text)
    assert answer.failure
    assert server.asked == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "give either `address` or `address_env`"),
        ({"address": "http://a", "address_env": "A"}, "give either `address` or `address_env`"),
        ({"address": "http://me:pass@a"}, "a password does not belong here"),
        ({"address": "ftp://a"}, "must begin with http"),
        ({"address": "http://"}, "must begin with http"),
        ({"address": "http://a", "user": "me"}, "go together"),
        ({"address": "http://a", "user": "me", "password_env": "P", "token_env": "T"}, "give either `token_env`"),
        ({"address": "http://a", "timeout": "0s"}, "longer than 0s"),
        ({"address": "http://a", "timeout": 10}, "must be a duration"),
        ({"address": "http://a", "connections": 0}, "greater than or equal to 1"),
        ({"address": "http://a", "headers": {"Authorization": "Bearer x"}}, "is not set here"),
        ({"address": "http://a", "headers": {"X-A": "b\r\nX-C: d"}}, "is no header"),
        ({"address": "http://a", "adress": "x"}, "Extra inputs"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ValidationError, match=sentence) as caught:
        HttpConfig.model_validate(settings)
    assert "me:pass" not in caught.value.errors()[0]["msg"]


def test_a_variable_that_is_not_set(server):
    assert ask(server, NUMBER, token_env="NO_SUCH").failure == "the environment variable NO_SUCH is not set"  # noqa: S106
    assert server.asked == []


def test_an_address_from_the_environment_may_hold_a_password_which_is_never_shown(server, monkeypatch):
    monkeypatch.setenv("ADDRESS", server.address.replace("//", "//me:top%2Fsecret@"))
    (sample,) = ask(server, NUMBER, address="", address_env="ADDRESS").samples
    assert sample.value == 0.75
    assert server.asked[-1].headers["authorization"] == "Basic bWU6dG9wL3NlY3JldA=="
    server.echo = "top/secret top%2Fsecret bWU6dG9wL3NlY3JldA=="
    with server.broken("error"):
        failure = ask(server, NUMBER, address="", address_env="ADDRESS").failure
    assert failure == f"HTTP 503 from {server.address}: overloaded [31m … … …"


def test_a_token_with_a_line_end_is_sent_without_it_and_one_that_cannot_be_sent_is_not_shown(server, monkeypatch):
    monkeypatch.setenv("TOKEN", "some-token\n")
    assert ask(server, NUMBER, token_env="TOKEN").samples  # noqa: S106 (the name of a variable)
    assert server.asked[-1].headers["authorization"] == "Bearer some-token"
    monkeypatch.setenv("TOKEN", "some\ntoken")
    failure = ask(server, NUMBER, token_env="TOKEN").failure  # noqa: S106 (the name of a variable)
    assert failure == "TOKEN holds characters that cannot stand in a token"


def test_no_more_requests_at_once_than_connections(server):
    import threading

    running, most, lock = [0], [0], threading.Lock()

    def slow(_):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.05)
        with lock:
            running[0] -= 1
        return {"auc": 1}

    server.told["/told"] = slow
    source = Http(HttpConfig(address=server.address, connections=2), now=lambda: NOON)
    queries = [Query("s", text=f"told?n={n}", extract=NUMBER) for n in range(8)]
    assert all(answer.samples for answer in source.sample(queries, at=NOON).values())
    assert most[0] == 2


def test_a_slow_server_is_asked_as_long_as_the_engine_waits_and_what_it_said_is_kept(server, monkeypatch):
    import threading

    def slow(_):
        threading.Event().wait(0.1)
        return {"auc": 1}

    monkeypatch.setattr("governance.sources.remote.SECONDS", 0.45)
    server.told["/told"] = slow
    source = Http(HttpConfig(address=server.address, connections=1), now=lambda: NOON)
    queries = [Query("s", text=f"told?n={n}", extract=NUMBER) for n in range(8)]
    answers = list(source.sample(queries, at=NOON).values())
    assert answers[0].samples
    assert {each.failure for each in answers[4:]} == {
        "not asked to its end, as the questions to this server took 0.45s"
    }
    assert len(server.asked) <= 5
    monkeypatch.undo()
    assert all(each.samples for each in source.sample(queries, at=NOON).values())
