"""What people try: each is refused, nothing of it takes effect, and what must be written down is."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from interfaces.inside import CARDS, Inside, inside
from interfaces.serving import Served, ask, prepared, sample

from governance.core.metric import Query
from governance.engine import tokens
from governance.sources.http import Http, HttpConfig
from governance.store import decision_log

INJECTED = "'; DROP TABLE incident; --"


@pytest.fixture
def api(tmp_path: Path) -> Inside:
    return inside(tmp_path / "own")


def sound(api: Inside) -> bool:
    return decision_log.verify(api.engine.database).ok


@pytest.mark.parametrize(
    "model",
    ["..%2ffleet", "%2e%2e", "loans%00", "loans%0d%0aX-Evil:%201", "loans%2f..%2ffraud", "LOANS",
     "%F0%9F%92%A9", "loans;x=1", "a" * 300, "*", "%25", "loans'--"],
)  # fmt: skip
def test_no_trick_with_a_models_name(api: Inside, model: str) -> None:
    bob = api.token("bob")
    for suffix in ("", "/pull"):
        method = "POST" if suffix else "GET"
        answer = api.as_(bob, method, f"/v1/switches/{model}{suffix}", json={"mode": "fallback", "because": "x"})
        assert answer.status_code in (404, 405, 422), answer.text
        assert "x-evil" not in answer.headers
    assert api.log("switch") == []


@pytest.mark.parametrize("path", ["/v1/incidents", "/v1/log", "/v1/alerts"])
@pytest.mark.parametrize("text", [INJECTED, "' OR '1'='1", "loans' --", '" OR ""="', "%", "_oans", "\\", "\x00"])
def test_sql_in_parameters_selects_nothing(api: Inside, path: str, text: str) -> None:
    api.judge(0.9)
    answer = api.client.get(path, params={"model": text})
    assert answer.status_code == 200
    assert answer.json()["items"] == []
    assert api.client.get("/v1/incidents?model=loans").json()["items"]


def test_sql_and_cel_in_labels_and_reasons_are_text(api: Inside, tmp_path: Path) -> None:
    hostile = [
        INJECTED,
        "true || metrics.errors < 0",
        "{metrics.errors}",
        "${7*7}",
        "\u202e\x1b[2J",
        "<script>",
        "a\r\nb",
    ]
    bob = api.token("bob")
    for number, text in enumerate(hostile):
        labels = {"alertname": text, "severity": text, "model": "loans", "x": text}
        alert = {"status": "firing", "labels": labels, "annotations": {"summary": text}, "fingerprint": str(number),
                 "startsAt": "2026-01-31T12:00:00Z"}  # fmt: skip
        api.clock.on(seconds=1)
        assert api.as_(api.token("bob", scopes=["push"]), "POST", "/v1/alertmanager",
                       json={"version": "4", "alerts": [alert]}).status_code == 200  # fmt: skip
        body = {"mode": "shadow", "because": text, "scope": {"labels": {"x": text[:100]}}}
        assert api.as_(bob, "POST", "/v1/switches/loans/pull", json=body).status_code == 200
    api.judge(0.1)
    assert api.client.request("GET", "/v1/fleet").status_code == 401
    findings = api.as_(bob, "GET", "/v1/incidents?model=loans").json()["items"][0]["findings"]
    assert {each["labels"]["x"] for each in findings} >= set(hostile)
    reasons = {each["reason"] for each in api.as_(bob, "GET", "/v1/switches/loans").json()["settings"]}
    assert reasons == set(hostile)
    assert sound(api)


def test_pushed_labels_are_text_to_rules_and_to_the_database(api: Inside) -> None:
    body = {"source": "pushed", "samples": [
        {"model": "loans", "metric": "by_origin", "time": "2026-01-31T12:00:00Z", "value": 0.1,
         "labels": {"origin": INJECTED}}
    ]}  # fmt: skip
    answer = api.client.post("/v1/samples", json=body, headers={"Idempotency-Key": "one"})
    assert answer.json() == {"stored": 1, "replayed": False}
    body["samples"][0]["labels"] = {"origin) or (1": "x"}  # type: ignore[index]
    answer = api.client.post("/v1/samples", json=body, headers={"Idempotency-Key": "two"})
    assert answer.status_code == 422
    api.judge(0.9)
    assert api.client.get("/v1/incidents?model=loans").json()["items"]


@pytest.mark.parametrize("value", ["x\r\nX-Evil: 1", "x\nSet-Cookie: a=b"])
def test_headers_are_not_broken_by_what_is_sent(api: Inside, value: str) -> None:
    bob = api.token("bob")
    answer = api.as_(bob, "POST", "/v1/switches/loans/pull", json={"mode": value, "because": value})
    assert answer.status_code == 422
    answer = api.as_(
        bob,
        "GET",
        f"/v1/incidents?cursor={httpx.QueryParams({'c': value})['c']}".replace("\r", "%0d").replace("\n", "%0a"),
    )
    assert not {"x-evil", "set-cookie"} & set(answer.headers)


def test_every_answer_is_data_that_no_page_may_use(api: Inside) -> None:
    for answer in (api.client.get("/v1/fleet"), api.client.get("/nothing"), api.client.get("/healthz"),
                   api.client.post("/v1/samples", content=b"{")):  # fmt: skip
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
     {"Sec-Fetch-Site": "same-site"},
     {"Origin": "http://127.0.0.1:9999"}, {"Origin": "http://127.0.0.1.evil.example"}],
    ids=str,
)  # fmt: skip
def test_a_page_of_another_site_pulls_nothing_on_an_open_machine(api: Inside, headers: dict[str, str]) -> None:
    for content_type in ("application/json", "text/plain"):
        answer = api.client.post("/v1/silences", content=b"{}", headers={**headers, "Content-Type": content_type})
        assert answer.status_code == 403
        assert "pages of other sites" in answer.json()["detail"]
    assert api.client.request("OPTIONS", "/v1/silences", headers=headers).status_code == 403


def test_a_body_that_is_not_said_to_be_json_is_not_read(api: Inside) -> None:
    body = json.dumps({"because": "x", "until": "2026-01-31T13:00:00Z"}).encode()
    answer = api.client.post("/v1/silences", content=body, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert api.log("silence") == []


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_bodies_that_are_too_large_or_too_deep(api: Inside, headers: dict[str, str]) -> None:
    bob = api.token("bob")

    def chunks() -> Any:
        async def parts() -> Any:
            for _ in range(40):
                yield b" " * 65_536

        return parts()

    path, said = "/v1/switches/loans/pull", {"Content-Type": "application/json", **headers}
    assert api.as_(bob, "POST", path, content=b" " * (2**20 + 1), headers=said).status_code == 413
    assert api.as_(bob, "POST", path, content=chunks(), headers=said).status_code == 413
    deep = b"[" * 100_000
    answer = api.as_(bob, "POST", path, content=deep, headers=said)
    assert answer.status_code in (400, 422), answer.text
    assert api.as_(bob, "GET", "/v1/whoami").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_body_that_drips_is_given_up(api: Inside, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("governance.api.guard.SLOWEST", 0.2)
    bob = api.token("bob")

    async def dripping() -> Any:
        for _ in range(1000):
            yield b" "
            await asyncio.sleep(0.01)

    said = {"Content-Type": "application/json", **headers}
    answer = api.as_(bob, "POST", "/v1/switches/loans/pull", content=dripping(), headers=said)
    assert answer.status_code == 408
    assert api.as_(bob, "GET", "/v1/whoami").status_code == 200


def test_other_peoples_tokens_do_what_these_people_may(api: Inside) -> None:
    api.judge(0.9)
    vic = api.token("vic")
    for path, body in (
        ("/v1/switches/loans/pull", {"mode": "fallback", "because": "x"}),
        ("/v1/switches/loans/break-glass", {"because": "x", "confirm": "loans"}),
        ("/v1/silences", {"because": "x", "until": "2026-01-31T13:00:00Z"}),
        ("/v1/waivers", {"model": "loans", "rule": "errors-high", "because": "x", "until": "2026-02-01T00:00:00Z"}),
    ):
        answer = api.as_(vic, "POST", path, json=body)
        assert answer.status_code == 403, path
        assert "these people may: " in answer.json()["detail"]
    assert {each["kind"] for each in api.as_(vic, "GET", "/v1/log").json()["items"]} >= {"incident.opened"}
    assert api.log("switch") + api.log("silence") + api.log("waiver") == []


def test_a_replayed_pull_without_a_key_meets_the_state_it_made(api: Inside) -> None:
    bob = api.token("bob")
    body = {"mode": "fallback", "because": "x", "expires": "1h"}
    first = api.as_(bob, "POST", "/v1/switches/loans/pull", json=body).json()
    restore = {"because": "x", "seq": first["switch"]["seq"], "confirm": "loans"}
    assert api.as_(bob, "POST", "/v1/switches/loans/restore", json=restore).status_code == 200
    assert api.as_(bob, "POST", "/v1/switches/loans/restore", json=restore).status_code == 409


def test_whoever_left_the_organisation_does_nothing_with_the_token_they_have(tmp_path: Path) -> None:
    home = tmp_path / "own"
    api = inside(home, CARDS)
    secret = api.token("bob")
    api.engine.database.close()
    org = (
        CARDS["org.yaml"]
        .replace(", bob: {email: bob@example.com}", "")
        .replace("  - {role: responder, who: [bob]}\n", "")
    )
    (home / "policies").rename(home / "before")
    again = inside(home, {**CARDS, "org.yaml": org})
    answer = again.as_(secret, "GET", "/v1/fleet")
    assert answer.status_code == 403
    assert "org.yaml does not name them" in answer.json()["detail"]


class Elsewhere(BaseHTTPRequestHandler):
    """Sends everybody to a private address, and notes who came there."""

    seen: list[str]
    target: str

    def do_GET(self) -> None:
        type(self).seen.append(self.path)
        if self.path.startswith("/secret"):
            self.send_response(200)
            self.send_header("Content-Length", "13")
            self.end_headers()
            self.wfile.write(b'{"value": 42}')
            return
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    handler = type("Handler", (Elsewhere,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield server, handler
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "place", ["{own}/secret", "http://localhost:{port}/secret", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_a_source_that_sends_us_elsewhere_is_not_followed(elsewhere: Any, api: Inside, place: str) -> None:
    server, handler = elsewhere
    own = f"http://127.0.0.1:{server.server_port}"
    handler.target = place.format(own=own, port=server.server_port)
    source = Http(HttpConfig(address=own), api.clock.now)
    query = Query("http", text="/metrics/x", extract="body.value")
    answer = source.sample([query], at=api.clock.now())[query]
    assert "redirects are not followed" in answer.failure
    assert handler.seen == ["/metrics/x"]


@pytest.mark.parametrize(
    "text",
    [
        "http://169.254.169.254/latest",
        "//evil.example/x",
        "\\\\evil.example",
        "/../../etc",
        "/%2e%2e/x",
        "/a/%252e%252e/x",
    ],
)
def test_a_query_leads_nowhere_but_below_its_source(elsewhere: Any, api: Inside, text: str) -> None:
    server, handler = elsewhere
    source = Http(HttpConfig(address=f"http://127.0.0.1:{server.server_port}/base"), api.clock.now)
    query = Query("http", text=text, extract="body.value")
    assert source.sample([query], at=api.clock.now())[query].failure
    assert handler.seen == []


def test_the_log_says_nothing_of_secrets_whatever_happens(tmp_path: Path) -> None:
    home = prepared(tmp_path / "own")
    secret = ask(home, "token", "create", "--for", "ana", "--as", "ana").stdout.splitlines()[0]
    served = Served(home)
    try:
        mine = {"Authorization": f"Bearer {secret}"}
        wrong = {"Authorization": f"Bearer {secret[:-2]}xx"}
        assert served.http.get("/v1/whoami", headers=mine).status_code == 200
        assert served.http.get("/v1/whoami", headers=wrong).status_code == 401
        served.http.get(f"/v1/{secret}", headers=mine)
        served.push(sample(0.9))
        served.stop()
    finally:
        served.close()
    printed = served.printed + ask(home, "audit", "tail").stdout + ask(home, "token", "list").stdout
    assert tokens.token_id_of(secret) in printed
    assert secret not in printed
    assert secret[13:-2] not in printed
