"""Slack over HTTP: the route of our API, who is refused there, and the links of accounts through the API."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from bolt.conftest import tokens
from bolt.web import Web
from interfaces.inside import CARDS, Inside, inside
from slack_sdk.signature import SignatureVerifier

from governance.actions.slack import SlackConfig
from governance.api.app import app
from governance.api.server import address, listening, server_of
from governance.api.server import place as bound
from governance.cli import slack_app
from governance.errors import Denied
from governance.slack.app import Inbound

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105
ORG = CARDS["org.yaml"].replace("ana: {email: ana@example.com}", "ana: {email: ana@example.com, slack: U0ANA}")


class Place:
    """The app, the workspace, and requests as Slack signs them."""

    def __init__(self, directory: Path) -> None:
        self.web = Web()
        self.inside: Inside = inside(directory, {**CARDS, "org.yaml": ORG})
        config = SlackConfig(channel="#m", mode="http", address=self.web.address)
        self.inbound = Inbound(self.inside.engine, config)
        service = replace(self.inside.service, slack=SimpleNamespace(connections={"s": self}))
        self.inside.client._app = app(self.inside.engine, service)

    def post(self, body: str, *, at: float, secret: str = SECRET) -> Any:
        """Send a request, signed at a time."""
        stamp = str(int(at))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
        headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.inside.client.post("/slack/events", content=body, headers=headers)

    def typed(self, text: str, user: str = "U0ANA") -> str:
        """Return a command."""
        said = {"command": "/gov", "text": text, "user_id": user, "user_name": "bobby", "trigger_id": str(time.time())}
        return urlencode({**said, "response_url": f"{self.web.address}respond", "channel_id": "C1"})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place of its own, whose engine has the time of the machine, as signatures have."""
    tokens(monkeypatch)
    made = Place(tmp_path)
    made.inside.clock.time = made.inside.clock.time.fromtimestamp(time.time(), made.inside.clock.time.tzinfo)
    yield made
    made.inbound.stop()
    made.web.close()


def test_slack_is_answered_by_its_signature_and_needs_no_token(place: Place) -> None:
    place.inside.token("ana")  # from now on everybody else needs one
    answer = place.post(place.typed("incidents"), at=time.time())
    assert (answer.status_code, answer.text) == (200, "")
    place.web.wait("respond", "No incident is open.")
    body = json.dumps({"type": "url_verification", "challenge": "c1"})
    assert "c1" in place.post(body, at=time.time()).text
    assert place.inside.client.get("/v1/incidents").status_code == 401


def test_what_is_forged_or_old_is_refused_and_stands_in_the_log(place: Place) -> None:
    body, now = place.typed("incidents"), time.time()
    assert place.post(body, at=now, secret="guessed").status_code == 401  # noqa: S106
    assert place.post(body, at=now - 301).status_code == 401
    assert place.inside.client.post("/slack/events", content=body).status_code == 401
    place.inside.service.doors.refusals.flush(place.inside.clock.now(), whole=True)
    refused = place.inside.log("login.refused")
    reasons = {reason: count for each in refused for reason, count in each["reasons"].items()}
    assert reasons == {"wrong slack signature": 1, "old slack signature": 1, "no slack signature": 1}
    assert place.web.calls == []
    assert {place.post(body, at=now - 999).status_code for _ in range(30)} == {401, 429}


def test_a_code_is_confirmed_through_the_api_with_the_token_of_the_person(place: Place) -> None:
    ask = place.inside
    bob, eve = ask.token("bob"), ask.token("vic", scopes=["read"])
    place.post(place.typed("incidents", "U0BOB"), at=time.time())
    found = re.search(r"gov slack link (\S{9})", place.web.wait("views.open").text)
    assert found is not None
    told = ask.as_(bob, "POST", "/v1/slack/links", json={"code": found[1], "confirm": False}).json()
    assert (told["user"], told["name"], told["person"]) == ("U0BOB", "bobby", "")
    assert ask.as_(eve, "POST", "/v1/slack/links", json={"code": found[1]}).status_code == 403
    made = ask.as_(bob, "POST", "/v1/slack/links", json={"code": found[1]})
    assert (made.status_code, made.json()["person"]) == (200, "bob")
    place.web.wait("respond", "You are bob here from now on.")
    place.web.wait("respond", "No incident is open.")
    assert ask.as_(bob, "POST", "/v1/slack/links", json={"code": found[1]}).status_code == 404
    assert [each["user"] for each in ask.as_(bob, "GET", "/v1/slack/links").json()["items"]] == ["U0BOB"]
    assert ask.as_(eve, "DELETE", "/v1/slack/links/U0BOB").status_code == 403
    assert ask.as_(bob, "DELETE", "/v1/slack/links/U0BOB").json()["entry"] > 0
    assert ask.as_(bob, "GET", "/v1/slack/links").json()["items"] == []


def test_without_a_notifier_over_http_there_is_nobody_who_listens(place: Place) -> None:
    place.inbound.config = place.inbound.config.model_copy(update={"mode": "socket"})
    assert place.post(place.typed("status"), at=time.time()).status_code == 404


def test_gov_slack_link_asks_whether_the_account_is_yours_and_links_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOV_TOKEN", place.inside.token("bob"))
    place.post(place.typed("incidents", "U0BOB"), at=time.time())
    code = re.findall(r"gov slack link (\S{9})", place.web.wait("views.open").text)[0]
    with listening(bound("127.0.0.1", 0)) as listener:
        server = server_of(place.inside.client._app, lambda: None)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        url = f"http://{address(listener)}"
        monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))  # no terminal, where nobody can be asked
        with pytest.raises(Denied, match=r"account bobby \(U0BOB\) with you; if it is yours, say so with --yes"):
            slack_app.link(code, url=url)
        assert slack_app.link(code, yes=True, url=url) == 0
        assert slack_app.links(url=url) == 0
        assert slack_app.unlink("U0BOB", url=url) == 0
        server.should_exit = True
        thread.join(20)
    said = capsys.readouterr().out
    assert "the Slack account U0BOB is bob from now on (entry " in said
    assert "the Slack account U0BOB is nobody's from now on; it was bob (entry " in said
