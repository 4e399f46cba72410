"""What every notifier must do: one key for all attempts, a reason for every failure, the message as documented."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from governance import plugins
from governance.actions.console import Console
from governance.actions.webhook import Webhook
from governance.bootstrap import engine as built_engine
from governance.core.effect import FIRST_RETRY, MAX_ATTEMPTS, Effect, Message
from governance.core.organisation import Plugin
from governance.engine.dispatch import dispatch
from governance.engine.parts import Engine
from governance.errors import InvalidDocument
from governance.ports import folds
from governance.settings import Settings
from governance.store import decision_log, effects

AT = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
MESSAGE = Message(
    7,
    "loan-risk",
    "critical",
    "triggered",
    "income is missing in 0.4 of the predictions",
    "first",
    ("income is missing in 0.4 of the predictions", "grade is missing in 0.3 of the predictions"),
    ("run runbook roll-back",),
    AT,
)
EFFECT = Effect("7-1-hook", 7, 1, "hook", MESSAGE, next_at=AT)


@dataclass
class Receiver:
    """A real HTTP server that keeps what it was sent and answers with the codes of `script`, then 200."""

    script: list[int] = field(default_factory=list)
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append(
                (self.path, {name.lower(): value for name, value in self.headers.items()}, json.loads(text))
            )
            self.send_response(kept.script.pop(0) if kept.script else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept.address = f"http://127.0.0.1:{server.server_port}/hook?team=ml"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def engine(directory: Path, notifiers: str) -> Engine:
    """Build a real engine without models, with one notification due."""
    (directory / "policies").mkdir()
    (directory / "policies" / "org.yaml").write_text(f"kind: org\nnotifiers: {notifiers}\n", encoding="utf-8")
    settings = Settings(home=directory / ".gov", policies=directory / "policies")
    found = built_engine(settings, base=directory)
    with found.database.transaction() as connection:
        effects.add(connection, [EFFECT])
    return found


def delivered(built: Engine) -> list[dict[str, Any]]:
    """Return the bodies of the entries about deliveries."""
    return [
        json.loads(each.content)["body"]
        for each in decision_log.tail(built.database, 100)
        if each.decision.kind.startswith("notification.")
    ]


def test_the_message_that_is_posted(receiver: Receiver) -> None:
    receipt = Webhook(receiver.address).perform(EFFECT)
    assert (receipt.delivered, receipt.detail) == (True, "HTTP 200")
    path, headers, body = receiver.got[0]
    assert path == "/hook?team=ml"
    assert headers["content-type"] == "application/json"
    assert headers["idempotency-key"] == "7-1-hook"
    assert body == {
        "key": "7-1-hook",
        "incident": 7,
        "model": "loan-risk",
        "severity": "critical",
        "status": "triggered",
        "title": "income is missing in 0.4 of the predictions",
        "reason": "first",
        "findings": ["income is missing in 0.4 of the predictions", "grade is missing in 0.3 of the predictions"],
        "proposals": ["run runbook roll-back"],
        "at": "2026-01-05T12:30:00+00:00",
        "also": [],
    }


def test_a_failure_is_tried_again_with_the_same_key_and_delivered_once(receiver: Receiver, tmp_path: Path) -> None:
    receiver.script = [500, 503]
    built = engine(tmp_path, f"{{hook: {{kind: webhook, address: '{receiver.address}'}}}}")
    first = dispatch(built, AT)
    assert [(each.state, each.attempts, each.receipt) for each in first] == [("due", 1, "HTTP 500")]
    assert delivered(built) == []
    too_early = AT + FIRST_RETRY - timedelta(seconds=1)
    assert dispatch(built, too_early) == []
    second = AT + FIRST_RETRY
    assert [each.receipt for each in dispatch(built, second)] == ["HTTP 503"]
    assert dispatch(built, second + FIRST_RETRY) == [], "the second wait is longer than the first"
    third = dispatch(built, second + 2 * FIRST_RETRY)
    assert [(each.state, each.attempts, each.receipt) for each in third] == [("sent", 3, "HTTP 200")]
    assert dispatch(built, AT + timedelta(days=1)) == []
    assert [headers["idempotency-key"] for _, headers, _ in receiver.got] == ["7-1-hook"] * 3
    assert [body for _, _, body in receiver.got] == [receiver.got[0][2]] * 3
    assert delivered(built) == [{"reason": "first", "receipt": "HTTP 200", "attempts": 3, "key": "7-1-hook"}]
    built.database.close()


def test_nobody_listens(tmp_path: Path) -> None:
    built = engine(tmp_path, f"{{hook: {{kind: webhook, address: 'http://127.0.0.1:{closed_port()}/'}}}}")
    at, found = AT, []
    for _ in range(MAX_ATTEMPTS):
        found += dispatch(built, at)
        at += timedelta(hours=1)
    assert [each.state for each in found] == ["due"] * (MAX_ATTEMPTS - 1) + ["failed"]
    assert "refused" in found[-1].receipt.lower()
    assert [each["attempts"] for each in delivered(built)] == [MAX_ATTEMPTS]
    assert dispatch(built, at) == [], "a delivery that was given up stays so"
    built.database.close()


@pytest.mark.parametrize("code", [302, 404, 429])
def test_only_success_is_delivered(code: int, receiver: Receiver) -> None:
    receiver.script = [code]
    receipt = Webhook(receiver.address).perform(EFFECT)
    assert (receipt.delivered, receipt.detail) == (False, f"HTTP {code}")


def test_one_notifier_that_fails_keeps_no_other_from_its_delivery(receiver: Receiver, tmp_path: Path) -> None:
    dead = f"http://127.0.0.1:{closed_port()}/"
    built = engine(
        tmp_path,
        f"{{hook: {{kind: webhook, address: '{dead}'}}, ok: {{kind: webhook, address: '{receiver.address}'}}}}",
    )
    with built.database.transaction() as connection:
        effects.add(connection, [replace(EFFECT, key="7-1-ok", notifier="ok")])
    done = dispatch(built, AT)
    assert {each.notifier: each.state for each in done} == {"hook": "due", "ok": "sent"}
    built.database.close()


def test_an_address_that_is_no_address(tmp_path: Path) -> None:
    built = engine(tmp_path, "{hook: {kind: webhook, address: 'alerts.example.com/hook'}}")
    (tried,) = dispatch(built, AT)
    assert tried.state == "due"
    assert "http" in tried.receipt
    built.database.close()


def test_the_address_from_the_environment(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plugin = Plugin.model_validate({"kind": "webhook", "address_env": "TEAM_HOOK"})
    monkeypatch.setenv("TEAM_HOOK", receiver.address)
    assert plugins.built(plugins.ACTIONS, "hook", plugin, directory=tmp_path).perform(EFFECT).delivered
    monkeypatch.delenv("TEAM_HOOK")
    receipt = plugins.built(plugins.ACTIONS, "hook", plugin, directory=tmp_path).perform(EFFECT)
    assert not receipt.delivered
    assert "not set" in receipt.detail
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    ("settings", "where", "said"),
    [
        ("{kind: email, host: h, sender: nobody}", "2:50", "'nobody' is no e-mail address"),
        ("{kind: email, host: h, sender: a@b, to: [c@d, e]}", "2:65", "'e' is no e-mail address"),
        ("{kind: email, host: h, sender: a@b, port: 0}", "2:61", "greater than or equal to 1"),
        ("{kind: pagerduty}", "2:13", "give `routing_key_env`"),
        ("{kind: alertmanager, address: 'http://a', every: 0s}", "2:68", "once a second at most"),
        ("{kind: apprise, address: 'ntfy://topic'}", "2:44", "Extra inputs"),
    ],
)
def test_settings_that_are_wrong_are_shown_where_they_are(settings: str, where: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument) as refused:
        engine(tmp_path, f"{{hook: {settings}}}")
    assert f"org.yaml:{where}: error[wrong-plugin]" in str(refused.value)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("{kind: webhook, address: 'http://a', address_env: HOOK}", "give either `address` or `address_env`"),
        ("{kind: webhook}", "give either `address` or `address_env`"),
        ("{kind: webhok, address: 'http://a'}", "no kind 'webhok'"),
        ("{kind: carrier-pigeon}", "known: alertmanager, apprise, console, email, pagerduty, slack, webhook"),
        ("{kind: webhook, adress: 'http://a'}", "adress"),
        ("{kind: console, colour: red}", "error[wrong-plugin]: Extra inputs"),
    ],
    ids=["both", "neither", "misspelt", "unknown", "unknown setting", "console takes none"],
)
def test_settings_that_are_wrong(settings: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument) as refused:
        engine(tmp_path, f"{{hook: {settings}}}")
    assert said in str(refused.value)
    assert "hook" in str(refused.value)


def test_the_console_prints_what_happened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    built = engine(tmp_path, "{hook: {kind: console}}")
    (done,) = dispatch(built, AT)
    assert (done.state, done.attempts) == ("sent", 1)
    assert dispatch(built, AT + timedelta(days=1)) == []
    head, *rest = capsys.readouterr().out.splitlines()
    assert head == (
        "2026-01-05 12:30Z  ▲ critical  INC-7 loan-risk opened: income is missing in 0.4 of the predictions"
    )
    assert [each.strip() for each in rest] == [
        "- grade is missing in 0.3 of the predictions",
        "→ run runbook roll-back",
    ]
    built.database.close()


@pytest.mark.parametrize(
    ("kind", "how"),
    [("alertmanager", "never"), ("pagerduty", "never"), ("webhook", "never"), ("email", "all"), ("apprise", "all")],
)
def test_programs_hear_of_each_incident_where_people_get_one_message_for_many(kind: str, how: str) -> None:
    assert folds(plugins.kinds(plugins.ACTIONS)[kind].load()) == how


def test_the_console_says_how_many_more() -> None:
    stream = io.StringIO()
    Console(stream).perform(replace(EFFECT, message=replace(MESSAGE, findings=tuple(f"finding {n}" for n in range(9)))))
    lines = stream.getvalue().splitlines()
    assert sum("finding" in each for each in lines) == 4
    assert "and 4 more" in lines[-2]


def test_the_console_commands_no_terminal() -> None:
    stream = io.StringIO()
    hostile = "the version \x1b[2J\x1b]0;owned\x07 answers"
    message = replace(MESSAGE, title=hostile, findings=(hostile, hostile), proposals=(hostile,))
    Console(stream).perform(replace(EFFECT, message=message))
    assert "\x1b" not in stream.getvalue()
    assert "\x07" not in stream.getvalue()
