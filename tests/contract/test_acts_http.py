"""Requests to any server: which hosts may be asked, how an answer is judged, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from contract.acts.world import Reply, World, world

from governance.actions.http import Http, HttpConfig
from governance.core.performance import Outcome, Request

AT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[World]:
    with world() as found:
        yield found


def asked(server: World, config: dict[str, object] | None = None, **with_: object) -> Outcome:
    host = server.address.removeprefix("http://")
    system = Http(HttpConfig.model_validate({"hosts": [host], "timeout": "20s", **(config or {})}))
    return system.perform(Request("RUN-1/job/1", "http.request", {"url": f"{server.address}/job", **with_}, AT))


@pytest.mark.parametrize(
    ("method", "status", "headers", "state", "again"),
    [
        ("POST", 204, {}, "done", True),
        ("POST", 302, {"Location": "/in"}, "unknown", True),  # many answer so after they have taken it
        ("POST", 308, {"Location": "/in"}, "failed", False),
        ("POST", 400, {}, "failed", False),
        ("POST", 409, {}, "failed", True),
        ("POST", 500, {}, "unknown", True),
        ("POST", 501, {}, "failed", False),
        ("POST", 503, {}, "unknown", True),
        ("POST", 503, {"Retry-After": "90"}, "failed", True),
        ("GET", 404, {}, "failed", True),
        ("GET", 401, {}, "failed", False),
        ("GET", 500, {}, "failed", True),
        ("GET", 302, {"Location": "/in"}, "failed", False),
    ],
)
def test_a_status_is_judged_by_what_it_says_of_the_effect(server, method, status, headers, state, again) -> None:
    server.told = lambda _: Reply(status, headers=headers)
    found = asked(server, method=method)
    assert (found.state, found.again) == (state, again)
    assert found.wait == (timedelta(seconds=90) if "Retry-After" in headers else None)
    assert [each.path for each in server.got] == ["/job"], "no redirect is followed"


def test_the_key_is_in_the_header_and_where_the_body_asks_for_it(server) -> None:
    assert asked(server, json={"id": "$key", "of": [{"run": "$key!"}], "n": 3}).state == "done"
    (got,) = server.got
    assert got.key == "RUN-1/job/1"
    assert got.json == {"id": "RUN-1/job/1", "of": [{"run": "RUN-1/job/1!"}], "n": 3}
    assert asked(server, url=f"{server.address}/jobs/$key?k=$key").state == "done"
    assert (server.got[1].path, server.got[1].query) == ("/jobs/RUN-1/job/1", {"k": "RUN-1/job/1"})


def test_outputs_are_found_by_pointer_and_what_is_lacking_is_said(server) -> None:
    server.told = lambda _: Reply(201, {"a/b": [{"n": 4}], "t": "x" * 9000})
    found = asked(server, outputs={"n": "/a~1b/0/n", "m": "/a~1b/1", "long": "/t"})
    assert dict(found.outputs) == {"status": 201, "n": 4}
    assert found.detail == "HTTP 201; the answer has no m (/a~1b/1), long (/t), or one that is too long"


def test_credentials_are_headers_from_the_environment_and_never_come_back(server, monkeypatch) -> None:
    monkeypatch.setenv("JOBS_TOKEN", "token-7f3a")
    monkeypatch.setenv("JOBS_KEY", "key-91bc")
    server.told = lambda each: Reply(200, {"you": [dict(each.headers)]})
    secrets = {"token_env": "JOBS_TOKEN", "headers_env": {"X-Api-Key": "JOBS_KEY"}}
    found = asked(server, secrets, outputs={"all": "/you"})
    assert server.got[0].headers["authorization"] == "Bearer token-7f3a"
    assert server.got[0].headers["x-api-key"] == "key-91bc"
    assert "token-7f3a" not in repr(found)
    assert "key-91bc" not in repr(found)


@pytest.mark.parametrize(
    ("hosts", "url", "said"),
    [
        ([], "https://example.org/x", "is not in `hosts` of this system in org.yaml; it allows none"),
        (["example.org"], "https://example.org:8443/x", "example.org:8443 is not in `hosts`"),
        (["example.org:8443"], "https://example.org/x", "it allows example.org:8443"),
        (["169.254.169.254"], "http://169.254.169.254/latest/meta-data", "where machines keep their credentials"),
        (["0.0.0.0:80"], "http://0.0.0.0/x", "which is no address of a server"),
    ],
)  # fmt: skip
def test_only_what_is_allowed_is_asked_and_never_where_credentials_are_kept(hosts, url, said) -> None:
    system = Http(HttpConfig(hosts=hosts))
    request = Request("k", "http.request", {"url": url}, AT)
    for found in (system.perform(request), system.dry_run(request)):
        assert (found.state, found.again) == ("failed", False)
        assert said in found.detail


def test_servers_that_drop_repeats_are_asked_again() -> None:
    assert frozenset() == Http(HttpConfig()).REPEATS
    assert {"request"} == Http(HttpConfig(idempotent=True)).REPEATS


def test_a_probe_is_what_a_dry_run_asks(server) -> None:
    host = server.address.removeprefix("http://")
    system = Http(HttpConfig(hosts=(host,)))
    request = Request("k", "http.request", {"url": f"{server.address}/job", "probe": f"{server.address}/health"}, AT)
    assert system.dry_run(request).detail == f"GET {server.address}/health answers HTTP 200; POST would be sent"
    server.told = lambda _: Reply(503)
    assert system.dry_run(request).state == "failed"
    assert {(each.method, each.path) for each in server.got} == {("GET", "/health")}


def test_what_goes_out_through_a_proxy_is_asked_there(server, monkeypatch) -> None:
    monkeypatch.setenv("http_proxy", server.address)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    found = asked(server, {"hosts": ["jobs.example.org"]}, url="http://jobs.example.org/job?x=1")
    assert found.state == "done", found
    (got,) = server.got
    assert (got.path, got.query, got.headers["host"]) == ("/job", {"x": "1"}, "jobs.example.org")
