"""What org.yaml names is asked where it is, and nowhere else: by no redirect, by no name for this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from governance import plugins
from governance.actions.webhook import Webhook, WebhookConfig
from governance.bootstrap import engine as built_engine
from governance.core.effect import Effect, Message
from governance.core.metric import Query
from governance.core.organisation import Plugin
from governance.engine.cycle import run_cycle
from governance.outbound import Forbidden, Outbound
from governance.settings import Settings
from governance.store import decision_log

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
QUERIES = {
    "http": Query("s", text="/x", extract="body.value"),
    "prometheus": Query("s", text="up"),
    "mlflow": Query("s", text="m/1"),
}
EFFECT = Effect(
    "7-1-hook", 7, 1, "hook", Message(7, "m", "critical", "triggered", "t", "first", (), (), AT), next_at=AT
)


@dataclass
class Seen:
    """A real server that says where else to ask, or answers, and keeps what it was asked."""

    port: int = 0
    target: str = ""
    hosts: list[str] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Seen]:
    seen = Seen()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.hosts.append(self.headers["Host"])
            seen.paths.append(self.path)
            self.send_response(307 if seen.target else 200)
            if seen.target:
                self.send_header("Location", seen.target)
            body = json.dumps({"value": 1}).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 (the name that the server calls)

        def log_message(self, *_: object) -> None:
            return

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    seen.port = made.server_port
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield seen
    made.shutdown()
    thread.join()
    made.server_close()


def names(monkeypatch: pytest.MonkeyPatch, **known: Sequence[str]) -> list[str]:
    """Have the machine know these names (`_` for each dot), the last answer for ever; return what was looked up."""
    real, asked = socket.getaddrinfo, list[str]()
    answers = {name.replace("_", "."): list(found) for name, found in known.items()}

    def looked_up(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        text = host.decode() if isinstance(host, bytes) else host
        if text not in answers:
            return real(host, port, *more, **named)
        asked.append(text)
        found = answers[text]
        address = found.pop(0) if len(found) > 1 else found[0]
        return [each for part in address.split() for each in real(part, port, *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return asked


def sampled(kind: str, directory: Path, **settings: Any) -> str:
    """Return the failure of a source's answer to a question, "" when it answered."""
    source = plugins.built(
        "governance.sources", "s", Plugin.model_validate({"kind": kind, **settings}), directory=directory
    )
    return source.sample([QUERIES[kind]], at=datetime.now(UTC))[QUERIES[kind]].failure or ""


def posted(address: str, **more: Any) -> str:
    """Return the detail of a notification's receipt."""
    return Webhook.configured(WebhookConfig(address=address, **more), Path()).perform(EFFECT).detail


@pytest.mark.parametrize("kind", [*QUERIES, "webhook"])
@pytest.mark.parametrize(
    "place", ["http://127.0.0.1:{port}/secret", "http://169.254.169.254/latest", "file:///etc/passwd"]
)
def test_no_redirect_is_followed(server: Seen, tmp_path: Path, kind: str, place: str) -> None:
    server.target = place.format(port=server.port)
    address = f"http://127.0.0.1:{server.port}"
    said = posted(address) if kind == "webhook" else sampled(kind, tmp_path, address=address)
    assert "redirects are not followed" in said
    assert len(server.paths) == 1
    assert "/secret" not in server.paths


@pytest.mark.parametrize("kind", [*QUERIES, "webhook"])
@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1", "this machine: write `localhost`"), ("93.184.216.34 127.0.0.1", "this machine"),
     ("169.254.169.254", "keep their credentials"), ("0.0.0.0", "no address of a server")],  # noqa: S104
)  # fmt: skip
def test_a_name_that_means_what_it_must_not_is_not_asked(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, address: str, said: str
) -> None:
    names(monkeypatch, evil_example=[address])
    url = f"http://evil.example:{server.port}"
    found = posted(url) if kind == "webhook" else sampled(kind, tmp_path, address=url)
    assert "evil.example is " in found
    assert said in found
    assert not server.paths


@pytest.mark.parametrize("kind", ["http", "webhook"])
def test_this_machine_is_asked_by_a_name_of_its_own_when_the_document_says_so(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    names(monkeypatch, metrics_example=["127.0.0.1"])
    url = f"http://metrics.example:{server.port}"
    if kind == "webhook":
        assert posted(url, loopback=True) == "HTTP 200"
    else:
        assert sampled(kind, tmp_path, address=url, loopback=True) == ""
    assert server.hosts == [f"metrics.example:{server.port}"], "the server hears the name that was written"


@pytest.mark.parametrize("kind", ["http", "webhook"])
def test_localhost_is_this_machine(server: Seen, tmp_path: Path, kind: str) -> None:
    url = f"http://localhost:{server.port}"
    assert (posted(url) if kind == "webhook" else sampled(kind, tmp_path, address=url)) in ("", "HTTP 200")


@pytest.mark.parametrize("kind", ["http", "webhook"])
def test_a_name_is_looked_up_once_so_that_it_cannot_mean_something_else_when_connecting(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    asked = names(monkeypatch, rebound_example=["203.0.113.9", "127.0.0.1"])
    dialled: list[Any] = []

    def connected(address: Any, *_: Any, **__: Any) -> Any:
        dialled.append(address[0])
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(socket, "create_connection", connected)
    url = f"http://rebound.example:{server.port}"
    found = posted(url) if kind == "webhook" else sampled(kind, tmp_path, address=url)
    assert "nobody listens" in found
    assert (asked, dialled) == (["rebound.example"], ["203.0.113.9"])
    assert not server.paths


def test_the_next_address_is_taken_when_one_does_not_answer(
    server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names(monkeypatch, two_example=["127.0.0.2 127.0.0.1"])
    url = f"http://two.example:{server.port}"
    assert sampled("http", tmp_path, address=url, loopback=True) == ""
    assert posted(url, loopback=True) == "HTTP 200"


def test_a_resolver_that_is_given_is_asked() -> None:
    outbound = Outbound(resolve=lambda _, port: ["10.0.0.7", "169.254.169.254"] if port == 80 else ["10.0.0.7"])
    assert outbound.addresses("a.example", 81) == ["10.0.0.7"]
    with pytest.raises(Forbidden, match=r"a\.example is 169\.254\.169\.254"):
        outbound.addresses("a.example", 80)


def test_a_refusal_is_an_incident_and_an_entry(server: Seen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, evil_example=["169.254.169.254"])
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "org.yaml").write_text(
        f"kind: org\nsources: {{s: {{kind: http, address: 'http://evil.example:{server.port}'}}}}\n", encoding="utf-8"
    )
    card = (
        "kind: card\nmodel: m\nowners: {team: t}\nmetrics: {x: {source: s, query: /x, extract: body.value}}\n"
        "rules: [{rule: high, when: metrics.x > 1}]\n"
    )
    (tmp_path / "policies" / "m.yaml").write_text(card, encoding="utf-8")
    engine = built_engine(Settings(home=tmp_path / ".gov", policies=tmp_path / "policies"), base=tmp_path)
    run_cycle(engine, datetime.now(UTC).replace(second=0, microsecond=0))
    entries = [each.decision.body for each in decision_log.tail(engine.database, 100, "incident.opened")]
    assert any("evil.example is 169.254.169.254" in json.dumps(dict(each), default=str) for each in entries)
    engine.database.close()
