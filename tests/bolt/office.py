"""An engine whose people are in Slack, the app that answers them, and requests as Slack signs them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from bolt.web import Web, until
from slack_bolt import BoltResponse
from slack_sdk.signature import SignatureVerifier
from switches.desk import Desk, desk

from governance.actions.slack import SlackConfig
from governance.core.incident import Incident
from governance.slack.app import Inbound
from governance.slack.desk import Follow
from governance.store import incidents
from governance.views import ConfirmationsView

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105
PEOPLE = {
    "ana": {"slack": "U0ANA"},
    "bo": {"slack": "<@U0BO>"},
    "cy": {"slack": "U0CY"},
    "dee": {"slack": "U0DEE"},
    "eve": {"slack": "U0EVE"},
    "flo": {},
}


@dataclass
class Clock:
    """The time, as a test says it is."""

    time: datetime

    def now(self) -> datetime:
        """Return it."""
        return self.time


@dataclass
class Office:
    """The engine, the app and the server."""

    desk: Desk
    web: Web
    inbound: Inbound
    drawn: list[int]
    heard: list[ConfirmationsView]
    complaints: list[str]
    count: Any = field(default_factory=itertools.count)

    def send(
        self, body: str, *, at: datetime | None = None, secret: str = SECRET, headers: Mapping[str, str] | None = None
    ) -> BoltResponse:
        """Send a request over HTTP as Slack does."""
        return self.inbound.handle(body, {**self.headers(body, at=at, secret=secret), **(headers or {})})

    def headers(self, body: str, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
        """Return the headers of a signed request."""
        import time

        stamp = str(int(at.timestamp() if at is not None else time.time()))
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
        return {
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def payload(self, payload: Mapping[str, Any]) -> BoltResponse:
        """Send an interaction."""
        return self.send(urlencode({"payload": json.dumps(payload)}))

    def click(self, user: str, action: str, value: str, **more: Any) -> BoltResponse:
        """Click a button."""
        return self.payload(self.clicked(user, action, value, **more))

    def clicked(self, user: str, action: str, value: str, **more: Any) -> dict[str, Any]:
        """Return what Slack says of a click on a message of ours."""
        number = next(self.count)
        element: dict[str, Any] = {"type": "button", "action_id": action, "value": value, "action_ts": f"{number}.1"}
        if action in ("incident.more", "switch.mode"):
            element = {**element, "type": "overflow", "selected_option": {"value": value}, "value": None}
        return {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "team_id": "T1"},
            "team": {"id": "T1"},
            "trigger_id": f"trigger-{number}",
            "response_url": f"{self.web.address}respond",
            "container": {"type": "message", "message_ts": "1.1", "channel_id": "C1"},
            "channel": {"id": "C1", "name": "ml-incidents"},
            "actions": [element],
            **more,
        }

    def submit(self, user: str, view: Mapping[str, Any], **said: str) -> BoltResponse:
        """Submit a modal of ours, with what was entered beside what was preset."""
        values: dict[str, dict[str, Any]] = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                values[block["block_id"]] = {block["element"]["action_id"]: _entered(block, said)}
        number = next(self.count)
        sent = {**view, "id": "V1", "hash": f"h{number}", "state": {"values": values}}
        return self.payload(
            {
                "type": "view_submission",
                "user": {"id": user, "name": user.lower()},
                "team": {"id": "T1"},
                "trigger_id": f"trigger-{number}",
                "view": sent,
            }
        )

    def type(self, user: str, text: str) -> BoltResponse:
        """Type a command."""
        return self.send(
            urlencode(
                {
                    "command": "/gov",
                    "text": text,
                    "user_id": user,
                    "user_name": user.lower(),
                    "team_id": "T1",
                    "channel_id": "C1",
                    "trigger_id": f"trigger-{next(self.count)}",
                    "response_url": f"{self.web.address}respond",
                }
            )
        )

    def open_home(self, user: str) -> BoltResponse:
        """Look at the home tab."""
        event = {"type": "app_home_opened", "user": user, "tab": "home"}
        body = {"type": "event_callback", "event_id": f"E{next(self.count)}", "event": event, "team_id": "T1"}
        raw = json.dumps(body)
        return self.send(raw, headers={"Content-Type": "application/json"})

    def breach(self, model: str = "delay") -> Incident:
        """Let a rule of a model fire, and return the incident."""
        self.desk.world.values[f"{model}-errors"] = 0.9
        self.later()
        return self.desk.incidents()[0]

    def replan(self, *cards: dict[str, Any], **organisation: Any) -> None:
        """Let the engine go on with other policies."""
        self.desk.replan(*cards, **{"people": PEOPLE, **organisation})
        self.inbound.desk.engine.rule_by(self.desk.engine.ruling)

    def later(self, **by: float) -> None:
        """Let time pass and the engine look."""
        self.desk.later(timedelta(**by) if by else timedelta(minutes=1))
        clock = self.desk.engine.clock
        assert isinstance(clock, Clock)
        clock.time = self.desk.now

    def incident(self, number: int) -> Incident:
        """Return an incident as stored."""
        with self.desk.engine.database.read() as connection:
            return incidents.get(connection, number)

    def done(self, number: int, status: str) -> None:
        """Wait until an incident has a status."""
        until(lambda: self.incident(number).status == status)

    def close(self) -> None:
        """End it."""
        self.inbound.stop()
        self.web.close()


def value(incident: Incident, version: int | None = None, **more: Any) -> str:
    """Return the value of a button as the message has it."""
    return json.dumps({**more, "incident": incident.id, "version": version or incident.version})


def office(**organisation: Any) -> Office:
    """Open one."""
    made, web = desk(**{"people": PEOPLE, **organisation}), Web()
    made.engine.clock = Clock(made.now)
    drawn: list[int] = []
    heard, complaints = [ConfirmationsView(total=0, confirmed=0)], list[str]()
    follow = Follow(confirmations=lambda _: heard[0], drawn=drawn.append)
    config = SlackConfig(channel="#ml-incidents", mode="http", address=web.address, loopback=True)
    return Office(made, web, Inbound(made.engine, config, follow, complaints.append), drawn, heard, complaints)


def _entered(block: Mapping[str, Any], said: Mapping[str, str]) -> dict[str, Any]:
    element, name = block["element"], block["block_id"]
    if element["type"] == "plain_text_input":
        return {"type": element["type"], "value": said.get(name, element.get("initial_value"))}
    initial = element.get("initial_option")
    chosen = next((each for each in element["options"] if each["value"] == said.get(name)), initial)
    return {"type": element["type"], "selected_option": chosen}
